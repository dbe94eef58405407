package engine_test

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
)

// shop renders the chart for a local shop, with changed values.
func shop(t testing.TB, change func(values map[string]any)) []runtime.Object {
	t.Helper()
	return enginetest.Objects(t, shopRequest(t, change))
}

func shopRequest(t testing.TB, change func(values map[string]any)) helm.Request {
	t.Helper()
	request := enginetest.Request(t, engine.WooCommerce{}, enginetest.Spec("local"))
	change(request.Values)
	return request
}

func unchanged(map[string]any) {}

func setupJob(t *testing.T, objects []runtime.Object) *batchv1.Job {
	t.Helper()
	var job *batchv1.Job
	enginetest.Each(objects, func(j *batchv1.Job) { job = j })
	if job == nil {
		t.Fatal("no job")
	}
	return job
}

func cronJob(t *testing.T, objects []runtime.Object) *batchv1.CronJob {
	t.Helper()
	var job *batchv1.CronJob
	enginetest.Each(objects, func(j *batchv1.CronJob) {
		if j.Name == "cron" {
			job = j
		}
	})
	if job == nil {
		t.Fatal("nothing is scheduled")
	}
	return job
}

// WordPress asks nobody to do what it has scheduled: a job does it, one run at a time.
func TestWhatIsScheduledIsDoneByAJob(t *testing.T) {
	t.Parallel()
	objects := shop(t, func(v map[string]any) { v["cron"] = map[string]any{"schedule": "*/10 * * * *"} })
	job := cronJob(t, objects)
	if s := job.Spec; s.Schedule != "*/10 * * * *" || s.ConcurrencyPolicy != batchv1.ForbidConcurrent ||
		*s.SuccessfulJobsHistoryLimit != 1 || *s.FailedJobsHistoryLimit != 1 || s.StartingDeadlineSeconds == nil {
		t.Errorf("scheduled as %+v", s)
	}
	for _, w := range enginetest.Workloads(objects) {
		for _, env := range w.Containers()[0].Env {
			if env.Name == "WORDPRESS_CONFIG_EXTRA" && !strings.Contains(env.Value, "define('DISABLE_WP_CRON', true)") {
				t.Errorf("%s asks its own address: %s", w.Name, env.Value)
			}
		}
	}
}

// What is scheduled waits for the shop, and is done with WP-CLI then.
func TestCronWaitsForTheSetup(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	cron := cronJob(t, shop(t, unchanged)).Spec.JobTemplate.Spec.Template.Spec.Containers[0]
	run := func() (string, error) {
		script := strings.ReplaceAll(cron.Command[2], "/var/www/html", s.path("html"))
		cmd := exec.CommandContext(t.Context(), cron.Command[0], cron.Command[1], script)
		cmd.Env = []string{"PATH=" + s.path("bin") + ":" + os.Getenv("PATH"), "STATE=" + s.root}
		for _, env := range cron.Env {
			cmd.Env = append(cmd.Env, env.Name+"="+env.Value)
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err != nil || !strings.Contains(out, "not set up yet") {
		t.Errorf("before the setup: %v: %s", err, out)
	}
	if out, err := s.run(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := run(); err != nil || !strings.HasSuffix(s.read(t, "calls"), "\ncron event run --due-now\n") {
		t.Errorf("after the setup: %v: %s", err, out)
	}
}

// A job cannot be changed: Helm must find another one when its pod is another.
func TestSetupIsAnotherJobWhenItsPodIsAnother(t *testing.T) {
	t.Parallel()
	first, same := setupJob(t, shop(t, unchanged)), setupJob(t, shop(t, unchanged))
	other := setupJob(t, shop(t, func(v map[string]any) { v["woocommerceVersion"] = "10.9.9" }))
	if first.Name != same.Name || first.Name == other.Name {
		t.Errorf("names %s, again %s, with another plugin %s", first.Name, same.Name, other.Name)
	}
	if first.Spec.TTLSecondsAfterFinished != nil || len(first.Annotations) > 0 {
		t.Error("the job goes by itself, or is a hook")
	}
}

// The database is reached by what needs it, and nobody is reached by it.
func TestWhoReachesTheDatabase(t *testing.T) {
	t.Parallel()
	objects := shop(t, unchanged)
	var policy *networkingv1.NetworkPolicy
	enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
		if p.Name == "database" {
			policy = p
		}
	})
	for _, w := range enginetest.Workloads(objects) {
		component, allowed := w.Template.Labels["app.kubernetes.io/component"], false
		for _, peer := range policy.Spec.Ingress[0].From {
			allowed = allowed || selects(t, peer.PodSelector, w)
		}
		if want := slices.Contains([]string{"wordpress", "setup", "cron", "backup", "restore"}, component); allowed != want {
			t.Errorf("%s reaches the database: %t", component, allowed)
		}
	}
	enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
		for _, w := range enginetest.Workloads(objects) {
			isDatabase := w.Template.Labels["app.kubernetes.io/component"] == "mariadb"
			if isDatabase && selects(t, &p.Spec.PodSelector, w) && len(p.Spec.Egress) > 0 && p.Name != "dns" {
				t.Errorf("%s lets the database out", p.Name)
			}
		}
	})
}

