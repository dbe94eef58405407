package helm

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"

	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// trusting is Helm's client without the check at the start of each action whether the cluster is
// reachable: the next request shows that too.
type trusting struct{ *kube.Client }

// IsReachable implements kube.Interface.
func (trusting) IsReachable() error { return nil }

// candid keeps the errors of objects that could not be deleted, which Helm only logs.
type candid struct {
	trusting
	refused []error
}

// DeleteWithPropagationPolicy implements kube.InterfaceDeletionPropagation.
func (c *candid) DeleteWithPropagationPolicy(resources kube.ResourceList, policy metav1.DeletionPropagation) (*kube.Result, []error) {
	result, errs := c.trusting.DeleteWithPropagationPolicy(resources, policy)
	c.refused = append(c.refused, errs...)
	return result, errs
}

// remembering caches the history of a release until the action writes, so that an action does not
// read it twice. It serves a single action.
type remembering struct {
	driver.Driver
	answers map[string][]*release.Release // by the labels of the query
	empty   bool                          // no release exists until the action writes
}

// Query implements driver.Queryor.
func (r *remembering) Query(labels map[string]string) ([]*release.Release, error) {
	if r.empty {
		return nil, driver.ErrReleaseNotFound
	}
	key := fmt.Sprint(labels) // sorted by fmt
	found, known := r.answers[key]
	if !known {
		var err error
		found, err = r.Driver.Query(labels)
		if err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
			return nil, err
		}
		r.answers[key] = found
	}
	if len(found) == 0 {
		return nil, driver.ErrReleaseNotFound
	}
	return slices.Clone(found), nil // Helm sorts what it is given
}

// Create implements driver.Creator.
func (r *remembering) Create(key string, rls *release.Release) error {
	r.forget()
	return r.Driver.Create(key, rls)
}

// Update implements driver.Updator.
func (r *remembering) Update(key string, rls *release.Release) error {
	r.forget()
	return r.Driver.Update(key, rls)
}

// Delete implements driver.Deletor.
func (r *remembering) Delete(key string) (*release.Release, error) {
	r.forget()
	return r.Driver.Delete(key)
}

// forget is called before the action writes.
func (r *remembering) forget() {
	r.empty = false
	clear(r.answers)
}

// untouched is the transport to a namespace that is known to be empty. Until the action writes, it
// answers each read itself with 404: Helm looks for all objects, one by one, before it creates any.
// If one exists after all, the API server refuses to create it again.
type untouched struct {
	next  http.RoundTripper
	wrote atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (u *untouched) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		u.wrote.Store(true)
	}
	if u.wrote.Load() {
		return u.next.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusNotFound, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: http.Header{}, Body: http.NoBody, Request: r,
	}, nil
}
