package helm

import (
	"errors"
	"fmt"
	"slices"

	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// trusting is Helm's client without its first question of every action, whether the cluster
// can be reached: the next request tells.
type trusting struct{ *kube.Client }

// IsReachable implements kube.Interface.
func (trusting) IsReachable() error { return nil }

// remembering gives the history of a release without asking the cluster twice within an
// action, as long as the action has not written. It is for one action alone.
type remembering struct {
	driver.Driver
	answers map[string][]*release.Release // by the labels asked for
}

func remember(d driver.Driver) *remembering {
	return &remembering{Driver: d, answers: map[string][]*release.Release{}}
}

// Query implements driver.Queryor.
func (r *remembering) Query(labels map[string]string) ([]*release.Release, error) {
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
	clear(r.answers)
	return r.Driver.Create(key, rls)
}

// Update implements driver.Updator.
func (r *remembering) Update(key string, rls *release.Release) error {
	clear(r.answers)
	return r.Driver.Update(key, rls)
}

// Delete implements driver.Deletor.
func (r *remembering) Delete(key string) (*release.Release, error) {
	clear(r.answers)
	return r.Driver.Delete(key)
}
