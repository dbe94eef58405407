package provisioner_test

import (
	"bytes"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/store/storetest"
)

// newer is WooCommerce with a later chart: another database, one object more and one
// credential more.
type newer struct{ engine.WooCommerce }

const newerChart = "99.0.0"

func (newer) Chart() fs.FS {
	chart := fstest.MapFS{}
	_ = fs.WalkDir(engine.WooCommerce{}.Chart(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(engine.WooCommerce{}.Chart(), path)
		if path == "Chart.yaml" {
			data = regexp.MustCompile(`(?m)^version: .*$`).ReplaceAll(data, []byte("version: "+newerChart))
		}
		chart[path] = &fstest.MapFile{Data: bytes.ReplaceAll(data, []byte(`tag: "11.4"`), []byte(`tag: "11.8"`))}
		return err
	})
	chart["templates/more.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\ndata:\n  of: this\n")}
	return chart
}

func (n newer) Credentials(host, ownerEmail string) (map[string][]byte, error) {
	data, err := n.WooCommerce.Credentials(host, ownerEmail)
	data["new-key"] = []byte("a secret that the chart of old had no use for")
	return data, err
}

func (n newer) Values(s engine.Spec) (map[string]any, error) { return engine.ReleaseValues(n, s) }

func offering(e engine.Engine) func(*provisioner.Config) {
	return func(c *provisioner.Config) { c.Engines = engine.NewRegistry(e) }
}

// openedBefore is a store that was opened by an older version, and a platform of the newer one.
func openedBefore(t *testing.T, changes ...func(*provisioner.Config)) (*platform, store.Store) {
	t.Helper()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Seasoned"))
	p.stop()
	p.setPlan(t, func(standard *store.Plan) { standard.CPU = 7000 })
	p.run(t, append(changes, offering(newer{}))...)
	kubetest.Within(t, "the cluster is connected", func() bool { return p.Cluster().Link == provisioner.Connected })
	return p, st
}

// setPlan changes the figures of the plan that stores have.
func (p *platform) setPlan(t *testing.T, change func(*store.Plan)) {
	t.Helper()
	plan, err := p.db.UnguardedPlan(t.Context(), store.StandardPlan)
	if err != nil {
		t.Fatal(err)
	}
	change(&plan)
	if err := p.db.SavePlan(t.Context(), storetest.Admin(t, p.db), plan); err != nil {
		t.Fatal(err)
	}
}

func (p *platform) upgrade(t *testing.T, st store.Store, r store.UpgradeRequest) {
	t.Helper()
	if _, err := p.db.Upgrade(t.Context(), p.actor, st.ID, r); err != nil {
		t.Fatal(err)
	}
}

// changed waits for the end of a change, and of what it set off.
func (p *platform) changed(t *testing.T, before store.Store) store.Store {
	t.Helper()
	return p.until(t, before.ID, "changed", func(st store.Store) bool {
		return st.Generation > before.Generation && (st.Status == store.Ready || st.Status == store.Failed)
	})
}

// databaseImage is that of the pod that runs.
func (p *platform) databaseImage(t *testing.T, st store.Store) string {
	t.Helper()
	return kubetest.PodImage(t, st.Namespace, "mariadb-0")
}

