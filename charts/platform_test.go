package charts_test

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
)

type values = map[string]any

func platformChart() fs.FS { return os.DirFS("platform") }

func platformRelease(v values) helm.Request {
	return helm.Request{Namespace: "shopwright-system", Name: "shopwright", Chart: platformChart(), Values: v}
}

// platform renders the platform's chart.
func platform(t *testing.T, v values) []runtime.Object {
	t.Helper()
	return enginetest.Objects(t, platformRelease(v))
}

// valuesFile reads one of the chart's own, or of a recipe.
func valuesFile(t *testing.T, path string) (v values) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// only finds the one object of a type.
func only[T runtime.Object](t *testing.T, objects []runtime.Object) (found T) {
	t.Helper()
	n := 0
	enginetest.Each(objects, func(o T) { found = o; n++ })
	if n != 1 {
		t.Fatalf("%d of %T", n, found)
	}
	return found
}

// The platform's account is bound to its role, and the roles name what they allow.
func TestPlatformAccountHasItsRole(t *testing.T) {
	t.Parallel()
	objects := platform(t, nil)
	account, binding := only[*corev1.ServiceAccount](t, objects), only[*rbacv1.ClusterRoleBinding](t, objects)
	want := rbacv1.Subject{Kind: "ServiceAccount", Name: account.Name, Namespace: "shopwright-system"}
	if binding.RoleRef.Name != platformRole || !slices.Equal(binding.Subjects, []rbacv1.Subject{want}) {
		t.Errorf("%s is bound to %v", binding.RoleRef.Name, binding.Subjects)
	}
	enginetest.Each(objects, func(role *rbacv1.ClusterRole) {
		for _, rule := range role.Rules {
			if slices.Contains(rule.APIGroups, "*") || slices.Contains(rule.Resources, "*") || slices.Contains(rule.Verbs, "*") {
				t.Errorf("%s allows anything: %v", role.Name, rule)
			}
			if role.Name == platformRole && slices.Contains(rule.Resources, "secrets") {
				t.Errorf("secrets of the whole cluster: %v", rule)
			}
		}
	})
}

// In its own namespace the account reads the secrets that stores get copies of, by name.
func TestPlatformReadsOnlyTheSecretsItShares(t *testing.T) {
	t.Parallel()
	enginetest.Each(platform(t, nil), func(role *rbacv1.Role) { t.Errorf("a role without need: %v", role.Rules) })
	objects := platform(t, shared)
	role, binding := only[*rbacv1.Role](t, objects), only[*rbacv1.RoleBinding](t, objects)
	if binding.RoleRef.Kind != "Role" || binding.RoleRef.Name != role.Name {
		t.Errorf("bound to %v", binding.RoleRef)
	}
	for _, rule := range role.Rules {
		if !slices.Equal(rule.Resources, []string{"secrets"}) || !slices.Equal(rule.ResourceNames, []string{"pull", "mail", "wildcard"}) {
			t.Errorf("the role allows %v", rule)
		}
		if slices.ContainsFunc(rule.Verbs, func(verb string) bool { return !slices.Contains([]string{"get", "list", "watch"}, verb) }) {
			t.Errorf("the role allows to change: %v", rule.Verbs)
		}
	}
}

func TestPlatformSelectorsMatchItsPods(t *testing.T) {
	t.Parallel()
	objects := platform(t, nil)
	pods := labels.Set(only[*appsv1.Deployment](t, objects).Spec.Template.Labels)
	budget := only[*policyv1.PodDisruptionBudget](t, objects)
	policy := only[*networkingv1.NetworkPolicy](t, objects)
	for what, selector := range map[string]map[string]string{
		"the deployment": only[*appsv1.Deployment](t, objects).Spec.Selector.MatchLabels,
		"the service":    only[*corev1.Service](t, objects).Spec.Selector,
		"the budget":     budget.Spec.Selector.MatchLabels,
		"the policy":     policy.Spec.PodSelector.MatchLabels,
	} {
		if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(pods) {
			t.Errorf("%s selects %v, the pods have %v", what, selector, pods)
		}
		for key := range selector {
			if strings.HasSuffix(key, "/version") {
				t.Errorf("%s selects by %s", what, key)
			}
		}
	}
	tester := only[*networkingv1.NetworkPolicy](t, objects).Spec.Ingress[0].From[1].PodSelector
	rendered, err := helm.Render(platformRelease(nil), enginetest.KubeVersion)
	if err != nil || strings.Contains(rendered, "shopwright-test") {
		t.Errorf("the test is part of the release: %v", err)
	}
	if tester.MatchLabels["app.kubernetes.io/component"] != "test" {
		t.Errorf("the chart's test may not reach the pages: %v", tester)
	}
}

