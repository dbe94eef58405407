package bucket

import (
	"context"
	"path"

	"github.com/minio/minio-go/v7"

	"shopwright.dev/shopwright/store"
)

// Erase deletes all objects of a store's repositories in a target, with all their versions. Each repository's name
// begins with the store's id. What was deleted stays deleted if the rest fails.
func Erase(ctx context.Context, target store.Target, storeID string) (objects int, err error) {
	client, err := connect(target)
	if err != nil {
		return 0, err
	}
	found := client.ListObjectsIter(ctx, target.Bucket, minio.ListObjectsOptions{Prefix: path.Join(target.Prefix, storeID), Recursive: true, WithVersions: true})
	for object := range found {
		if object.Err != nil {
			return objects, failed("listing the objects", object.Err)
		}
		if err := client.RemoveObject(ctx, target.Bucket, object.Key, minio.RemoveObjectOptions{VersionID: object.VersionID}); err != nil {
			return objects, failed("deleting an object", err)
		}
		objects++
	}
	return objects, nil
}
