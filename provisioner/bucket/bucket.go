// Package bucket tries whether a backup target can be used. It knows S3 and nothing of stores or clusters.
package bucket

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7" // the S3 client that restic uses, so that what works here works there
	"github.com/minio/minio-go/v7/pkg/credentials"

	"shopwright.dev/shopwright/store"
)

// answerWithin bounds how long a test takes.
const answerWithin = 20 * time.Second

// Protection is what keeps objects in a bucket from being overwritten or deleted.
type Protection struct {
	Versioning bool
	ObjectLock bool
	Unknown    bool // the service tells neither
}

// Test writes, lists, reads and deletes an object below the target's prefix. The error says in plain words
// what failed.
func Test(ctx context.Context, target store.Target) (Protection, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	client, err := connect(target)
	if err != nil {
		return Protection{}, err
	}
	name := path.Join(target.Prefix, "shopwright-test-"+rand.Text())
	if err := try(ctx, client, target.Bucket, name); err != nil {
		return Protection{}, err
	}
	return protectionOf(ctx, client, target.Bucket), nil
}

func connect(target store.Target) (*minio.Client, error) {
	endpoint, err := url.Parse(target.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("the endpoint is invalid: %w", err)
	}
	transport, err := minio.DefaultTransport(endpoint.Scheme == "https")
	if err != nil {
		return nil, err
	}
	if target.CA != "" {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(target.CA))
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	lookup := minio.BucketLookupAuto
	if target.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewStaticV4(target.KeyID, target.Secret, ""), Secure: endpoint.Scheme == "https", Region: target.Region,
		BucketLookup: lookup, Transport: transport, MaxRetries: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("the endpoint can’t be used: %w", err)
	}
	return client, nil
}

// try does what a backup needs. The object is deleted even if it can't be read.
func try(ctx context.Context, client *minio.Client, bucket, name string) (err error) {
	const content = "Shopwright tests this backup target. This object can be deleted."
	_, err = client.PutObject(ctx, bucket, name, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{ContentType: "text/plain"})
	if err != nil {
		return failed("writing an object", err)
	}
	defer func() {
		if gone := client.RemoveObject(ctx, bucket, name, minio.RemoveObjectOptions{}); gone != nil && err == nil {
			err = failed("deleting an object", gone)
		}
	}()
	found := false
	for object := range client.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Prefix: name}) {
		if object.Err != nil {
			return failed("listing the objects", object.Err)
		}
		found = found || object.Key == name
	}
	if !found {
		return errors.New("listing the objects failed: the object that was written isn’t listed")
	}
	object, err := client.GetObject(ctx, bucket, name, minio.GetObjectOptions{})
	if err != nil {
		return failed("reading an object", err)
	}
	defer func() { _ = object.Close() }()
	read, err := io.ReadAll(object)
	if err != nil {
		return failed("reading an object", err)
	}
	if string(read) != content {
		return errors.New("reading an object failed: it isn’t what was written")
	}
	return nil
}

// failed names what failed and why, in the words of the service or of the network.
func failed(what string, err error) error {
	if answer := minio.ToErrorResponse(err); answer.Message != "" && answer.StatusCode != 0 {
		return fmt.Errorf("%s failed: %s (%s)", what, strings.TrimRight(answer.Message, "."), answer.Code)
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return fmt.Errorf("%s failed: %w", what, err)
}

func protectionOf(ctx context.Context, client *minio.Client, bucket string) (p Protection) {
	versioning, unversioned := client.GetBucketVersioning(ctx, bucket)
	p.Versioning = unversioned == nil && versioning.Enabled()
	lock, _, _, _, unlocked := client.GetObjectLockConfig(ctx, bucket)
	p.ObjectLock = unlocked == nil && lock == "Enabled"
	answered := unlocked == nil || minio.ToErrorResponse(unlocked).StatusCode < http.StatusInternalServerError
	p.Unknown = unversioned != nil && !answered
	return p
}