// Where the database serves several, an update leaves no gap.
func TestPlatformIsUpdatedAsItsDatabaseAllows(t *testing.T) {
	t.Parallel()
	lite := platform(t, nil)
	if d := only[*appsv1.Deployment](t, lite); d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		t.Errorf("two pods on SQLite: %+v", d.Spec.Strategy)
	}
	if claim := only[*corev1.PersistentVolumeClaim](t, lite); claim.Annotations["helm.sh/resource-policy"] != "keep" {
		t.Error("the database goes with the release")
	}
	shared := platform(t, values{"replicas": 2, "database": values{"existingSecret": "postgres"}})
	enginetest.Each(shared, func(c *corev1.PersistentVolumeClaim) { t.Errorf("a volume %s beside Postgres", c.Name) })
	d := only[*appsv1.Deployment](t, shared)
	if rolling := d.Spec.Strategy.RollingUpdate; rolling == nil || rolling.MaxUnavailable.IntValue() != 0 || rolling.MaxSurge.IntValue() != 1 {
		t.Errorf("an update with a gap: %+v", d.Spec.Strategy)
	}
	c := d.Spec.Template.Spec.Containers[0]
	delay, err := time.ParseDuration(variable(c, "SHOPWRIGHT_END_DELAY").Value)
	if err != nil || delay < 5*time.Second || int64(delay.Seconds()) > *d.Spec.Template.Spec.TerminationGracePeriodSeconds-30 {
		t.Errorf("pods go before nobody asks them, or without the time to end: %s, %v", delay, err)
	}
	if c.ReadinessProbe.HTTPGet.Path != "/readyz" || c.LivenessProbe.HTTPGet.Path != "/healthz" {
		t.Errorf("pods come before they can answer: %+v", c)
	}
	if url := variable(c, "SHOPWRIGHT_DATABASE_URL"); url.ValueFrom == nil || url.ValueFrom.SecretKeyRef.Name != "postgres" {
		t.Errorf("the database is %+v", url)
	}
}

func variable(c corev1.Container, name string) corev1.EnvVar {
	for _, v := range c.Env {
		if v.Name == name {
			return v
		}
	}
	return corev1.EnvVar{}
}

