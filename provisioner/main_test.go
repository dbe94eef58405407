package provisioner_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/store/storetest"
)

// patience bounds how long a test waits for what takes seconds on a machine that has
// nothing else to do.
const patience = 15 * time.Minute

// platform is a provisioner at work on the control plane, as the platform's own account.
type platform struct {
	*provisioner.Provisioner
	db    *database.DB
	file  string // of the database
	admin kubernetes.Interface
	actor store.Actor
	team  string
	mark  string // in the names of this test's stores
	stop  func() // until run is called again
}

// start runs a provisioner, as changed by the test.
func start(t *testing.T, changes ...func(*provisioner.Config)) *platform {
	t.Helper()
	return startWith(t, func(url string) *database.DB { return storetest.Open(t, url) }, changes...)
}

// startWith runs a provisioner on a database that is opened in the test's own way.
func startWith(t *testing.T, open func(url string) *database.DB, changes ...func(*provisioner.Config)) *platform {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shopwright.db")
	db := open("sqlite:" + file)
	p := &platform{db: db, file: file, admin: kubetest.Admin(t), mark: strings.ToLower(uuid.NewString()[24:])}
	p.actor, p.team = storetest.Actor(t, db, "mara")
	t.Cleanup(func() { wantFacts(t, file) })
	p.run(t, changes...)
	return p
}

func (p *platform) run(t *testing.T, changes ...func(*provisioner.Config)) {
	t.Helper()
	config := provisioner.Config{
		DB: p.db, Cluster: storetest.Cluster(t, p.db), Connect: to(kubetest.Platform(t)), Engines: engine.Offered(), Timeout: patience,
		Site:   engine.Spec{Environment: "local", TLS: engine.TLS{Mode: engine.TLSNone}},
		Holder: uuid.NewString(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Concurrency: store.Concurrency{Global: 8},
	}
	for _, change := range changes {
		change(&config)
	}
	p.Provisioner = provisioner.New(config)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	p.stop = func() { stop(); running.Wait() }
	t.Cleanup(p.stop)
}

// to connects with a cluster at once.
func to(config *rest.Config) provisioner.Connector {
	return func(context.Context, func(provisioner.Progress)) (*rest.Config, error) { return config, nil }
}

// connecting lets a provisioner connect in a way of the test's own.
func connecting(connect provisioner.Connector) func(*provisioner.Config) {
	return func(c *provisioner.Config) { c.Connect = connect }
}

// request asks for a store whose address no other test has.
func (p *platform) request(t *testing.T, name string) store.Store {
	t.Helper()
	return p.requestOf(t, "woocommerce", name)
}

func (p *platform) requestOf(t *testing.T, engine, name string) store.Store {
	t.Helper()
	st, err := p.db.CreateStore(t.Context(), p.actor, store.NewStore{
		TeamID: p.team, Cluster: p.Placement(), Name: name, Slug: store.ProposeSlug(name + " " + p.mark),
		Engine: engine,
	})
	if err != nil {
		t.Fatalf("ask for %q: %v", name, err)
	}
	t.Cleanup(func() { p.sweep(st) })
	return st
}

// sweep removes what a failed test left.
func (p *platform) sweep(st store.Store) {
	_ = p.admin.CoreV1().Namespaces().Delete(context.Background(), st.Namespace, metav1.DeleteOptions{})
}

// until waits for the store to be as the condition says, and returns it.
func (p *platform) until(t *testing.T, id, what string, holds func(store.Store) bool) store.Store {
	t.Helper()
	sub := p.db.Subscribe()
	defer sub.Close()
	timeout := time.After(patience)
	for {
		st, err := p.db.UnguardedStore(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if holds(st) {
			return st
		}
		select {
		case <-sub.Events:
		case <-timeout:
			t.Fatalf("not %s within %s: %s at %q, %s, %+v", what, patience, st.Status, st.Job.Step, phrase.Note(st.Job.Note), st.Job.Failure)
		}
	}
}

func (p *platform) untilStatus(t *testing.T, id string, status store.Status) store.Store {
	t.Helper()
	return p.until(t, id, string(status), func(st store.Store) bool { return st.Status == status || st.Status == store.Failed })
}

// wantReady waits until the store is ready, which it must get without any failure.
func (p *platform) wantReady(t *testing.T, st store.Store) store.Store {
	t.Helper()
	st = p.untilStatus(t, st.ID, store.Ready)
	if st.Status != store.Ready {
		t.Fatalf("%s is %s: %+v", st.Name, st.Status, st.Job.Failure)
	}
	p.wantOneRelease(t, st)
	return st
}

func (p *platform) wantGone(t *testing.T, st store.Store) {
	t.Helper()
	_, err := p.admin.CoreV1().Namespaces().Get(t.Context(), st.Namespace, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the namespace %s is there after the store is gone: %v", st.Namespace, err)
	}
	volumes, err := p.admin.CoreV1().PersistentVolumes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Items {
		if v.Spec.ClaimRef != nil && v.Spec.ClaimRef.Namespace == st.Namespace && v.DeletionTimestamp == nil {
			t.Errorf("the volume %s of %s is %s after the store is gone", v.Name, st.Slug, v.Status.Phase)
		}
	}
}

// wantOneRelease checks that Helm has one deployed revision and nothing pending.
func (p *platform) wantOneRelease(t *testing.T, st store.Store) {
	t.Helper()
	secrets, err := p.admin.CoreV1().Secrets(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	deployed := 0
	for _, s := range secrets.Items {
		switch s.Labels["status"] {
		case "deployed":
			deployed++
		case "superseded", "failed":
		default:
			t.Errorf("release %s of %s is %s", s.Name, st.Slug, s.Labels["status"])
		}
	}
	if deployed != 1 {
		t.Errorf("%s has %d deployed releases", st.Slug, deployed)
	}
}

func describe(events []store.Event) string {
	var lines []string
	for _, e := range events {
		lines = append(lines, fmt.Sprintf("%s %s/%s %s", e.At.Format("05.000"), e.Kind, e.Step, phrase.Event(e).Message))
	}
	return strings.Join(lines, "\n")
}
