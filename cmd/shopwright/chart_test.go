package main_test

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

const (
	platformNamespace = "shopwright"
	registryLogin     = `{"auths":{"registry.example.com":{"auth":"bWU6bWU="}}}`
)

// installation is the platform as its chart installs it on a control plane of its own. Nodes
// are simulated: what its pod would run runs here, with the environment and the account that
// the chart gives it.
type installation struct {
	t       *testing.T
	cluster kubetest.ControlPlane
	admin   kubernetes.Interface
	dataDir string
	account string // kubeconfig
	key     string // of the sessions
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	i := &installation{t: t, cluster: kubetest.Bare(t), dataDir: t.TempDir()}
	i.admin = i.cluster.Admin()
	labels := map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: platformNamespace, Labels: labels}}
	if _, err := i.admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return i
}

func helmProgram(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SHOPWRIGHT_TEST_HELM")
	if program == "" {
		t.Fatal("SHOPWRIGHT_TEST_HELM is not set: this test needs the Helm that `make test` builds")
	}
	return program
}

// helm runs the command line as an administrator, and returns what it said.
func (i *installation) helm(args ...string) string {
	i.t.Helper()
	cmd := exec.CommandContext(i.t.Context(), helmProgram(i.t), append(args, "--namespace", platformNamespace)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + i.t.TempDir(), "KUBECONFIG=" + i.cluster.AdminKubeconfig()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		i.t.Fatalf("helm %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// release installs or upgrades the chart, and returns when its pods are ready. It warns of a
// proxy that is not trusted, as long as none is.
func (i *installation) release(verb string, sets ...string) {
	i.t.Helper()
	args := []string{
		verb, "shopwright", "../../charts/platform", "--values", "../../charts/platform/values-local.yaml",
		"--wait", "--timeout", patience.String(),
	}
	for _, set := range sets {
		args = append(args, "--set", set)
	}
	trusts := slices.ContainsFunc(sets, func(set string) bool { return strings.HasPrefix(set, "trustedProxies=") })
	if said := i.helm(args...); strings.Contains(said, "WARNING: trustedProxies is empty") == trusts {
		i.t.Errorf("with %v the chart says:\n%s", sets, said)
	}
}

// sessionKey is the secret that the chart draws, empty before its first installation.
func (i *installation) sessionKey() string {
	i.t.Helper()
	secret, err := i.admin.CoreV1().Secrets(platformNamespace).Get(i.t.Context(), "shopwright", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ""
	}
	if err != nil {
		i.t.Fatal(err)
	}
	return string(secret.Data["secret-key"])
}

func (i *installation) wantSameKey() {
	i.t.Helper()
	if i.sessionKey() != i.key {
		i.t.Fatal("the session key has changed")
	}
}

// environment is what the Deployment's pod template gives the program.
func (i *installation) environment() (env []string) {
	i.t.Helper()
	deployment, err := i.admin.AppsV1().Deployments(platformNamespace).Get(i.t.Context(), "shopwright", metav1.GetOptions{})
	if err != nil {
		i.t.Fatal(err)
	}
	for _, v := range deployment.Spec.Template.Spec.Containers[0].Env {
		value := v.Value
		if v.ValueFrom != nil {
			ref := v.ValueFrom.SecretKeyRef
			secret, err := i.admin.CoreV1().Secrets(platformNamespace).Get(i.t.Context(), ref.Name, metav1.GetOptions{})
			if err != nil {
				i.t.Fatal(err)
			}
			value = string(secret.Data[ref.Key])
		}
		env = append(env, v.Name+"="+value)
	}
	return env
}

// start runs what the pod of the present release would run. The visitor stays signed in over
// an update: before is the program whose client goes on, or nil.
func (i *installation) start(before *process) *process {
	i.t.Helper()
	if i.account == "" {
		i.account = i.cluster.AccountKubeconfig(platformNamespace, "shopwright")
	}
	p := &process{t: i.t, dataDir: i.dataDir, pages: map[string]string{}}
	p.env = append(i.environment(), // of the same names the last ones count
		"SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_BASE_URL=", "SHOPWRIGHT_DATA_DIR="+i.dataDir, "SHOPWRIGHT_KUBECONFIG="+i.account)
	i.t.Cleanup(p.kill)
	p.startSignedOut()
	if before != nil {
		p.client.Jar = before.client.Jar
		return p
	}
	var said []string
	eventually(i.t, "asked to sign in", func() bool { said = p.said.with("nobody has signed in yet"); return len(said) > 0 })
	key := loginKey(i.t, strings.Join(said, "\n"))
	p.post("/sign-in/link", url.Values{"key": {key}})
	return p
}

// replace brings the program up to the present release, as the Deployment's strategy does.
func (i *installation) replace(p *process) *process {
	i.t.Helper()
	deployment, err := i.admin.AppsV1().Deployments(platformNamespace).Get(i.t.Context(), "shopwright", metav1.GetOptions{})
	if err != nil {
		i.t.Fatal(err)
	}
	if deployment.Spec.Strategy.Type == "Recreate" {
		p.stop()
		return i.start(p)
	}
	return i.roll(p)
}

// roll replaces the program without a gap: whoever asks meanwhile is served, by one or the other.
func (i *installation) roll(p *process) *process {
	i.t.Helper()
	service := newService(i.t)
	service.add(p)
	service.visit(&http.Client{Jar: p.client.Jar})
	service.untilServedBy(p)
	next := i.start(p)
	if status, page := next.get("/readyz"); status != http.StatusOK {
		i.t.Fatalf("the next program is not ready: %d %s", status, page)
	}
	service.add(next)
	service.untilServedBy(next)
	p.stop()
	service.untilLeft(p)
	service.close()
	return next
}

// TestPlatformChart installs the platform, upgrades it and rolls it back while stores are on
// their way, and removes it.
func TestPlatformChart(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	i.keep("registry", corev1.SecretTypeDockerConfigJson, map[string]string{corev1.DockerConfigJsonKey: registryLogin})
	for _, c := range []struct {
		database string
		sets     func(*testing.T) []string
	}{
		{"SQLite", func(*testing.T) []string { return nil }},
		{"Postgres", func(t *testing.T) []string {
			_, database := server(t)
			i.keep("database", corev1.SecretTypeOpaque, map[string]string{"url": database})
			return []string{"database.existingSecret=database", "replicas=2"}
		}},
	} {
		ok := t.Run(c.database, func(t *testing.T) {
			here := &installation{t: t, cluster: i.cluster, admin: i.admin, dataDir: t.TempDir()}
			here.lifeOfARelease(strings.ToLower(c.database), c.sets(t)...)
		})
		if !ok { // what it has left would be in the way of the next
			return
		}
	}
}

// keep puts a secret where the chart is told to find it.
func (i *installation) keep(name string, kind corev1.SecretType, data map[string]string) {
	i.t.Helper()
	_, err := i.admin.CoreV1().Secrets(platformNamespace).Create(i.t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, StringData: data,
	}, metav1.CreateOptions{})
	if err != nil {
		i.t.Fatal(err)
	}
}

// wantPullSecret looks for the copy that the store pulls its images with.
func (i *installation) wantPullSecret(slug string) {
	i.t.Helper()
	copied, err := i.admin.CoreV1().Secrets("store-"+slug).Get(i.t.Context(), "image-pull", metav1.GetOptions{})
	if err != nil || string(copied.Data[corev1.DockerConfigJsonKey]) != registryLogin {
		i.t.Errorf("the pull secret of %s: %v", slug, err)
	}
}

func (i *installation) lifeOfARelease(mark string, sets ...string) {
	t := i.t
	kept := i.sessionKey()
	sets = append(sets, "stores.imagePullSecret=registry")
	i.release("install", sets...)
	if i.key = i.sessionKey(); kept != "" && i.key != kept {
		t.Fatal("another installation has another session key")
	}
	p := i.start(nil)
	p = i.whileStoresComeUp(p, mark+"-up", func() {
		i.release("upgrade", append(sets, "stores.maxConcurrent=4", "trustedProxies={10.244.0.0/16}")...)
	})
	if !strings.Contains(strings.Join(p.env, " "), "SHOPWRIGHT_MAX_CONCURRENT=4") {
		t.Errorf("the upgrade changes nothing: %q", p.env)
	}
	p = i.whileStoresComeUp(p, mark+"-back", func() { i.helm("rollback", "shopwright", "1", "--wait", "--timeout", patience.String()) })
	if !strings.Contains(strings.Join(p.env, " "), "SHOPWRIGHT_MAX_CONCURRENT=24") {
		t.Errorf("the rollback changes nothing: %q", p.env)
	}
	i.helm("test", "shopwright", "--timeout", patience.String())
	i.remove(p, mark+"-up-1")
	i.helm("uninstall", "shopwright", "--wait")
	i.wantSameKey()
	if _, err := i.admin.CoreV1().Namespaces().Get(t.Context(), "store-"+mark+"-up-2", metav1.GetOptions{}); err != nil {
		t.Errorf("a store went with the platform: %v", err)
	}
}

// whileStoresComeUp changes the release while one store stands at its setup and another has
// just been asked for. Both get ready by the next program.
func (i *installation) whileStoresComeUp(p *process, slug string, change func()) *process {
	i.t.Helper()
	i.cluster.Simulate("store-"+slug+"-1", "job-duration=10m")
	slow := p.create("Slow", slug+"-1")
	p.until(slow, "at its setup", at("Setup"))
	change()
	i.wantSameKey()
	young := p.create("Young", slug+"-2")
	p = i.replace(p)
	i.cluster.Simulate("store-"+slug+"-1", "job-duration=none")
	p.untilReady(slow)
	p.untilReady(young)
	i.wantPullSecret(slug + "-2")
	return p
}

func (i *installation) remove(p *process, slug string) {
	i.t.Helper()
	page := p.page(slug)
	p.post(page+"/delete", url.Values{"confirm": {"Slow"}})
	p.untilGone(page)
	_, err := i.admin.CoreV1().Namespaces().Get(i.t.Context(), "store-"+slug, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		i.t.Errorf("store-%s is still there: %v", slug, err)
	}
}
