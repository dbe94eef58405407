package helm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// unrestricted is a job that the API server warns of, and refused an ingress that it does
// not take.
const (
	unrestricted = `apiVersion: batch/v1
kind: Job
metadata: {name: unrestricted}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: x, image: x, env: [{name: X, value: {{ .Values.secret }}}]}]
`
	refused = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: refused}
spec: {rules: [{host: "not a host"}]}
`
)

func chart(templates map[string]string) fstest.MapFS {
	folder := fstest.MapFS{"Chart.yaml": {Data: []byte("apiVersion: v2\nname: refused\nversion: 1.0.0\n")}}
	for name, text := range templates {
		folder["templates/"+name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

func TestRefusedActionTellsWhatWasSaid(t *testing.T) {
	t.Parallel()
	p := newPlace(t, kubetest.Platform(t))
	request := helm.Request{
		Namespace: p.owner.Namespace, Name: "store", Values: map[string]any{"secret": "hidden-value"},
		Chart: chart(map[string]string{"job": unrestricted, "ingress": refused}),
	}
	_, err := p.Apply(t.Context(), request)
	failed, ok := errors.AsType[*helm.Error](err)
	if !ok || !apierrors.IsInvalid(err) {
		t.Fatalf("applied a refused chart: %v", err)
	}
	said := strings.Join(failed.Log, "\n")
	for _, want := range []string{"creating 2 resource(s)", `Warning: would violate PodSecurity "restricted`} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing of %q in\n%s", want, said)
		}
	}
	if strings.Contains(said, "hidden-value") {
		t.Errorf("a value was said:\n%s", said)
	}
	if lines := helm.LogOf(fmt.Errorf("apply: %w", err)); len(lines) != len(failed.Log) {
		t.Errorf("%d lines of a wrapped error", len(lines))
	}
}

func TestJournalIsShort(t *testing.T) {
	t.Parallel()
	p := newPlace(t, kubetest.Platform(t))
	templates := map[string]string{"ingress": refused}
	for i := range 30 {
		templates[fmt.Sprint("job", i)] = strings.Replace(unrestricted, "name: unrestricted", fmt.Sprintf("name: job-%d-%s", i, strings.Repeat("x", 30)), 1)
	}
	_, err := p.Apply(t.Context(), helm.Request{Namespace: p.owner.Namespace, Name: "store", Values: map[string]any{"secret": "x"}, Chart: chart(templates)})
	lines := helm.LogOf(err)
	if len(lines) != 20 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if n := len([]rune(line)); n > 300 || strings.ContainsAny(line, "\r\n\t") {
			t.Errorf("a line of %d characters: %q", n, line)
		}
	}
}
