package helm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// Status is the state of a release, reduced to what decides the next step.
type Status string

// The states of a release. Pending means that an action has begun and not ended: it is still running,
// or its process is gone.
const (
	None       Status = ""
	Deployed   Status = "deployed"
	Incomplete Status = "failed"
	Pending    Status = "pending"
	Leaving    Status = "uninstalling"
)

// Release is what Helm has recorded of the newest revision.
type Release struct {
	Status       Status
	Revision     int
	Change       string // that it was applied for, see [Request]; empty if none was given
	ChartVersion string
	Objects      int
	Values       map[string]any // with the chart's own
	Claims       []string       // names of the volume claims that it needs
	Test         string         // manifest of the pod that the chart tests the release with, if it does
}

// labelChange is the label on the Secret of a release that names the change it was applied for.
const labelChange = "shopwright.dev/change"

// ErrNoRevision says that the cluster no longer keeps the revision.
var ErrNoRevision = errors.New("the release has no such revision")

// Request says what should be released.
type Request struct {
	Namespace string
	Name      string
	Chart     fs.FS          // a chart's folder
	Values    map[string]any // over the chart's own
	// Revision is the one whose chart and values are used instead, if it is not zero.
	Revision int
	// Over overrides values of that revision. Values that its chart does not have are ignored.
	Over map[string]any
	// Change identifies what the release is applied for. It is stored with the revision, as a label,
	// so that the next holder of the store can tell whether the change was applied.
	Change string
	// Fresh says that the caller has just created the namespace: it contains nothing of the chart, so
	// Helm does not look.
	Fresh bool
}

// Release returns the newest revision; its status is None when there is none.
func (c *Client) Release(ctx context.Context, namespace, name string) (Release, error) {
	cfg, err := c.configuration(ctx, scope{namespace: namespace}, &journal{})
	if err != nil {
		return Release{}, err
	}
	last, err := cfg.Releases.Last(name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return Release{}, nil
	}
	if err != nil {
		return Release{}, fmt.Errorf("read release %s/%s: %w", namespace, name, err)
	}
	return describeRelease(last)
}

// Apply installs the chart, or upgrades an existing release, complete or not. It returns when the API
// server has accepted all objects, and does not wait until they are ready. A pending release is
// refused: see Unlock.
// An action that fails returns an *Error, which wraps a *LockedError if the release is pending.
func (c *Client) Apply(ctx context.Context, r Request) (Release, error) {
	said := &journal{}
	release, err := c.apply(ctx, r, said)
	return release, said.explain(err)
}

func (c *Client) apply(ctx context.Context, r Request, said *journal) (Release, error) {
	cfg, err := c.configuration(ctx, scope{namespace: r.Namespace, fresh: r.Fresh}, said)
	if err != nil {
		return Release{}, err
	}
	history, err := historyOf(cfg, r)
	if err != nil {
		return Release{}, err
	}
	if last := newest(history); last != nil && last.Info.Status.IsPending() {
		return Release{}, &LockedError{Name: r.Name, Revision: last.Version, Status: string(last.Info.Status), Since: last.Info.LastDeployed.Time}
	}
	source, err := sourceOf(history, r)
	if err != nil {
		return Release{}, err
	}
	if len(history) == 0 {
		return install(cfg, source, r)
	}
	if err := deleteTries(cfg, history, r); err != nil {
		return Release{}, err
	}
	upgrade := newUpgrade(cfg, r)
	if upgrade.PostRenderer, err = newClaimKeeper(history); err != nil {
		return Release{}, err
	}
	done, err := upgrade.Run(r.Name, source.chart, source.values)
	if err != nil {
		return Release{}, fmt.Errorf("upgrade release %s/%s: %w", r.Namespace, r.Name, err)
	}
	return describeRelease(done)
}

// historyOf returns the revisions that the cluster keeps.
func historyOf(cfg *action.Configuration, r Request) ([]*release.Release, error) {
	history, err := cfg.Releases.History(r.Name)
	if err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, fmt.Errorf("read release %s/%s: %w", r.Namespace, r.Name, err)
	}
	return history, nil
}

func newest(history []*release.Release) (last *release.Release) {
	for _, past := range history {
		if last == nil || past.Version > last.Version {
			last = past
		}
	}
	return last
}

