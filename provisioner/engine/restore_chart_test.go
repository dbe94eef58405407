package engine_test

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// A store that is opened with a restore point has the same setup, which waits.
func TestSetupWaitsForTheData(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		var names []string
		for _, restoring := range []bool{false, true} {
			spec := enginetest.Spec("production")
			spec.Restoring = restoring
			job := setupJob(t, enginetest.Objects(t, enginetest.Request(t, e, spec)))
			if job.Spec.Suspend == nil || *job.Spec.Suspend != restoring {
				t.Errorf("%s: restoring %t, the setup's suspend is %v", e.Name(), restoring, job.Spec.Suspend)
			}
			names = append(names, job.Name)
		}
		if names[0] != names[1] {
			t.Errorf("%s: the setup's names are %v", e.Name(), names)
		}
	}
}

func restoreOf(objects []runtime.Object) (cron *batchv1.CronJob) {
	enginetest.Each(objects, func(c *batchv1.CronJob) {
		if c.Name == "restore" {
			cron = c
		}
	})
	return cron
}

// The names of the containers are what the pages tell of. The pods take the room of the setup, which
// doesn't run yet.
func TestRestoreIsATemplate(t *testing.T) {
	everyChart(t, func(t *testing.T, e engine.Engine, objects []runtime.Object) {
		cron := restoreOf(objects)
		if cron == nil || cron.Spec.Suspend == nil || !*cron.Spec.Suspend || cron.Labels["app.kubernetes.io/component"] != "restore" {
			t.Fatalf("the restore is %+v", cron)
		}
		pod := cron.Spec.JobTemplate.Spec.Template.Spec
		setup := setupJob(t, objects).Spec.Template.Spec
		var names []string
		for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
			names = append(names, c.Name)
			holdsKey := slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == "target" })
			if runsShop := strings.Contains(c.Image, "wordpress") || strings.Contains(c.Image, "shopwright/"); holdsKey && runsShop {
				t.Errorf("%s could run the shop’s code beside the key of the target", c.Name)
			}
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				for what, pair := range map[string][2]corev1.ResourceList{
					"requests": {c.Resources.Requests, setup.Containers[0].Resources.Requests}, "limits": {c.Resources.Limits, setup.Containers[0].Resources.Limits},
				} {
					if takes, room := pair[0][name], pair[1][name]; takes.Cmp(room) > 0 {
						t.Errorf("%s: its %s of %s are %s, those of the setup %s", c.Name, what, name, text(takes), text(room))
					}
				}
			}
		}
		want := map[string]string{"woocommerce": "repository files database code", "medusa": "repository files database addresses"}[e.Name()]
		if got := strings.Join(names, " "); got != want {
			t.Errorf("the containers are %s, want %s", got, want)
		}
	})
}

func text(q resource.Quantity) string { return q.String() }

// It reaches the database only. Shopwright adds the way to the target.
func TestRestoreReachesTheDatabaseOnly(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		var out []networkingv1.NetworkPolicyEgressRule
		enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
			if p.Spec.PodSelector.MatchLabels["app.kubernetes.io/component"] == "restore" {
				out = append(out, p.Spec.Egress...)
			}
		})
		if len(out) != 1 || len(out[0].To) != 1 || !slices.Contains([]string{"mariadb", "postgres"}, out[0].To[0].PodSelector.MatchLabels["app.kubernetes.io/component"]) {
			t.Errorf("it reaches %+v", out)
		}
	})
}

// Other hosts that look alike, and mail addresses, stay.
func TestURLsOfAShopAreFound(t *testing.T) {
	t.Parallel()
	const from = "http://shop.example.com"
	lines := [][2]string{ // with @ for the URL's own host, and what becomes of it
		{"https://@/x?y=1#z", "https://NEW/x?y=1#z"}, {"http://@", "http://NEW"}, {"//@/logo.png", "//NEW/logo.png"}, {"HTTP://SHOP.Example.com/", "HTTP://NEW/"},
		{`{"u":"http:\/\/@\/a"}`, `{"u":"http:\/\/NEW\/a"}`}, {`{"in":"{\"u\":\"\\\/\\\/@\"}"}`, `{"in":"{\"u\":\"\\\/\\\/NEW\"}"}`},
		{"See https://@. And (http://@), <a href='//@'>", "See https://NEW. And (http://NEW), <a href='//NEW'>"},
		{"http://@.au/", "http://@.au/"}, {"http://@:8080/", "http://@:8080/"}, {"http://@-old/", "http://@-old/"}, {"http://@munity.org", "http://@munity.org"}, {"http://www.@/", "http://www.@/"},
		{"me@@", "me@@"}, {"http://me@@/", "http://me@@/"}, {"http://shopxexample.com/", "http://shopxexample.com/"}, {"@", "@"},
	}
	dir := site{root: t.TempDir()}
	enginetest.Each(shop(t, unchanged), func(c *corev1.ConfigMap) {
		if c.Name == "setup" {
			dir.write(t, "pattern.php", c.Data["pattern.php"])
		}
	})
	dir.write(t, "test.php", `<?php require __DIR__ . '/pattern.php'; echo preg_replace('#' . pattern(site_of(getenv('OLD'))) . '#i', '${1}' . site_of('https://9new.example.org:8443/'), getenv('TEXT'));`)
	host := strings.TrimPrefix(from, "http://")
	for _, line := range lines {
		text := strings.ReplaceAll(strings.ReplaceAll(line[0], "@@", "\x00"), "@", host)
		want := strings.ReplaceAll(strings.ReplaceAll(line[1], "@@", "\x00"), "@", host)
		text, want = strings.ReplaceAll(text, "\x00", "@"+host), strings.ReplaceAll(strings.ReplaceAll(want, "\x00", "@"+host), "NEW", "9new.example.org:8443")
		if got := runPHP(t, dir.path("test.php"), "OLD="+from, "TEXT="+text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}
