package provisioner_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// systemNamespace is that of the platform's account.
const systemNamespace = "shopwright-system"

// original is a Secret that stores share.
type original struct {
	t     *testing.T
	admin kubernetes.Interface
	name  string
}

// newOriginal names a Secret of this test's own, which the platform may read.
func newOriginal(t *testing.T, name string) original {
	t.Helper()
	o := original{t, kubetest.Admin(t), name}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{name}, Verbs: []string{"get", "list", "watch"},
	}}}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: systemNamespace, Name: "shopwright"}},
	}
	api := o.admin.RbacV1()
	if _, err := api.Roles(systemNamespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.RoleBindings(systemNamespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, all := context.Background(), metav1.DeleteOptions{}
		_ = o.admin.CoreV1().Secrets(systemNamespace).Delete(ctx, name, all)
		_ = api.RoleBindings(systemNamespace).Delete(ctx, name, all)
		_ = api.Roles(systemNamespace).Delete(ctx, name, all)
	})
	return o
}

// is puts the Secret there, in place of any that is.
func (o original) is(kind corev1.SecretType, data map[string][]byte) {
	o.t.Helper()
	api := o.admin.CoreV1().Secrets(systemNamespace)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: o.name}, Type: kind, Data: data}
	_, err := api.Update(o.t.Context(), secret, metav1.UpdateOptions{})
	if err != nil {
		_ = api.Delete(o.t.Context(), o.name, metav1.DeleteOptions{})
		_, err = api.Create(o.t.Context(), secret, metav1.CreateOptions{})
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func certificate(serial string) map[string][]byte {
	return map[string][]byte{"tls.crt": []byte("certificate " + serial), "tls.key": []byte("key " + serial)}
}

func (p *platform) hasCopy(t *testing.T, st store.Store, name string, kind corev1.SecretType, data map[string][]byte) bool {
	t.Helper()
	secret, err := p.admin.CoreV1().Secrets(st.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	return err == nil && secret.Type == kind && maps.EqualFunc(secret.Data, data, slices.Equal)
}

// A store has the certificate before anything serves with it, and gets each one that
// follows, in whatever state the store is.
func TestSharedSecretsReachStoresAndFollowTheirOriginals(t *testing.T) {
	t.Parallel()
	certificates, pull := newOriginal(t, "wildcard-"+strings.ToLower(t.Name())), newOriginal(t, "pull-"+strings.ToLower(t.Name()))
	certificates.is(corev1.SecretTypeTLS, certificate("1"))
	login := map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{}}`)}
	pull.is(corev1.SecretTypeDockerConfigJson, login)
	p := start(t, func(c *provisioner.Config) {
		c.Site.TLS = engine.TLS{Mode: engine.TLSSecret}
		c.Shared = provisioner.Shared{Namespace: systemNamespace, Certificate: certificates.name, PullSecret: pull.name}
	})
	ready := p.wantReady(t, p.request(t, "Served"))
	if ready.URL != "https://"+ready.Host {
		t.Errorf("served at %s", ready.URL)
	}
	if !p.hasCopy(t, ready, "wildcard-tls", corev1.SecretTypeTLS, certificate("1")) || !p.hasCopy(t, ready, "image-pull", corev1.SecretTypeDockerConfigJson, login) {
		t.Fatal("the store has no copies")
	}
	ingress, err := p.admin.NetworkingV1().Ingresses(ready.Namespace).Get(t.Context(), "shop", metav1.GetOptions{})
	if err != nil || ingress.Spec.TLS[0].SecretName != "wildcard-tls" {
		t.Errorf("served with %+v, %v", ingress.Spec.TLS, err)
	}
	young := store.Namespace(store.ProposeSlug("Young " + p.mark))
	kubetest.Simulate(t, young, "start-delay=10m")
	asked := p.request(t, "Young")
	p.until(t, asked.ID, "at its workloads", func(st store.Store) bool { return st.Job.Step == store.StepWorkloads })

	certificates.is(corev1.SecretTypeTLS, certificate("2"))
	for _, st := range []store.Store{ready, asked} {
		kubetest.Within(t, "the new certificate is at "+st.Name, func() bool {
			return p.hasCopy(t, st, "wildcard-tls", corev1.SecretTypeTLS, certificate("2"))
		})
	}
	certificates.is(corev1.SecretTypeOpaque, certificate("3"))
	kubetest.Within(t, "a copy of another type", func() bool {
		return p.hasCopy(t, ready, "wildcard-tls", corev1.SecretTypeOpaque, certificate("3"))
	})
}

// The login at the mail server is a file in the pods that send mail, and stands nowhere else.
func TestMailServerReachesStores(t *testing.T) {
	t.Parallel()
	mail := newOriginal(t, "mail-"+strings.ToLower(t.Name()))
	login := map[string][]byte{"host": []byte("mail.example.com"), "from": []byte("shops@example.com"), "password": []byte("unheard-of")}
	mail.is(corev1.SecretTypeOpaque, login)
	p := start(t, func(c *provisioner.Config) {
		c.Shared = provisioner.Shared{Namespace: systemNamespace, Mail: mail.name}
		c.Site.SMTP = engine.SMTP{Port: 2525, CIDR: "10.0.3.0/24"}
	})
	st := p.wantReady(t, p.request(t, "Mailing"))
	if !p.hasCopy(t, st, "smtp", corev1.SecretTypeOpaque, login) {
		t.Error("the store has no copy")
	}
	if off := p.Off(st); len(off) > 0 {
		t.Errorf("the store is said to lack %q", off)
	}
	deployment, err := p.admin.AppsV1().Deployments(st.Namespace).Get(t.Context(), "wordpress", metav1.GetOptions{})
	if err != nil || !slices.ContainsFunc(deployment.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool {
		return v.Secret != nil && v.Secret.SecretName == "smtp"
	}) {
		t.Errorf("the shop has the volumes %+v, %v", deployment.Spec.Template.Spec.Volumes, err)
	}
	login["password"] = []byte("another")
	mail.is(corev1.SecretTypeOpaque, login)
	kubetest.Within(t, "the new login is there", func() bool { return p.hasCopy(t, st, "smtp", corev1.SecretTypeOpaque, login) })
}

// What changes while nobody watches is made up for at the next start.
func TestSharedSecretsAreBroughtUpToDateAtTheStart(t *testing.T) {
	t.Parallel()
	o := newOriginal(t, "wildcard-"+strings.ToLower(t.Name()))
	o.is(corev1.SecretTypeTLS, certificate("1"))
	sharing := func(c *provisioner.Config) {
		c.Site.TLS = engine.TLS{Mode: engine.TLSSecret}
		c.Shared = provisioner.Shared{Namespace: systemNamespace, Certificate: o.name}
	}
	p := start(t, sharing)
	st := p.wantReady(t, p.request(t, "Asleep"))
	p.stop()
	o.is(corev1.SecretTypeTLS, certificate("2"))
	p.run(t, sharing)
	kubetest.Within(t, "the new certificate is there", func() bool {
		return p.hasCopy(t, st, "wildcard-tls", corev1.SecretTypeTLS, certificate("2"))
	})
}

func TestSharedSecretThatIsMissing(t *testing.T) {
	t.Parallel()
	o := newOriginal(t, "wildcard-"+strings.ToLower(t.Name()))
	p := start(t, func(c *provisioner.Config) {
		c.Site.TLS = engine.TLS{Mode: engine.TLSSecret}
		c.Shared = provisioner.Shared{Namespace: systemNamespace, Certificate: o.name}
	})
	st := p.untilStatus(t, p.request(t, "Unserved").ID, store.Failed)
	if f := st.Job.Failure; st.Job.Step != store.StepRelease || phrase.Failure(f).Title != "A shared secret is missing" || !strings.Contains(phrase.Failure(f).Cause, systemNamespace+"/"+o.name) {
		t.Fatalf("failed at %s: %+v", st.Job.Step, f)
	}
	o.is(corev1.SecretTypeTLS, certificate("1"))
	if _, err := p.db.Retry(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	p.wantReady(t, st)
}
