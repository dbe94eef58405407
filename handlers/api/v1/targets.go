package v1

import "time"

// TargetSettings say where a backup target is.
type TargetSettings struct {
	Name      string `json:"name" maxLength:"1000" example:"Off-site"`
	Endpoint  string `json:"endpoint" maxLength:"1000" example:"https://s3.eu-central-1.amazonaws.com" doc:"URL of the S3 service, without a path."`
	Bucket    string `json:"bucket" maxLength:"1000" example:"shops" doc:"It must exist."`
	Prefix    string `json:"prefix,omitempty" maxLength:"1000" example:"backups" doc:"Folder in the bucket."`
	Region    string `json:"region,omitempty" maxLength:"1000" example:"eu-central-1" doc:"Absent if the service has none."`
	PathStyle bool   `json:"path_style,omitempty" doc:"Whether the bucket is in the path of the URL, not in the host name."`
	CA        string `json:"ca,omitempty" doc:"CA certificates in PEM format, if the service’s certificate isn’t from a public authority."`
	KeyID     string `json:"key_id" maxLength:"1000" example:"AKIAIOSFODNN7EXAMPLE" doc:"Access key ID. The key must be allowed to list the bucket and to read, write and delete its objects."`
	InUse     bool   `json:"in_use" doc:"Whether new restore points are written to it. It takes the place of the target in use."`
}

// NewTarget is a request for a backup target.
type NewTarget struct {
	TargetSettings
	Secret string `json:"secret" maxLength:"1000" writeOnly:"true" doc:"Secret access key. It is kept encrypted and never returned."`
}

// ChangedTarget is a request to change a backup target.
type ChangedTarget struct {
	TargetSettings
	Secret string `json:"secret,omitempty" maxLength:"1000" writeOnly:"true" doc:"Secret access key; absent to keep the present one."`
}

// Target is a bucket that restore points are written to.
type Target struct {
	ID string `json:"id" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"`
	TargetSettings
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// TargetTest is what a test of a backup target came to.
type TargetTest struct {
	OK         bool   `json:"ok" doc:"Whether an object could be written, listed, read and deleted."`
	Message    string `json:"message" example:"An object was written, listed, read and deleted. Versioning and object lock are off." doc:"What was done and found, or what failed."`
	Versioning bool   `json:"versioning" doc:"Whether the bucket has versioning."`
	ObjectLock bool   `json:"object_lock" doc:"Whether the bucket has object lock."`
	Unknown    bool   `json:"protection_unknown,omitempty" doc:"The service doesn’t tell whether versioning or object lock is on."`
}
