package store

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Target is a bucket of an S3 service that restore points are written to.
type Target struct {
	ID        string
	Name      string // for people
	Endpoint  string // URL of the service, without a path
	Bucket    string
	Prefix    string // of all objects; empty for none
	Region    string // empty for the service's default
	PathStyle bool   // the bucket is in the path of a URL rather than in its host name
	CA        string // certificates in PEM that the service's certificate is verified with; empty for the system's
	KeyID     string
	Secret    string // of the key; empty where a target is only listed
	InUse     bool   // new points are written to it; one target at most
	CreatedAt time.Time
	UpdatedAt time.Time
}

var (
	bucketName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	targetPrefix = regexp.MustCompile(`^[A-Za-z0-9._/-]{0,200}$`)
	regionName   = regexp.MustCompile(`^[a-z0-9-]{0,40}$`)
)

// Validate returns the target in its usual spelling, or what is wrong with it, at the field.
func (t Target) Validate() (Target, error) {
	t.Name = strings.Join(strings.Fields(t.Name), " ")
	t.Endpoint = strings.TrimSuffix(strings.TrimSpace(t.Endpoint), "/")
	t.Bucket, t.Region = strings.TrimSpace(t.Bucket), strings.TrimSpace(t.Region)
	t.Prefix = strings.Trim(strings.TrimSpace(t.Prefix), "/")
	t.CA, t.KeyID, t.Secret = strings.TrimSpace(t.CA), strings.TrimSpace(t.KeyID), strings.TrimSpace(t.Secret)
	ca, whole := certificates(t.CA)
	switch {
	case t.Name == "" || len([]rune(t.Name)) > 40:
		return t, Invalidf("name", "Enter a name with at most 40 characters.")
	case !isEndpoint(t.Endpoint):
		return t, Invalidf("endpoint", "Enter the URL of the S3 service without a path, such as https://s3.eu-central-1.amazonaws.com.")
	case !bucketName.MatchString(t.Bucket):
		return t, Invalidf("bucket", "Enter the name of a bucket: 3 to 63 lowercase letters, digits, dots and dashes.")
	case !targetPrefix.MatchString(t.Prefix) || t.Prefix != "" && path.Clean("/"+t.Prefix) != "/"+t.Prefix:
		return t, Invalidf("prefix", "Enter a path of letters, digits, dots, dashes and slashes, such as backups/shops.")
	case !regionName.MatchString(t.Region):
		return t, Invalidf("region", "Enter a region such as eu-central-1, or leave the field empty.")
	case t.CA != "" && !whole:
		return t, Invalidf("ca", "Enter one or more certificates in PEM format.")
	case t.CA != "" && strings.HasPrefix(t.Endpoint, "http:"):
		return t, Invalidf("ca", "The endpoint doesn’t use HTTPS. Remove the certificate, or enter an https:// endpoint.")
	case !isKey(t.KeyID):
		return t, Invalidf("key_id", "Enter the access key ID.")
	case !isKey(t.Secret):
		return t, Invalidf("secret", "Enter the secret access key.")
	}
	t.CA = ca
	return t, nil
}

func isEndpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && len(text) <= 200 &&
		u.User == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && !strings.ContainsFunc(text, unicode.IsSpace)
}

// isKey reports whether the text can be part of a key. A key is written to a credentials file, where a
// line break would start another setting.
func isKey(text string) bool {
	return text != "" && len(text) <= 256 && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// certificates returns the certificates of a text in PEM format without what stands between them, such as
// comments, which can be anything. whole is false if the text has other parts, or none.
func certificates(text string) (all string, whole bool) {
	var kept strings.Builder
	rest := []byte(text)
	for len(strings.TrimSpace(string(rest))) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return "", false
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", false
		}
		kept.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
	return strings.TrimSpace(kept.String()), kept.Len() > 0 && len(text) <= 64<<10
}

// Address is where the target is, for people: the endpoint, the bucket and the prefix.
func (t Target) Address() string {
	return strings.TrimSuffix(t.Endpoint+"/"+t.Bucket+"/"+t.Prefix, "/")
}

// Listed is the target without its secret.
func (t Target) Listed() Target {
	t.Secret = ""
	return t
}