// What stores are made with reaches the program.
func TestPlatformSettingsReachTheProgram(t *testing.T) {
	t.Parallel()
	objects := platform(t, values{
		"environment": "production", "tls": values{"mode": "secret", "secretName": "pages"}, "ingress": values{"host": "pages.example.com"},
		"smtp": values{"host": "mail.example.com", "port": 465, "from": "shops@example.com", "existingSecret": "mail"},
		"stores": values{
			"baseDomain": "shops.example.com", "urlPort": 8443, "ingressClass": "traefik", "storageClass": "fast",
			"tls":           values{"mode": "secret", "secretName": "wildcard"},
			"imageRegistry": "registry.example.com", "imagePullSecret": "pull",
			"smtp":   values{"existingSecret": "mail", "port": 465, "cidr": "10.0.3.0/24"},
			"values": values{"woocommerce": values{"shop": values{"country": "FR"}}},
			"max":    7, "maxPerUser": 3, "createRate": "2/h", "defaultPlan": "free", "maxConcurrent": 2, "maxRemovals": 3, "maxChecks": 5, "maxBackups": 6, "provisionTimeout": "20m", "checkInterval": "0",
		},
		"keep":        values{"events": "48h", "deleted": "0", "ended": "1h"},
		"requestRate": "99/s", "signInRate": "0", "trustedProxies": []any{"10.0.0.0/8", "fd00::/8"},
	})
	c := only[*appsv1.Deployment](t, objects).Spec.Template.Spec.Containers[0]
	for name, want := range map[string]string{
		"ENVIRONMENT": "production", "BASE_URL": "https://pages.example.com:8443", "BASE_DOMAIN": "shops.example.com",
		"STORE_URL_PORT": "8443", "INGRESS_CLASS": "traefik", "STORAGE_CLASS": "fast", "TLS_MODE": "secret", "TLS_SECRET": "wildcard",
		"IMAGE_REGISTRY": "registry.example.com", "IMAGE_PULL_SECRET": "pull",
		"STORE_SMTP_SECRET": "mail", "STORE_SMTP_PORT": "465", "STORE_SMTP_CIDR": "10.0.3.0/24",
		"STORE_VALUES": `{"woocommerce":{"shop":{"country":"FR"}}}`,
		"MAX_STORES":   "7", "MAX_STORES_PER_USER": "3", "MAX_CONCURRENT": "2", "MAX_REMOVALS": "3", "MAX_CHECKS": "5", "MAX_BACKUPS": "6", "KEEP_EVENTS": "48h", "KEEP_DELETED": "0", "KEEP_ENDED": "1h", "PROVISION_TIMEOUT": "20m", "CHECK_INTERVAL": "0",
		"SMTP_HOST": "mail.example.com", "SMTP_PORT": "465", "SMTP_FROM": "shops@example.com",
		"CREATE_RATE": "2/h", "DEFAULT_PLAN": "free", "REQUEST_RATE": "99/s", "SIGN_IN_RATE": "0", "TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8",
	} {
		if got := variable(c, "SHOPWRIGHT_"+name).Value; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if key := variable(c, "SHOPWRIGHT_SMTP_PASSWORD").ValueFrom.SecretKeyRef; key.Name != "mail" || key.Key != "password" {
		t.Errorf("the mail server's password comes from %+v", key)
	}
	ingress := only[*networkingv1.Ingress](t, objects)
	if tls := ingress.Spec.TLS; len(tls) != 1 || tls[0].SecretName != "pages" || ingress.Spec.Rules[0].Host != "pages.example.com" {
		t.Errorf("the pages are served by %+v", ingress.Spec)
	}
}

// Authorities of a company's own come beside those of the image, and a controller outside of pods is let in.
func TestPlatformInACompanysNetwork(t *testing.T) {
	t.Parallel()
	objects := platform(t, values{
		"authorities": values{"existingConfigMap": "company-ca"}, "ingress": values{"controllerCIDRs": []any{"10.0.0.0/16"}},
	})
	pod := only[*appsv1.Deployment](t, objects).Spec.Template.Spec
	folder := variable(pod.Containers[0], "SSL_CERT_DIR").Value
	mounted := slices.ContainsFunc(pod.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.Name == "authorities" && m.MountPath == folder && folder != "/etc/ssl/certs"
	})
	given := slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool {
		return v.Name == "authorities" && v.ConfigMap != nil && v.ConfigMap.Name == "company-ca"
	})
	if !mounted || !given {
		t.Errorf("authorities are looked for in %q: %+v", folder, pod.Volumes)
	}
	from := only[*networkingv1.NetworkPolicy](t, objects).Spec.Ingress[0].From
	if !slices.ContainsFunc(from, func(p networkingv1.NetworkPolicyPeer) bool {
		return p.IPBlock != nil && p.IPBlock.CIDR == "10.0.0.0/16"
	}) {
		t.Errorf("the controller is not let in: %+v", from)
	}
}

// The environments differ in values only.
func TestPlatformEnvironments(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]struct{ environment, url, storeTLS string }{
		"values-local.yaml": {"local", "http://shopwright.localhost", "none"},
		"values-prod.yaml":  {"production", "https://shopwright.example.com", "cert-manager"},
	} {
		objects := platform(t, valuesFile(t, "platform/"+file))
		c := only[*appsv1.Deployment](t, objects).Spec.Template.Spec.Containers[0]
		got := [3]string{
			variable(c, "SHOPWRIGHT_ENVIRONMENT").Value, variable(c, "SHOPWRIGHT_BASE_URL").Value, variable(c, "SHOPWRIGHT_TLS_MODE").Value,
		}
		if got != [3]string{want.environment, want.url, want.storeTLS} {
			t.Errorf("%s: %q", file, got)
		}
		issuer := only[*networkingv1.Ingress](t, objects).Annotations["cert-manager.io/cluster-issuer"]
		if (issuer != "") != (want.storeTLS == "cert-manager") {
			t.Errorf("%s: the pages' certificate comes from %q", file, issuer)
		}
	}
}