// history is that of the store in a line, newest first.
func (p *platform) history(t *testing.T, st store.Store) string {
	t.Helper()
	revisions, err := p.db.Revisions(t.Context(), p.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range revisions {
		all = append(all, phrase.Change(r.Change)+" "+string(r.State))
	}
	return strings.Join(all, ", ")
}

func TestUpgradeAndRollback(t *testing.T) {
	t.Parallel()
	p, st := openedBefore(t)
	before, kept := st.ChartVersion, p.keepsakes(t, st.Namespace)
	offer, err := p.Offer(st)
	if err != nil || offer.ChartVersion != newerChart {
		t.Fatalf("offered is %+v, %v", offer, err)
	}
	p.upgrade(t, st, store.UpgradeRequest{Chart: newerChart})
	up := p.changed(t, st)
	if up.Status != store.Ready || up.ChartVersion != newerChart || !up.Health.Last.OK {
		t.Fatalf("upgraded, it is %s on chart %s: %+v %+v", up.Status, up.ChartVersion, up.Job.Failure, up.Job.Change)
	}
	if image := p.databaseImage(t, st); !strings.HasSuffix(image, "mariadb:11.8") {
		t.Errorf("after the upgrade the database is %s", image)
	}
	p.wantKept(t, st.Namespace, kept)
	credentials, err := p.admin.CoreV1().Secrets(st.Namespace).Get(t.Context(), "store-credentials", metav1.GetOptions{})
	if err != nil || len(credentials.Data["new-key"]) == 0 {
		t.Errorf("the credential that the newer chart needs is not there, %v", err)
	}
	quota, err := p.admin.CoreV1().ResourceQuotas(st.Namespace).Get(t.Context(), "store", metav1.GetOptions{})
	if err != nil || quota.Spec.Hard.Name(corev1.ResourceLimitsCPU, resource.DecimalSI).String() != "7" || len(quota.Spec.Hard) < 5 {
		t.Errorf("the quota is %v, %v", quota.Spec.Hard, err)
	}
	revisions, err := p.db.Revisions(t.Context(), p.actor, st.ID)
	if err != nil || len(revisions) != 2 || revisions[0].Offer != offer.Digest || revisions[1].Offer == offer.Digest {
		t.Errorf("the revisions are %+v, %v", revisions, err)
	}
	if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, 1); err != nil {
		t.Fatal(err)
	}
	back := p.changed(t, up)
	if back.Status != store.Ready || back.ChartVersion != before {
		t.Fatalf("rolled back, it is %s on chart %s: %+v", back.Status, back.ChartVersion, back.Job.Failure)
	}
	if image := p.databaseImage(t, st); !strings.HasSuffix(image, "mariadb:11.4") {
		t.Errorf("after the rollback the database is %s", image)
	}
	if revisions, err = p.db.Revisions(t.Context(), p.actor, st.ID); err != nil || revisions[0].Offer == offer.Digest || revisions[0].Offer != revisions[2].Offer {
		t.Errorf("rolled back, the upgrade is not offered again: %+v, %v", revisions, err)
	}
	if got, want := p.history(t, st), "Back to revision 1 deployed, Chart "+before+" → "+newerChart+" superseded, Opened superseded"; got != want {
		t.Errorf("the history is %q, want %q", got, want)
	}
	p.wantKept(t, st.Namespace, kept)
	p.wantOneRelease(t, back)
}

func TestPreviewOfAnUpgrade(t *testing.T) {
	t.Parallel()
	p, st := openedBefore(t)
	preview, err := p.Preview(t.Context(), st, provisioner.Target{Images: map[string]string{"wordpress": "6.9.1"}})
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string) string {
		i := slices.IndexFunc(preview.Parts, func(p provisioner.Part) bool { return p.Name == name })
		if i < 0 {
			return ""
		}
		var text strings.Builder
		for _, line := range preview.Parts[i].Lines {
			text.WriteString(string(preview.Parts[i].Change) + " " + string(line.Mark) + strings.TrimSpace(line.Text) + "\n")
		}
		return text.String()
	}
	for name, wants := range map[string][]string{
		"values":               {"changed -tag: \"11.4\"", "changed +tag: \"11.8\"", "changed +tag: 6.9.1"},
		"StatefulSet/mariadb":  {"changed -image: docker.io/library/mariadb:11.4", "changed +image: docker.io/library/mariadb:11.8"},
		"Deployment/wordpress": {"changed +image: docker.io/library/wordpress:6.9.1"},
		"ConfigMap/more":       {"added +of: this"},
	} {
		for _, want := range wants {
			if !strings.Contains(part(name), want) {
				t.Errorf("%s lacks %q:\n%s", name, want, part(name))
			}
		}
	}
	if part("Ingress/wordpress") != "" || !slices.Equal(preview.Restarts, []string{"wordpress", "mariadb"}) {
		t.Errorf("restarted are %q, and the ingress differs by %q", preview.Restarts, part("Ingress/wordpress"))
	}
	if now, err := p.db.UnguardedStore(t.Context(), st.ID); err != nil || now.Generation != st.Generation {
		t.Errorf("a preview has made it generation %d, %v", now.Generation, err)
	}
	_, err = p.Preview(t.Context(), st, provisioner.Target{Revision: 7})
	if store.ErrorCode(err) != store.NotFound {
		t.Errorf("a preview of a revision that never was: %v", err)
	}
}

