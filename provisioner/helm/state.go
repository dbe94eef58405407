package helm

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
)

// State is the content of a revision.
type State struct {
	Revision     int // zero for one that is only previewed
	ChartVersion string
	Values       map[string]any // with the chart's own
	Manifest     string         // its objects as YAML, without the tests
	// Growth maps the volume claims that a previewed change enlarges to their new sizes. The claims
	// of a StatefulSet are not in the manifest.
	Growth map[string]string
}

// State returns the content of a revision, or of the newest one if revision is zero. It returns
// ErrNoRevision if the cluster no longer keeps it.
func (c *Client) State(ctx context.Context, namespace, name string, revision int) (State, error) {
	r := Request{Namespace: namespace, Name: name}
	cfg, err := c.configuration(ctx, scope{namespace: namespace}, &journal{})
	if err != nil {
		return State{}, err
	}
	history, err := historyOf(cfg, r)
	if err != nil {
		return State{}, err
	}
	found := newest(history)
	if i := slices.IndexFunc(history, func(past *release.Release) bool { return past.Version == revision }); revision > 0 && i >= 0 {
		found = history[i]
	}
	if found == nil || revision > 0 && found.Version != revision {
		return State{}, fmt.Errorf("revision %d of release %s/%s: %w", revision, namespace, name, ErrNoRevision)
	}
	return stateOf(found)
}

// Describe returns the chart's version and its values, overridden by the given ones. It contacts no
// cluster, and the state has no objects.
func Describe(chart fs.FS, values map[string]any) (State, error) {
	loaded, err := load(chart)
	if err != nil {
		return State{}, err
	}
	return stateOf(&release.Release{Chart: loaded, Config: values})
}

// RefusalError says that a chart rejects its values: a retry cannot help.
type RefusalError struct{ cause error }

// Error implements error.
func (e *RefusalError) Error() string { return e.cause.Error() }

// Preview returns what Apply would make of an existing release. It changes nothing. An action that
// fails returns an *Error, which wraps a *RefusalError if the chart rejects its values.
func (c *Client) Preview(ctx context.Context, r Request) (State, error) {
	said := &journal{}
	state, err := c.preview(ctx, r, said)
	return state, said.explain(err)
}

func (c *Client) preview(ctx context.Context, r Request, said *journal) (State, error) {
	cfg, err := c.configuration(ctx, scope{namespace: r.Namespace}, said)
	if err != nil {
		return State{}, err
	}
	history, err := historyOf(cfg, r)
	if err != nil {
		return State{}, err
	}
	from, err := sourceOf(history, r)
	if err != nil {
		return State{}, err
	}
	keeper, err := newClaimKeeper(history)
	if err != nil {
		return State{}, err
	}
	done, err := dryRun(cfg, from, r, keeper)
	if err != nil {
		return State{}, &RefusalError{cause: err}
	}
	done.Version = 0
	state, err := stateOf(done)
	state.Growth = keeper.growth
	return state, err
}

// dryRun renders the chart with the capabilities of the cluster, and sends no other request to it. It
// renders an installation because an upgrade would be refused while another one is pending.
func dryRun(cfg *action.Configuration, from source, r Request, keeper *claimKeeper) (*release.Release, error) {
	install := action.NewInstall(cfg)
	install.Namespace, install.ReleaseName, install.Replace = r.Namespace, r.Name, true
	install.PostRenderer = keeper
	install.DryRun, install.DryRunOption, install.IsUpgrade = true, "client", true
	install.DisableOpenAPIValidation = true // it would load all of the cluster's schemas, which takes seconds
	return install.Run(from.chart, from.values)
}

func stateOf(r *release.Release) (State, error) {
	values, err := chartutil.CoalesceValues(r.Chart, r.Config)
	if err != nil {
		return State{}, fmt.Errorf("read the values of a revision: %w", err)
	}
	return State{Revision: r.Version, ChartVersion: r.Chart.Metadata.Version, Values: values, Manifest: r.Manifest}, nil
}