// The recipe for k3s lets Traefik in, where k3s has it, and nobody else: to the pages, and to
// the shops of every engine there is.
func TestPlatformOnK3s(t *testing.T) {
	t.Parallel()
	const traefik = "kube-system"
	recipe := valuesFile(t, "../deploy/k3s/values.yaml")
	objects := platform(t, over(valuesFile(t, "platform/values-prod.yaml"), recipe))
	c := only[*appsv1.Deployment](t, objects).Spec.Template.Spec.Containers[0]
	for name, want := range map[string]string{
		"ENVIRONMENT": "production", "BASE_URL": "https://shopwright.example.com", "TLS_ISSUER": "letsencrypt", "TRUSTED_PROXIES": "10.42.0.0/16",
	} {
		if got := variable(c, "SHOPWRIGHT_"+name).Value; got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	from := only[*networkingv1.NetworkPolicy](t, objects).Spec.Ingress[0].From[0].NamespaceSelector
	if from.MatchLabels["kubernetes.io/metadata.name"] != traefik {
		t.Errorf("the pages are reached from %v", from)
	}
	var stores engine.Values
	if err := yaml.Unmarshal([]byte(variable(c, "SHOPWRIGHT_STORE_VALUES").Value), &stores); err != nil {
		t.Fatal(err)
	}
	for _, e := range engine.Offered().All() {
		if ingress, _ := stores[e.Name()]["ingress"].(values); ingress["controllerNamespace"] != traefik {
			t.Errorf("shops of %s are reached from %v", e.Name(), ingress)
		}
	}
}

// over lays values over others, as Helm does.
func over(base, more values) values {
	merged := maps.Clone(base)
	for name, value := range more {
		below, isMap := merged[name].(values)
		if above, both := value.(values); both && isMap {
			value = over(below, above)
		}
		merged[name] = value
	}
	return merged
}

func TestPlatformSchemaRefuses(t *testing.T) {
	t.Parallel()
	for what, v := range map[string]values{
		"replicas":        {"replicas": 2},
		"secretName":      {"tls": values{"mode": "secret"}},
		"issuer":          {"stores": values{"tls": values{"mode": "cert-manager"}}},
		"environment":     {"environment": "staging"},
		"host":            {"ingress": values{"host": ""}},
		"tag":             {"image": values{"tag": "latest"}},
		"maxConcurrent":   {"stores": values{"maxConcurrent": 0}},
		"wait":            {"database": values{"wait": "soon"}},
		"baseURL":         {"baseURL": "shops.example.com"},
		"additional prop": {"replicaCount": 1},
	} {
		if _, err := helm.Render(platformRelease(v), enginetest.KubeVersion); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A key that is drawn is a key that the program takes, and a secret of one's own replaces it.
func TestPlatformSessionKey(t *testing.T) {
	t.Parallel()
	secret := only[*corev1.Secret](t, platform(t, nil))
	if key := secret.Data["secret-key"]; len(key) != 44 || secret.Annotations["helm.sh/resource-policy"] != "keep" {
		t.Errorf("a key of %d characters, annotated %v", len(key), secret.Annotations)
	}
	again := only[*corev1.Secret](t, platform(t, nil))
	if maps.EqualFunc(secret.Data, again.Data, func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Error("every installation has the same key")
	}
	objects := platform(t, values{"secretKey": values{"existingSecret": "mine", "key": "session"}})
	enginetest.Each(objects, func(s *corev1.Secret) { t.Errorf("a secret %s beside one's own", s.Name) })
	ref := variable(only[*appsv1.Deployment](t, objects).Spec.Template.Spec.Containers[0], "SHOPWRIGHT_SECRET_KEY").ValueFrom.SecretKeyRef
	if ref.Name != "mine" || ref.Key != "session" {
		t.Errorf("the key is read from %+v", ref)
	}
}

// Who signs in is said by values, and the providers' settings come from a Secret.
func TestPlatformSignIn(t *testing.T) {
	t.Parallel()
	c := only[*appsv1.Deployment](t, platform(t, nil)).Spec.Template.Spec.Containers[0]
	if len(c.EnvFrom) != 0 || variable(c, "SHOPWRIGHT_ADMINS").Name != "" {
		t.Errorf("without values there are %v and admins", c.EnvFrom)
	}
	c = only[*appsv1.Deployment](t, platform(t, values{"signIn": values{
		"existingSecret": "providers", "admins": []any{"mara@example.com", "root@example.com"}, "allowedDomains": []any{"*"},
	}})).Spec.Template.Spec.Containers[0]
	if len(c.EnvFrom) != 1 || c.EnvFrom[0].SecretRef.Name != "providers" {
		t.Errorf("the providers are from %+v", c.EnvFrom)
	}
	for name, want := range map[string]string{"SHOPWRIGHT_ADMINS": "mara@example.com,root@example.com", "SHOPWRIGHT_ALLOWED_DOMAINS": "*"} {
		if got := variable(c, name).Value; got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}
