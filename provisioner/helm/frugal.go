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

// trusting is Helm's client without its first question of every action, whether the cluster
// can be reached: the next request tells.
type trusting struct{ *kube.Client }

// IsReachable implements kube.Interface.
func (trusting) IsReachable() error { return nil }

// candid keeps why objects could not be deleted, which Helm tells its log only.
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

// remembering gives the history of a release without asking the cluster twice within an
// action, as long as the action has not written. It is for one action alone.
type remembering struct {
	driver.Driver
	answers map[string][]*release.Release // by the labels asked for
	empty   bool                          // until the action writes there is no release, and no need to ask
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

// untouched is the way to a namespace in which nothing is yet: until the action writes it
// answers itself that an object is not there. Helm asks that of each one, in turn, before
// it makes any. What is there nevertheless the API server does not let be made again.
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
