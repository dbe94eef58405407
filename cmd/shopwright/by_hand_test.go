package main_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// Stands in for kubectl: the namespace is there, and of a Secret it keeps what it is made of.
const keeper = `#!/bin/sh
case "$*" in *"create secret"*) cat >"$KEPT" ;; esac
`

// TestChartsByHand installs a shop of every engine without Shopwright, with the words of the
// README of its chart.
func TestChartsByHand(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			namespace := "by-hand-" + e.Name() + "-" + uuid.NewString()[24:]
			kept := asTheREADMESays(t, e, namespace)
			wantKeys(t, e, kept)
			wantTested(t, namespace)
		})
	}
}

func asTheREADMESays(t *testing.T, e engine.Engine, namespace string) (kept string) {
	t.Helper()
	admin := kubetest.Admin(t)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	if _, err := admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../charts/" + e.Name() + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```sh\n")
	script, _, found := strings.Cut(block, "```")
	if !found || !strings.Contains(script, "helm install") {
		t.Fatal("the README says no way to install the chart")
	}
	script = strings.ReplaceAll(script, "--namespace shop", "--namespace "+namespace)
	if !strings.Contains(script, "helm test") {
		script += "helm test store --namespace " + namespace + "\n"
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(keeper), 0o700); err != nil {
		t.Fatal(err)
	}
	helm, err := filepath.Abs(helmProgram(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(helm, filepath.Join(dir, "helm")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-c", script)
	cmd.Dir = "../.."
	cmd.Env = []string{
		"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "KEPT=" + filepath.Join(dir, "kept"),
		"KUBECONFIG=" + kubetest.AdminKubeconfig(t),
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Phase:          Succeeded") {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "kept"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantKeys checks that who follows the README makes the Secret that Shopwright would.
func wantKeys(t *testing.T, e engine.Engine, kept string) {
	t.Helper()
	want, err := e.Credentials("shop.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, line := range regexp.MustCompile(`(?m)^([a-z-]+)=(\S+)$`).FindAllStringSubmatch(kept, -1) {
		keys = append(keys, line[1])
	}
	slices.Sort(keys)
	if wanted := slices.Sorted(maps.Keys(want)); !slices.Equal(keys, wanted) {
		t.Errorf("the README makes %q, the chart wants %q", keys, wanted)
	}
}

// wantTested checks that the shop's own check was what ran.
func wantTested(t *testing.T, namespace string) {
	t.Helper()
	pod, err := kubetest.Admin(t).CoreV1().Pods(namespace).Get(t.Context(), "check-order", metav1.GetOptions{})
	if err != nil || pod.Status.Phase != corev1.PodSucceeded {
		t.Errorf("the check is %s, %v", pod.Status.Phase, err)
	}
}
