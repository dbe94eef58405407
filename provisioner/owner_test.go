package provisioner_test

import (
	"bytes"
	"io/fs"
	"testing"
	"testing/fstest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// older is WooCommerce with a chart that knows no owner, and refuses to be told of one.
type older struct{ engine.WooCommerce }

// Chart implements engine.Engine.
func (older) Chart() fs.FS {
	chart := fstest.MapFS{}
	_ = fs.WalkDir(engine.WooCommerce{}.Chart(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(engine.WooCommerce{}.Chart(), path)
		if path == "values.yaml" || path == "values.schema.json" {
			data = bytes.ReplaceAll(data, []byte(`  email: ""`), nil)
			data = bytes.ReplaceAll(data, []byte(`"email": {"type"`), []byte(`"unused": {"type"`))
		}
		chart[path] = &fstest.MapFile{Data: data}
		return err
	})
	return chart
}

// Values implements engine.Engine.
func (o older) Values(s engine.Spec) (map[string]any, error) { return engine.ReleaseValues(o, s) }

// wantOwner checks whom the release in place and the database names.
func (p *platform) wantOwner(t *testing.T, st store.Store, revision int, inShop, recorded string) {
	t.Helper()
	if st.Status != store.Ready || st.Revision != revision || st.OwnerEmail != recorded {
		t.Fatalf("it is %s at revision %d, of %s: %+v %+v", st.Status, st.Revision, st.OwnerEmail, st.Job.Failure, st.Job.Change)
	}
	jobs, err := p.admin.BatchV1().Jobs(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.LabelComponent + "=setup"})
	if err != nil || len(jobs.Items) != 1 {
		t.Fatalf("%d setups, %v", len(jobs.Items), err)
	}
	told := ""
	for _, env := range jobs.Items[0].Spec.Template.Spec.Containers[0].Env {
		if env.Name == "SHOP_EMAIL" {
			told = env.Value
		}
	}
	if told != inShop {
		t.Fatalf("at revision %d the shop is told of the owner %q, want %q", revision, told, inShop)
	}
}

func (p *platform) changeOwner(t *testing.T, st store.Store, email string) {
	t.Helper()
	if _, err := p.db.ChangeOwner(t.Context(), p.actor, st.ID, store.OwnerRequest{Email: email, InShop: p.OwnerUse(st).InShop}); err != nil {
		t.Fatal(err)
	}
}

// Another owner's address is told to the shop, stays through rollbacks to what was before it, and
// is taken back when the shop does not sell with it. It is nothing to upgrade to.
func TestOwnerIsChangedAndStays(t *testing.T) {
	t.Parallel()
	p := start(t, offering(older{}))
	st := p.wantReady(t, p.request(t, "Sold on"))
	first := st.OwnerEmail
	p.wantOwner(t, st, 1, "", first)
	p.stop()
	p.run(t)
	kubetest.Within(t, "the cluster is connected", func() bool { return p.Cluster().Link == provisioner.Connected })
	p.upgrade(t, st, store.UpgradeRequest{})
	st = p.changed(t, st)
	p.wantOwner(t, st, 2, first, first)

	p.changeOwner(t, st, "noor@example.org")
	st = p.changed(t, st)
	p.wantOwner(t, st, 3, "noor@example.org", "noor@example.org")
	offer, err := p.Offer(st)
	if revisions, unread := p.db.Revisions(t.Context(), p.actor, st.ID); err != nil || unread != nil || revisions[0].Offer != offer.Digest {
		t.Errorf("an upgrade is offered: %s, %+v, %v, %v", offer.Digest, revisions, err, unread)
	}

	for revision, c := range []struct {
		to     int
		inShop string
	}{{1, ""}, {2, "noor@example.org"}} {
		if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, c.to); err != nil {
			t.Fatal(err)
		}
		st = p.changed(t, st)
		p.wantOwner(t, st, 4+revision, c.inShop, "noor@example.org")
	}

	kubetest.Simulate(t, st.Namespace, "fail=image-pull", "component=setup")
	p.changeOwner(t, st, "ona@example.net")
	p.until(t, st.ID, "undone", func(now store.Store) bool {
		return now.Job.Change.Kind == store.Rollback && now.Generation > st.Generation
	})
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=setup")
	if st = p.changed(t, st); st.Job.Change.Undone.Code == "" {
		t.Errorf("the change is %+v", st.Job.Change)
	}
	p.wantOwner(t, st, 7, "noor@example.org", "noor@example.org")
}

// Medusa's owner keeps the name to sign in with, and the release is left alone.
func TestOwnerOfMedusaIsNoted(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.requestOf(t, "medusa", "Signed in"))
	first := st.OwnerEmail
	p.changeOwner(t, st, "noor@example.org")
	now, err := p.db.UnguardedStore(t.Context(), st.ID)
	if err != nil || now.OwnerEmail != "noor@example.org" || now.Generation != st.Generation || now.Status != store.Ready {
		t.Errorf("it is %s of %s, generation %d after %d, %v", now.Status, now.OwnerEmail, now.Generation, st.Generation, err)
	}
	if login, err := p.Credentials(t.Context(), now); err != nil || first == "" || login.Username != first {
		t.Errorf("the owner %s signs in as %s, %v", first, login.Username, err)
	}
}
