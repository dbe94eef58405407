package bucket_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"shopwright.dev/shopwright/provisioner/bucket"
	"shopwright.dev/shopwright/store"
)

// service is an S3 service with the buckets "shops" and "versioned".
func service(t *testing.T, serve func(http.Handler) *httptest.Server) (*s3mem.Backend, store.Target) {
	t.Helper()
	backend := s3mem.New()
	for _, name := range []string{"shops", "versioned"} {
		if err := backend.CreateBucket(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := backend.SetVersioningConfiguration("versioned", gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	server := serve(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	target := store.Target{Name: "test", Endpoint: server.URL, Bucket: "shops", Prefix: "off-site", Region: "us-east-1", PathStyle: true, KeyID: "key", Secret: "secret"}
	if server.TLS != nil {
		target.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	}
	return backend, target
}

func TestTargetThatWorks(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		backend, target := service(t, serve)
		if p, err := bucket.Test(t.Context(), target); err != nil || p.Versioning || p.ObjectLock {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		objects, err := backend.ListBucket("shops", nil, gofakes3.ListBucketPage{})
		if err != nil || len(objects.Contents) != 0 {
			t.Errorf("%s: %d objects are left, %v", name, len(objects.Contents), err)
		}
		target.Bucket = "versioned"
		if p, err := bucket.Test(t.Context(), target); err != nil || !p.Versioning {
			t.Errorf("%s, versioned: %+v, %v", name, p, err)
		}
	}
}

func TestTargetThatDoesNotWork(t *testing.T) {
	t.Parallel()
	_, target := service(t, httptest.NewTLSServer)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>`))
	}))
	t.Cleanup(refusing.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		change func(*store.Target)
		want   string
	}{
		"no bucket":           {func(t *store.Target) { t.Bucket = "another" }, "writing an object failed: The specified bucket does not exist (NoSuchBucket)"},
		"a key without right": {func(t *store.Target) { t.Endpoint, t.CA = refusing.URL, "" }, "writing an object failed: Access Denied (AccessDenied)"},
		"no server":           {func(t *store.Target) { t.Endpoint, t.CA = gone.URL, "" }, "connection refused"},
		"no CA":               {func(t *store.Target) { t.CA = "" }, "certificate signed by unknown authority"},
	} {
		broken := target
		c.change(&broken)
		_, err := bucket.Test(t.Context(), broken)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s is answered with %v", name, err)
		}
	}
}

// Of a store nothing is left, not even an older version, and of its neighbours everything.
func TestErasureLeavesNothing(t *testing.T) {
	t.Parallel()
	backend, target := service(t, httptest.NewServer)
	put := func(bucket, key, content string) {
		t.Helper()
		if _, err := backend.PutObject(bucket, key, nil, strings.NewReader(content), int64(len(content)), nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"shops", "versioned"} {
		for _, key := range []string{"off-site/one/config", "off-site/one/data/a", "off-site/one-2/config", "off-site/other/config", "one/config"} {
			put(name, key, "first")
			put(name, key, "second")
		}
		if _, err := backend.DeleteObject(name, "off-site/one/data/a"); err != nil {
			t.Fatal(err)
		}
		target.Bucket = name
		if _, err := bucket.Erase(t.Context(), target, "one"); err != nil {
			t.Fatal(err)
		}
		if n, err := bucket.Erase(t.Context(), target, "one"); n != 0 || err != nil {
			t.Errorf("%s: %d objects were left, %v", name, n, err)
		}
		left, err := backend.ListBucket(name, nil, gofakes3.ListBucketPage{})
		if err != nil || len(left.Contents) != 2 {
			t.Errorf("%s: %d objects are left, %v", name, len(left.Contents), err)
		}
	}
	target.Bucket = "another"
	if _, err := bucket.Erase(t.Context(), target, "one"); err == nil || !strings.Contains(err.Error(), "listing the objects failed") {
		t.Errorf("without a bucket the answer is %v", err)
	}
}
