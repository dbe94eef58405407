package kube_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

const patience = 15 * time.Minute

// logged is a pod on the control plane whose log the test writes.
type logged struct {
	*kube.Client
	t             *testing.T
	namespace     string
	now, previous *kubetest.PodLog
}

func newLogged(t *testing.T) logged {
	t.Helper()
	client, err := kube.NewClient(kubetest.Impersonating(t, rest.ImpersonationConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	l := logged{Client: client, t: t, namespace: "store-logged-" + uuid.NewString()[24:]}
	api := kubetest.Admin(t).CoreV1()
	t.Cleanup(func() { _ = api.Namespaces().Delete(context.Background(), l.namespace, metav1.DeleteOptions{}) })
	if _, err := api.Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: l.namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec:       corev1.PodSpec{NodeName: "sim-1", Containers: []corev1.Container{{Name: "web", Image: "shop/web:1"}}},
	}
	kubetest.Within(t, "the pod is made", func() bool { // the namespace's service account comes a moment after it
		_, err := api.Pods(l.namespace).Create(t.Context(), pod, metav1.CreateOptions{})
		return err == nil || apierrors.IsAlreadyExists(err)
	})
	l.now, l.previous = kubetest.NewPodLog(t, l.namespace, "web", "web")
	return l
}

func (l logged) open(o kube.LogOptions) *kube.Log {
	l.t.Helper()
	log, err := l.Log(l.t.Context(), l.namespace, "web", "web", o)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = log.Close() })
	return log
}

// all reads to the end.
func (l logged) all(o kube.LogOptions) string {
	l.t.Helper()
	log := l.open(o)
	var lines []string
	for {
		line, err := log.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(lines, "|")
		}
		if err != nil {
			l.t.Fatal(err)
		}
		if time.Since(line.At) > patience {
			l.t.Errorf("%q is of %s", line.Text, line.At)
		}
		lines = append(lines, string(line.Text))
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	l := newLogged(t)
	l.now.Write("one", "", " two  \ttwo")
	for want, o := range map[string]kube.LogOptions{
		"begins|one|| two  \ttwo": {},
		"| two  \ttwo":            {Tail: 2},
		"began before":            {Previous: true},
		"":                        {Since: time.Now().Add(time.Hour)},
	} {
		if got := l.all(o); got != want {
			t.Errorf("%+v says %q, want %q", o, got, want)
		}
	}
}

func TestLogThatIsFollowed(t *testing.T) {
	t.Parallel()
	l := newLogged(t)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	log, err := l.Log(ctx, l.namespace, "web", "web", kube.LogOptions{Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	for _, want := range []string{"begins", "later", "still later"} {
		line, err := log.Next()
		if err != nil || string(line.Text) != want {
			t.Fatalf("the log says %q, %v; want %q", line.Text, err, want)
		}
		if log.Buffered() {
			t.Error("a line is there that nobody has written")
		}
		switch want {
		case "begins":
			l.now.Write("later")
		case "later":
			l.now.Write("still later")
		}
	}
	ended := make(chan error)
	go func() { _, err := log.Next(); ended <- err }()
	end()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a line came after the end")
		}
	case <-time.After(patience):
		t.Fatal("the log does not end with its context")
	}
}

func TestLongLinesAreCut(t *testing.T) {
	t.Parallel()
	l := newLogged(t)
	const longest, huge = kube.LongestLine, 8 << 20
	l.now.Write(strings.Repeat("a", longest), strings.Repeat("b", longest+1), strings.Repeat("c", huge), "short")
	log := l.open(kube.LogOptions{})
	for _, want := range []struct {
		text string
		cut  int
	}{{"begins", 0}, {strings.Repeat("a", longest), 0}, {strings.Repeat("b", longest), 1}, {strings.Repeat("c", longest), huge - longest}, {"short", 0}} {
		line, err := log.Next()
		if err != nil || string(line.Text) != want.text || line.Cut != want.cut {
			t.Errorf("%d bytes %.10q, %d cut, %v; want %d bytes %.10q, %d cut", len(line.Text), line.Text, line.Cut, err, len(want.text), want.text, want.cut)
		}
	}
}

func TestLogThatIsNotThere(t *testing.T) {
	t.Parallel()
	l := newLogged(t)
	_, err := l.Log(t.Context(), l.namespace, "none", "web", kube.LogOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("a pod that is not there: %v", err)
	}
	_, err = l.Log(t.Context(), l.namespace, "web", "none", kube.LogOptions{})
	if !apierrors.IsBadRequest(err) {
		t.Errorf("a container that is not there: %v", err)
	}
}
