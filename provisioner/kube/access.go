package kube

import (
	"fmt"
	"net/http"
	"path"
	"reflect"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// renewAgain is the least time between two attempts to read new credentials.
const renewAgain = time.Second

// access is the way into a cluster with credentials that do not change.
type access struct {
	config    *rest.Config
	unguarded http.RoundTripper // for as long as no cluster is expected
}

func newAccess(config *rest.Config) (*access, error) {
	unguarded, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("prepare connections to the cluster: %w", err)
	}
	return &access{config: config, unguarded: unguarded}, nil
}

// accesses holds the access in use and renews it.
type accesses struct {
	read func() (*rest.Config, error) // nil where credentials renew themselves

	mu    sync.Mutex
	now   *access
	tried time.Time
}

func (a *accesses) current() *access {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

// renew is called when the cluster has rejected the credentials, and reports whether others are in
// use now. A client certificate, for example, may have expired after a year and been replaced in its
// kubeconfig. Credentials for another address are ignored.
func (a *accesses) renew(refused *access) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now != refused {
		return true
	}
	if a.read == nil || time.Since(a.tried) < renewAgain {
		return false
	}
	a.tried = time.Now()
	config, err := a.read()
	if err != nil || config.Host != refused.config.Host || reflect.DeepEqual(config, refused.config) {
		return false // a file that is being written is read again at the next refusal
	}
	next, err := newAccess(config)
	if err != nil {
		return false
	}
	a.now = next
	return true
}

// systemPath is where a cluster's API has the namespace kube-system.
func systemPath(base string) string {
	return path.Join("/", base, "api/v1/namespaces", metav1.NamespaceSystem)
}