func TestInternetIsAValueWithoutPrivateNetworks(t *testing.T) {
	t.Parallel()
	open := blocks(shop(t, unchanged))
	if len(open) != 6 { // IPv4 and IPv6, of the application, of the setup and of what is scheduled
		t.Errorf("%d ways out", len(open))
	}
	for _, block := range open {
		if block.CIDR == "0.0.0.0/0" && (!slices.Contains(block.Except, "10.0.0.0/8") || !slices.Contains(block.Except, "169.254.0.0/16")) {
			t.Errorf("%s except %v", block.CIDR, block.Except)
		}
	}
	closed := blocks(shop(t, func(v map[string]any) { v["egress"] = map[string]any{"internet": false} }))
	if len(closed) != 0 {
		t.Errorf("%v with the internet off", closed)
	}
}

func blocks(objects []runtime.Object) (found []networkingv1.IPBlock) {
	enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
		for _, rule := range p.Spec.Egress {
			for _, peer := range rule.To {
				if peer.IPBlock != nil {
					found = append(found, *peer.IPBlock)
				}
			}
		}
	})
	return found
}

func TestIngressAsTheClusterWantsIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                  string
		tls                   map[string]any
		class, secret, issuer string
	}{
		{name: "plain", tls: map[string]any{"mode": "none"}},
		{name: "wildcard", tls: map[string]any{"mode": "secret", "secretName": "wildcard"}, class: "traefik", secret: "wildcard"},
		{name: "ended before the ingress", tls: map[string]any{"mode": "external"}, class: "traefik"},
		{name: "cert-manager", tls: map[string]any{"mode": "cert-manager", "issuer": "letsencrypt"}, secret: "shop-tls", issuer: "letsencrypt"},
	} {
		objects := shop(t, func(v map[string]any) {
			v["tls"], v["ingress"] = test.tls, map[string]any{"className": test.class, "annotations": map[string]any{"a": "b"}}
		})
		enginetest.Each(objects, func(i *networkingv1.Ingress) {
			class, secret := "", ""
			if i.Spec.IngressClassName != nil {
				class = *i.Spec.IngressClassName
			}
			for _, tls := range i.Spec.TLS {
				secret = tls.SecretName
			}
			issuer := i.Annotations["cert-manager.io/cluster-issuer"]
			if class != test.class || secret != test.secret || issuer != test.issuer || i.Annotations["a"] != "b" || i.Spec.Rules[0].Host != "shop.localhost" {
				t.Errorf("%s: class %q, secret %q, issuer %q, %v, host %s", test.name, class, secret, issuer, i.Annotations, i.Spec.Rules[0].Host)
			}
		})
	}
}

// What holds data is made, mounted and kept as a single node can.
func TestVolumesOutliveTheRelease(t *testing.T) {
	t.Parallel()
	objects := shop(t, func(v map[string]any) {
		v["storage"] = map[string]any{"className": "fast", "files": map[string]any{"size": "30Gi"}}
	})
	enginetest.Each(objects, func(c *corev1.PersistentVolumeClaim) {
		size := c.Spec.Resources.Requests[corev1.ResourceStorage]
		if size.String() != "30Gi" || *c.Spec.StorageClassName != "fast" || c.Annotations["helm.sh/resource-policy"] != "keep" {
			t.Errorf("claim %s: %s of %s, %v", c.Name, size.String(), *c.Spec.StorageClassName, c.Annotations)
		}
	})
	enginetest.Each(objects, func(d *appsv1.Deployment) {
		if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
			t.Errorf("strategy %s", d.Spec.Strategy.Type)
		}
	})
	enginetest.Each(objects, func(s *appsv1.StatefulSet) {
		if s.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType || s.Spec.Template.Spec.Containers[0].VolumeMounts[0].SubPath == "" {
			t.Errorf("strategy %s, mounts %v", s.Spec.UpdateStrategy.Type, s.Spec.Template.Spec.Containers[0].VolumeMounts)
		}
	})
	for _, pod := range []corev1.PodSpec{setupJob(t, objects).Spec.Template.Spec, cronJob(t, objects).Spec.JobTemplate.Spec.Template.Spec} {
		near := pod.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector
		for _, w := range enginetest.Workloads(objects) {
			if got, want := selects(t, near, w), w.Name == "wordpress"; got != want {
				t.Errorf("%s runs beside %s: %t", pod.Containers[0].Name, w.Name, got)
			}
		}
	}
}

