package bucket

import (
	"context"
	"errors"
	"io"
	"path"

	"github.com/minio/minio-go/v7"

	"shopwright.dev/shopwright/store"
)

// Folder is a place below a target's prefix.
type Folder struct {
	client *minio.Client
	bucket string
	path   string
}

// Open returns the folder of that name in a target. It sends no request.
func Open(target store.Target, name string) (Folder, error) {
	client, err := connect(target)
	return Folder{client: client, bucket: target.Bucket, path: path.Join(target.Prefix, name)}, err
}

// Put writes an object.
func (f Folder) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	_, err := f.client.PutObject(ctx, f.bucket, path.Join(f.path, name), content, size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return failed("writing an object", err)
	}
	return nil
}

// List returns the names of the objects.
func (f Folder) List(ctx context.Context) (names []string, err error) {
	for object := range f.client.ListObjectsIter(ctx, f.bucket, minio.ListObjectsOptions{Prefix: f.path + "/"}) {
		if object.Err != nil {
			return nil, failed("listing the objects", object.Err)
		}
		names = append(names, path.Base(object.Key))
	}
	return names, nil
}

// Get opens an object. The caller closes it.
func (f Folder) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	object, err := f.client.GetObject(ctx, f.bucket, path.Join(f.path, name), minio.GetObjectOptions{})
	if err == nil {
		_, err = object.Stat()
	}
	if err != nil {
		return nil, failed("reading an object", err)
	}
	return object, nil
}

// Delete deletes objects.
func (f Folder) Delete(ctx context.Context, names ...string) error {
	var all []error
	for _, name := range names {
		if err := f.client.RemoveObject(ctx, f.bucket, path.Join(f.path, name), minio.RemoveObjectOptions{}); err != nil {
			all = append(all, failed("deleting an object", err))
		}
	}
	return errors.Join(all...)
}
