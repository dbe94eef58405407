package provisioner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// mariadb is the container of which the tests read the log.
func mariadb(o kube.LogOptions) provisioner.LogQuery {
	return provisioner.LogQuery{Pod: "mariadb-0", Container: "mariadb", LogOptions: o}
}

func (p *platform) readyStore(t *testing.T, name string) store.Store {
	t.Helper()
	return p.wantReady(t, p.request(t, name))
}

func TestLogWithoutSecrets(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.readyStore(t, "Logged")
	log, _ := kubetest.NewPodLog(t, st.Namespace, "mariadb-0", "mariadb")
	login, err := p.Credentials(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	reading, err := p.OpenLog(ctx, st, mariadb(kube.LogOptions{Follow: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reading.Close() }()
	log.Write("\x1b[33mlogin\x1b[0m " + login.Username + ":" + login.Password)
	for _, want := range []string{"begins", "login admin:•••"} {
		if line, err := reading.Next(); err != nil || line.Text != want {
			t.Errorf("the log says %q, %v; want %q", line.Text, err, want)
		}
	}
	end()
	if line, err := reading.Next(); err == nil {
		t.Errorf("it goes on with %q", line.Text)
	}
}

func TestLogsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.readyStore(t, "Unlogged")
	for want, q := range map[error]provisioner.LogQuery{
		provisioner.ErrNoContainer: {Pod: "mariadb-0", Container: "none"},
		provisioner.ErrNotStarted:  mariadb(kube.LogOptions{Previous: true}),
	} {
		p.wantNoLog(t, st, q, want)
	}
	p.wantNoLog(t, st, provisioner.LogQuery{Pod: "../../secrets", Container: "mariadb"}, provisioner.ErrNoContainer)

	kubetest.Simulate(t, st.Namespace, "fail=crash-loop", "component=mariadb")
	kubetest.Within(t, "the container crashes", func() bool {
		s, _ := p.Snapshot(st)
		c, _ := provisioner.FindContainer(s.Pods, "mariadb-0", "mariadb")
		return c.HasLog(true)
	})
	p.wantNoLog(t, st, mariadb(kube.LogOptions{Previous: true}), provisioner.ErrNoLog)

	if err := p.admin.CoreV1().Secrets(st.Namespace).Delete(t.Context(), "store-credentials", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.wantNoLog(t, st, mariadb(kube.LogOptions{}), provisioner.ErrNoSecrets)

	other := st
	other.ID = "another-store"
	p.wantNoLog(t, other, mariadb(kube.LogOptions{}), provisioner.ErrNoContainer)
}

func (p *platform) wantNoLog(t *testing.T, st store.Store, q provisioner.LogQuery, want error) {
	t.Helper()
	log, err := p.OpenLog(t.Context(), st, q)
	if err == nil {
		_ = log.Close()
	}
	if !errors.Is(err, want) {
		t.Errorf("%+v: %v, want %v", q, err, want)
	}
}

// Stores that were made when the account had fewer rights get those for logs as well.
func TestLogAfterTheRightsWereLost(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.readyStore(t, "Rightless")
	bindings := p.admin.RbacV1().RoleBindings(st.Namespace)
	list, err := bindings.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list.Items {
		if strings.HasPrefix(b.RoleRef.Name, "shopwright") {
			if err := bindings.Delete(t.Context(), b.Name, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	log, err := p.OpenLog(t.Context(), st, mariadb(kube.LogOptions{}))
	if err != nil {
		t.Fatal(fmt.Errorf("the rights do not come back: %w", err))
	}
	if line, err := log.Next(); err != nil || line.Text != "This container is simulated: it has no log." {
		t.Errorf("the log says %q, %v", line.Text, err)
	}
	_ = log.Close()
}