// Customers who wait must not make the pod unready, and Apache works on no more of them at once
// than its memory holds.
func TestProbesDoNotWaitBehindCustomers(t *testing.T) {
	t.Parallel()
	for memory, workers := range map[string]string{"1Gi": "16", "2Gi": "32", "768Mi": "12", "128Mi": "4"} {
		objects := shop(t, func(v map[string]any) {
			v["resources"] = map[string]any{"wordpress": map[string]any{"requests": map[string]any{"cpu": "10m", "memory": "64Mi"}, "limits": map[string]any{"cpu": "1", "memory": memory}}}
		})
		enginetest.Each(objects, func(c *corev1.ConfigMap) {
			if conf := c.Data["apache.conf"]; c.Name == "php" && (!strings.Contains(conf, "MaxRequestWorkers "+workers+"\n") || !strings.Contains(conf, "Listen 8081\n")) {
				t.Errorf("with %s Apache is set to\n%s", memory, conf)
			}
		})
		enginetest.Each(objects, func(d *appsv1.Deployment) {
			c := d.Spec.Template.Spec.Containers[0]
			if c.LivenessProbe.TCPSocket.Port.StrVal != "probe" || c.StartupProbe.TCPSocket.Port.StrVal != "probe" || c.ReadinessProbe.Exec == nil ||
				strings.Contains(strings.Join(c.ReadinessProbe.Exec.Command, " "), "http") {
				t.Errorf("probed by %+v, %+v, %+v", c.StartupProbe, c.ReadinessProbe, c.LivenessProbe)
			}
		})
	}
}

// The pod is ready once its database is migrated for its code, which the setup notes.
func TestPodIsReadyOnceItsDatabaseIsMigrated(t *testing.T) {
	t.Parallel()
	code := func(objects []runtime.Object) (pod, setup string) {
		for _, w := range enginetest.Workloads(objects) {
			for _, env := range w.Containers()[len(w.Containers())-1].Env {
				if env.Name == "SHOP_CODE" && w.Name == "wordpress" {
					pod = env.Value
				}
				if env.Name == "SHOP_CODE" && strings.HasPrefix(w.Name, "setup-") {
					setup = env.Value
				}
			}
		}
		return pod, setup
	}
	before, noted := code(shop(t, unchanged))
	after, _ := code(shop(t, func(v map[string]any) { v["woocommerceVersion"] = "99.0.0" }))
	if before == "" || before != noted || before == after {
		t.Errorf("the pod waits for %q, the setup notes %q, and with another plugin it waits for %q", before, noted, after)
	}
}

func TestSchemaRefusesMistakes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"a key that does not exist":         {"replicas": 3},
		"a nested key that does not exist":  {"ingress": map[string]any{"class": "nginx"}},
		"no store":                          {"store": map[string]any{"id": "", "name": "Shop"}},
		"no host":                           {"host": ""},
		"a URL with a path":                 {"url": "https://shop.localhost/shop"},
		"no credentials":                    {"credentials": map[string]any{"existingSecret": ""}},
		"a password":                        {"credentials": map[string]any{"existingSecret": "s", "adminPassword": "secret"}},
		"an unknown way to certificates":    {"tls": map[string]any{"mode": "magic"}},
		"a certificate without its name":    {"tls": map[string]any{"mode": "secret", "secretName": ""}},
		"cert-manager without an issuer":    {"tls": map[string]any{"mode": "cert-manager", "issuer": ""}},
		"an image of any age":               {"images": map[string]any{"wordpress": map[string]any{"tag": "latest"}}},
		"a digest that is none":             {"images": map[string]any{"cli": map[string]any{"digest": "sha256:12"}}},
		"a volume without unit":             {"storage": map[string]any{"files": map[string]any{"size": "10"}}},
		"a currency that is none":           {"shop": map[string]any{"currency": "Euro"}},
		"a container without memory limits": {"resources": map[string]any{"setup": map[string]any{"limits": map[string]any{"memory": nil}}}},
	} {
		request := shopRequest(t, func(v map[string]any) { maps.Copy(v, change) })
		if _, err := helm.Render(request, enginetest.KubeVersion); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImagesAreNamedInOneBlock(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0a", 32)
	objects := shop(t, func(v map[string]any) {
		v["imagePullSecrets"] = []any{map[string]any{"name": "mirror"}}
		v["images"] = map[string]any{"wordpress": map[string]any{"registry": "registry.example", "repository": "shop/wordpress", "digest": digest}}
	})
	for _, w := range enginetest.Workloads(objects) {
		if pull := w.Template.Spec.ImagePullSecrets; len(pull) != 1 || pull[0].Name != "mirror" {
			t.Errorf("%s pulls with %v", w.Name, pull)
		}
		if image, want := w.Containers()[0].Image, "registry.example/shop/wordpress@"+digest; w.Name == "wordpress" && image != want {
			t.Errorf("%s runs %s, want %s", w.Name, image, want)
		}
	}
}