func TestCompareRevisions(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Compared"))
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": "11.8"}})
	st = p.changed(t, st)
	for _, tt := range []struct{ from, to, changed, added int }{{1, 2, 3, 0}, {2, 1, 3, 0}, {0, 1, 0, 28}, {0, 2, 0, 28}} { // what makes and loads restore points has the database's image too
		got, err := p.Compare(t.Context(), st, tt.from, tt.to)
		if changed, added, removed := got.Count(); err != nil || changed != tt.changed || added != tt.added || removed != 0 {
			t.Errorf("from %d to %d: %d changed, %d added, %d removed, %v", tt.from, tt.to, changed, added, removed, err)
		}
	}
	if _, err := p.Compare(t.Context(), st, 7, 2); store.ErrorCode(err) != store.NotFound {
		t.Errorf("from what the cluster does not remember: %v", err)
	}
}

// Who goes on with a change goes on from its step, and takes nobody back.
func TestChangeGoesOnFromItsStep(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Handed over"))
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=check")
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": "11.8"}})
	p.until(t, st.ID, "at its check", func(now store.Store) bool { return now.Generation > st.Generation && now.Job.Step == store.StepCheck })
	p.stop()
	kubetest.Simulate(t, st.Namespace, "job-duration=none", "component=check")
	p.run(t)
	up := p.changed(t, st)
	events, err := p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	begun := 0
	for _, e := range events {
		if e.Kind == store.StepStarted && e.Step == store.StepRelease && e.Data.Generation == up.Generation {
			begun++
		}
	}
	if up.Status != store.Ready || begun != 1 {
		t.Errorf("it is %s, and began its release %d times:\n%s", up.Status, begun, describe(events))
	}
}

// What cannot be started is undone by itself, and the shop sells as before.
func TestUpgradeToAnImageThatIsNotThereGoesBack(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Daring"))
	image := p.databaseImage(t, st)
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"wordpress": "does-not-exist", "mariadb": "does-not-exist"}})
	back := p.changed(t, st)
	if back.Status != store.Ready || !back.Health.Last.OK || !strings.Contains(phrase.Failure(back.Job.Change.Undone).Cause, "does-not-exist") {
		t.Fatalf("it is %s: %+v %+v", back.Status, back.Job.Failure, back.Job.Change)
	}
	if got := p.databaseImage(t, st); got != image {
		t.Errorf("the database is %s, and was %s", got, image)
	}
	if got, want := p.history(t, st), "Back to revision 1 deployed, mariadb does-not-exist, wordpress does-not-exist failed, Opened superseded"; got != want {
		t.Errorf("the history is %q, want %q", got, want)
	}
}

func TestUpgradeThatDoesNotSellGoesBack(t *testing.T) {
	t.Parallel()
	link := kubetest.NewLink(t)
	p, st := openedBefore(t, connecting(to(link.Config())))
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=check")
	held := link.Hold(func(r kubetest.Request) bool { // the making of the check
		return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/"+st.Namespace+"/pods")
	})
	p.upgrade(t, st, store.UpgradeRequest{})
	held.Wait()
	kubetest.Simulate(t, st.Namespace, "start-delay=10m", "component=mariadb") // the way back waits until the check is mended
	held.Release()
	p.until(t, st.ID, "undone", func(now store.Store) bool { return now.Job.Change.Kind == store.Rollback })
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=check")
	kubetest.Simulate(t, st.Namespace, "start-delay=none", "component=mariadb")
	back := p.changed(t, st)
	if back.Status != store.Ready || back.ChartVersion != st.ChartVersion || back.Job.Change.Undone.Step != store.StepCheck {
		t.Fatalf("it is %s on chart %s: %+v %+v", back.Status, back.ChartVersion, back.Job.Failure, back.Job.Change)
	}
}

// A person may want to look at what failed; a retry goes on with it.
func TestFailedUpgradeThatStays(t *testing.T) {
	t.Parallel()
	p, st := openedBefore(t)
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=check")
	p.upgrade(t, st, store.UpgradeRequest{Stay: true})
	failed := p.changed(t, st)
	if failed.Status != store.Failed || failed.ChartVersion != newerChart || failed.Job.Failure.Step != store.StepCheck {
		t.Fatalf("it is %s on chart %s: %+v", failed.Status, failed.ChartVersion, failed.Job.Failure)
	}
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=check")
	p.retry(t, failed)
	if again := p.changed(t, failed); again.Status != store.Ready || again.ChartVersion != newerChart {
		t.Errorf("retried, it is %s on chart %s", again.Status, again.ChartVersion)
	}
}
