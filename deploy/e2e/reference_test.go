//go:build e2e

package e2e_test

import (
	"strings"
	"testing"
)

// reference is an image's: what pulls it, with the registry, and which one of them it is.
type reference struct{ repository, tag, digest string }

// referenceOf takes a reference apart. A registry may have a port.
func referenceOf(image string) (r reference) {
	r.repository, r.digest, _ = strings.Cut(image, "@")
	if colon := strings.LastIndexByte(r.repository, ':'); colon > strings.LastIndexByte(r.repository, '/') {
		r.repository, r.tag = r.repository[:colon], r.repository[colon+1:]
	}
	return r
}

// values are an engine's chart's for the image.
func (r reference) values() map[string]any {
	return map[string]any{"registry": "", "repository": r.repository, "tag": r.tag, "digest": r.digest}
}

func TestReference(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for image, want := range map[string]reference{
		"shop:1":                               {repository: "shop", tag: "1"},
		"shopwright/woocommerce:11.0.1-1":      {repository: "shopwright/woocommerce", tag: "11.0.1-1"},
		"host:5000/shop":                       {repository: "host:5000/shop"},
		"host:5000/team/shop:1":                {repository: "host:5000/team/shop", tag: "1"},
		"host:5000/team/shop:1@" + digest:      {repository: "host:5000/team/shop", tag: "1", digest: digest},
		"registry.example.com/shop@" + digest:  {repository: "registry.example.com/shop", digest: digest},
		"registry.example.com:443/a/b/c:1.2-x": {repository: "registry.example.com:443/a/b/c", tag: "1.2-x"},
	} {
		if got := referenceOf(image); got != want {
			t.Errorf("%s is %+v", image, got)
		}
	}
}