// deleteTries deletes the failed revisions of earlier tries at the same change, so that many retries
// leave only one. The revision that Helm upgrades from stays.
func deleteTries(cfg *action.Configuration, history []*release.Release, r Request) error {
	base := baseOf(history)
	for _, past := range history {
		if past == base || past.Info.Status != release.StatusFailed || r.Change == "" || past.Labels[labelChange] != r.Change {
			continue
		}
		if _, err := cfg.Releases.Delete(r.Name, past.Version); err != nil {
			return fmt.Errorf("delete revision %d of release %s/%s: %w", past.Version, r.Namespace, r.Name, err)
		}
	}
	return nil
}

// baseOf is the revision that Helm compares with in an upgrade: the deployed one, or the newest
// where none is.
func baseOf(history []*release.Release) *release.Release {
	others := func(past *release.Release) bool { return past.Info.Status != release.StatusDeployed }
	if deployed := newest(slices.DeleteFunc(slices.Clone(history), others)); deployed != nil {
		return deployed
	}
	return newest(history)
}

// Prune deletes the revisions that are older than the newest one and not to be kept. The one
// that is deployed always stays: Helm upgrades from it.
func (c *Client) Prune(ctx context.Context, namespace, name string, keep []int) error {
	cfg, err := c.configuration(ctx, scope{namespace: namespace}, &journal{})
	if err != nil {
		return err
	}
	history, err := historyOf(cfg, Request{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	base, last := baseOf(history), newest(history)
	for _, past := range history {
		if past == base || past == last || slices.Contains(keep, past.Version) {
			continue
		}
		if _, err := cfg.Releases.Delete(name, past.Version); err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
			return fmt.Errorf("delete revision %d of release %s/%s: %w", past.Version, namespace, name, err)
		}
	}
	return nil
}

// source is what a release is made of.
type source struct {
	chart  *chart.Chart
	values map[string]any
}

func sourceOf(history []*release.Release, r Request) (source, error) {
	if r.Revision == 0 {
		loaded, err := load(r.Chart)
		return source{loaded, r.Values}, err
	}
	for _, past := range history {
		if past.Version == r.Revision {
			return source{past.Chart, laidOver(past.Config, r.Over, past.Chart.Values)}, nil
		}
	}
	return source{}, fmt.Errorf("revision %d of release %s/%s: %w", r.Revision, r.Namespace, r.Name, ErrNoRevision)
}

// laidOver returns the values overridden by those in over. It leaves out what the chart does not
// know, since an older chart may refuse it.
func laidOver(values, over, known map[string]any) map[string]any {
	if len(over) == 0 {
		return values
	}
	laid := map[string]any{}
	maps.Copy(laid, values)
	for key, value := range over {
		usual, has := known[key]
		if !has {
			continue
		}
		if inner, isMap := value.(map[string]any); isMap {
			below, _ := values[key].(map[string]any)
			knownBelow, _ := usual.(map[string]any)
			value = laidOver(below, inner, knownBelow)
		}
		laid[key] = value
	}
	return laid
}

func install(cfg *action.Configuration, from source, r Request) (Release, error) {
	install := action.NewInstall(cfg)
	install.Namespace, install.ReleaseName, install.Labels = r.Namespace, r.Name, r.labels()
	install.DisableOpenAPIValidation = true // our charts are tested, and the API server validates
	done, err := install.Run(from.chart, from.values)
	if err != nil {
		return Release{}, fmt.Errorf("install release %s/%s: %w", r.Namespace, r.Name, err)
	}
	return describeRelease(done)
}

func newUpgrade(cfg *action.Configuration, r Request) *action.Upgrade {
	upgrade := action.NewUpgrade(cfg)
	upgrade.Namespace, upgrade.Labels = r.Namespace, r.labels()
	upgrade.DisableOpenAPIValidation = true
	upgrade.ResetValues = true
	return upgrade
}

func (r Request) labels() map[string]string {
	return map[string]string{labelChange: r.Change}
}

// Unlock marks a pending revision as failed, so that another action can follow. Call it only if no
// process works on the release any more.
func (c *Client) Unlock(ctx context.Context, namespace, name string) error {
	cfg, err := c.configuration(ctx, scope{namespace: namespace}, &journal{})
	if err != nil {
		return err
	}
	last, err := cfg.Releases.Last(name)
	if err != nil {
		return fmt.Errorf("read release %s/%s: %w", namespace, name, err)
	}
	if !last.Info.Status.IsPending() {
		return nil
	}
	last.SetStatus(release.StatusFailed, "Interrupted")
	if err := cfg.Releases.Update(last); err != nil {
		return fmt.Errorf("unlock release %s/%s: %w", namespace, name, err)
	}
	return nil
}

// Uninstall removes the release's objects and its history, and does not wait until the objects are
// gone. A missing release is no error.
func (c *Client) Uninstall(ctx context.Context, namespace, name string) error {
	cfg, err := c.configuration(ctx, scope{namespace: namespace}, &journal{})
	if err != nil {
		return err
	}
	deleting := &candid{}
	if client, ok := cfg.KubeClient.(trusting); ok {
		deleting.trusting = client
		cfg.KubeClient = deleting
	}
	uninstall := action.NewUninstall(cfg)
	uninstall.IgnoreNotFound = true
	uninstall.DeletionPropagation = "background"
	if _, err := uninstall.Run(name); err != nil {
		return fmt.Errorf("uninstall release %s/%s: %w", namespace, name, errors.Join(append(deleting.refused, err)...))
	}
	return nil
}

// Render returns the objects that the request would create on a cluster of that version, as YAML. It
// contacts no cluster.
func Render(r Request, kubeVersion string) (string, error) {
	done, err := render(r, kubeVersion)
	if err != nil {
		return "", err
	}
	return done.Manifest, nil
}

// RenderTests returns the manifests of the chart's tests. They are hooks, which the manifest of a
// release does not contain. It contacts no cluster.
func RenderTests(r Request, kubeVersion string) (string, error) {
	done, err := render(r, kubeVersion)
	if err != nil {
		return "", err
	}
	var manifests []string
	for _, hook := range done.Hooks {
		if slices.Contains(hook.Events, release.HookTest) {
			manifests = append(manifests, hook.Manifest)
		}
	}
	return strings.Join(manifests, "\n---\n"), nil
}

func render(r Request, kubeVersion string) (*release.Release, error) {
	loaded, err := load(r.Chart)
	if err != nil {
		return nil, err
	}
	version, err := chartutil.ParseKubeVersion(kubeVersion)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.Namespace, install.ReleaseName = r.Namespace, r.Name
	install.DryRun, install.ClientOnly, install.KubeVersion = true, true, version
	done, err := install.Run(loaded, r.Values)
	if err != nil {
		return nil, fmt.Errorf("render release %s/%s: %w", r.Namespace, r.Name, err)
	}
	return done, nil
}

func describeRelease(r *release.Release) (Release, error) {
	claims, err := claimsOf(r.Manifest)
	if err != nil {
		return Release{}, fmt.Errorf("revision %d of release %s/%s: %w", r.Version, r.Namespace, r.Name, err)
	}
	values, err := chartutil.CoalesceValues(r.Chart, r.Config)
	if err != nil {
		return Release{}, fmt.Errorf("read the values of revision %d of release %s/%s: %w", r.Version, r.Namespace, r.Name, err)
	}
	return Release{
		Values: values, Status: statusOf(r.Info.Status), Revision: r.Version, Change: r.Labels[labelChange], ChartVersion: r.Chart.Metadata.Version,
		Objects: strings.Count("\n"+r.Manifest, "\nkind: "), Test: testOf(r), Claims: claims,
	}, nil
}

func testOf(r *release.Release) string {
	for _, hook := range r.Hooks {
		if hook.Kind == "Pod" && slices.Contains(hook.Events, release.HookTest) {
			return hook.Manifest
		}
	}
	return ""
}

func statusOf(s release.Status) Status {
	switch {
	case s == release.StatusDeployed:
		return Deployed
	case s.IsPending():
		return Pending
	case s == release.StatusUninstalling, s == release.StatusUninstalled:
		return Leaving
	default:
		return Incomplete
	}
}

// load reads the chart again for each action, because Helm modifies the chart it is given.
func load(folder fs.FS) (*chart.Chart, error) {
	var files []*loader.BufferedFile
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(folder, path)
		files = append(files, &loader.BufferedFile{Name: path, Data: data})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read chart: %w", err)
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		return nil, fmt.Errorf("load chart: %w", err)
	}
	return loaded, nil
}
