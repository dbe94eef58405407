package engine_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
)

// medusa renders the chart for a local shop, with changed values.
func medusa(t *testing.T, change func(values map[string]any)) []runtime.Object {
	t.Helper()
	return enginetest.Objects(t, medusaRequest(t, change))
}

func medusaRequest(t *testing.T, change func(values map[string]any)) helm.Request {
	t.Helper()
	request := enginetest.Request(t, engine.Medusa{}, enginetest.Spec("local"))
	change(request.Values)
	return request
}

func componentOf(w enginetest.Workload) string {
	return w.Template.Labels["app.kubernetes.io/component"]
}

// The storefront answers what Medusa does not, and nothing else of the shop has an address.
func TestMedusasPaths(t *testing.T) {
	t.Parallel()
	paths := map[string][]string{}
	enginetest.Each(medusa(t, unchanged), func(i *networkingv1.Ingress) {
		for _, path := range i.Spec.Rules[0].HTTP.Paths {
			if *path.PathType != networkingv1.PathTypePrefix || path.Backend.Service.Port.Name != "http" {
				t.Errorf("%s: type %s, port %v", path.Path, *path.PathType, path.Backend.Service.Port)
			}
			paths[path.Backend.Service.Name] = append(paths[path.Backend.Service.Name], path.Path)
		}
	})
	want := map[string][]string{
		"medusa":     {"/admin", "/app", "/auth", "/health", "/hooks", "/static", "/store"},
		"storefront": {"/"},
	}
	if !maps.EqualFunc(paths, want, slices.Equal) {
		t.Errorf("paths %v, want %v", paths, want)
	}
}

// Both ends must be told: who may come in, and who may go out.
func TestWhoReachesWhomInMedusa(t *testing.T) {
	t.Parallel()
	objects := medusa(t, unchanged)
	allowed := map[string][]string{
		"medusa": {"postgres", "valkey"}, "setup": {"postgres", "valkey"}, "backup": {"postgres"}, "restore": {"postgres"}, "storefront": {"medusa", "maintenance"}, "check": {"medusa", "maintenance", "storefront"},
	}
	for _, from := range enginetest.Workloads(objects) {
		for _, to := range enginetest.Workloads(objects) {
			in, out := letIn(t, objects, from, to), letOut(t, objects, from, to)
			want := slices.Contains(allowed[componentOf(from)], componentOf(to))
			if in != want || out != want {
				t.Errorf("%s to %s: let out %t, let in %t, want %t", componentOf(from), componentOf(to), out, in, want)
			}
		}
	}
}

func letIn(t *testing.T, objects []runtime.Object, from, to enginetest.Workload) (allowed bool) {
	enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
		for _, rule := range p.Spec.Ingress {
			allowed = allowed || selects(t, &p.Spec.PodSelector, to) && hasPeer(t, rule.From, from)
		}
	})
	return allowed
}

func letOut(t *testing.T, objects []runtime.Object, from, to enginetest.Workload) (allowed bool) {
	enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
		for _, rule := range p.Spec.Egress {
			allowed = allowed || selects(t, &p.Spec.PodSelector, from) && hasPeer(t, rule.To, to)
		}
	})
	return allowed
}

func hasPeer(t *testing.T, peers []networkingv1.NetworkPolicyPeer, w enginetest.Workload) bool {
	return slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		return p.PodSelector != nil && p.NamespaceSelector == nil && selects(t, p.PodSelector, w)
	})
}

// What the outside may reach, and what may reach it.
func TestMedusaAndTheWorld(t *testing.T) {
	t.Parallel()
	objects := medusa(t, func(v map[string]any) { v["ingress"] = map[string]any{"controllerNamespace": "traefik"} })
	for _, w := range enginetest.Workloads(objects) {
		in, out := false, false
		enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
			if !selects(t, &p.Spec.PodSelector, w) {
				return
			}
			for _, rule := range p.Spec.Ingress {
				in = in || slices.ContainsFunc(rule.From, func(peer networkingv1.NetworkPolicyPeer) bool {
					return peer.NamespaceSelector != nil && peer.NamespaceSelector.MatchLabels[corev1.LabelMetadataName] == "traefik"
				})
			}
			for _, rule := range p.Spec.Egress {
				out = out || slices.ContainsFunc(rule.To, func(peer networkingv1.NetworkPolicyPeer) bool { return peer.IPBlock != nil })
			}
		})
		name := componentOf(w)
		if in != slices.Contains([]string{"medusa", "maintenance", "storefront"}, name) || out != (name == "medusa") {
			t.Errorf("%s: reached from outside %t, reaches the internet %t", name, in, out)
		}
	}
	for _, block := range blocks(objects) {
		if block.CIDR == "0.0.0.0/0" && (!slices.Contains(block.Except, "10.0.0.0/8") || !slices.Contains(block.Except, "169.254.0.0/16")) {
			t.Errorf("%s except %v", block.CIDR, block.Except)
		}
	}
	if closed := blocks(medusa(t, func(v map[string]any) { v["egress"] = map[string]any{"internet": false} })); len(closed) != 0 {
		t.Errorf("%v with the internet off", closed)
	}
}

func TestMedusasSetupIsAnotherJobWhenItsPodIsAnother(t *testing.T) {
	t.Parallel()
	first, same := setupJob(t, medusa(t, unchanged)), setupJob(t, medusa(t, unchanged))
	other := setupJob(t, medusa(t, func(v map[string]any) {
		v["images"] = map[string]any{"medusa": map[string]any{"tag": "2.99.0-1"}}
	}))
	if first.Name != same.Name || first.Name == other.Name {
		t.Errorf("names %s, again %s, with another Medusa %s", first.Name, same.Name, other.Name)
	}
	if first.Spec.TTLSecondsAfterFinished != nil || len(first.Annotations) > 0 {
		t.Error("the job goes by itself, or is a hook")
	}
}

func TestMedusasOrderCheck(t *testing.T) {
	t.Parallel()
	for value, want := range map[bool]string{true: "true", false: "false"} {
		pods := 0
		enginetest.Each(medusa(t, func(v map[string]any) { v["check"] = map[string]any{"placeOrder": value} }), func(p *corev1.Pod) {
			pods++
			places := ""
			for _, env := range p.Spec.Containers[0].Env {
				if env.Name == "CHECK_PLACE_ORDER" {
					places = env.Value
				}
			}
			if p.Name != "check-order" || p.Annotations["helm.sh/hook"] != "test" || p.Annotations["helm.sh/hook-delete-policy"] != "before-hook-creation" {
				t.Errorf("pod %s, %v", p.Name, p.Annotations)
			}
			if p.Spec.RestartPolicy != corev1.RestartPolicyNever || p.Spec.ActiveDeadlineSeconds == nil || p.Spec.Containers[0].Name != "check" || places != want {
				t.Errorf("%s, deadline %v, container %s, places an order %q, want %s", p.Spec.RestartPolicy, p.Spec.ActiveDeadlineSeconds, p.Spec.Containers[0].Name, places, want)
			}
		})
		if pods != 1 {
			t.Errorf("%d pods check", pods)
		}
	}
}

// The volumes of what holds data stay, and are mounted by one pod at a time.
func TestMedusasVolumesOutliveTheRelease(t *testing.T) {
	t.Parallel()
	objects := medusa(t, func(v map[string]any) { v["storage"] = map[string]any{"className": "fast"} })
	enginetest.Each(objects, func(c *corev1.PersistentVolumeClaim) {
		if *c.Spec.StorageClassName != "fast" || c.Annotations["helm.sh/resource-policy"] != "keep" {
			t.Errorf("claim %s: %s, %v", c.Name, *c.Spec.StorageClassName, c.Annotations)
		}
	})
	for _, w := range enginetest.Workloads(objects) {
		for _, claim := range w.Claims {
			if *claim.Spec.StorageClassName != "fast" || w.Template.Spec.Containers[0].VolumeMounts[0].SubPath == "" {
				t.Errorf("%s keeps data in %v", w.Name, w.Template.Spec.Containers[0].VolumeMounts)
			}
		}
	}
}

func TestMedusasSchemaRefusesMistakes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"a key that does not exist":          {"replicas": 3},
		"no store":                           {"store": map[string]any{"id": "", "name": "Shop"}},
		"a URL with a path":                  {"url": "https://shop.localhost/shop"},
		"a password":                         {"credentials": map[string]any{"existingSecret": "s", "jwtSecret": "secret"}},
		"a certificate without its name":     {"tls": map[string]any{"mode": "secret", "secretName": ""}},
		"an image of any age":                {"images": map[string]any{"storefront": map[string]any{"tag": "latest"}}},
		"a region, which Medusa has not":     {"shop": map[string]any{"country": "US:CA"}},
		"a check that is neither on nor off": {"check": map[string]any{"placeOrder": "no"}},
		"a container without memory limits":  {"resources": map[string]any{"check": map[string]any{"limits": map[string]any{"memory": nil}}}},
	} {
		request := medusaRequest(t, func(v map[string]any) { maps.Copy(v, change) })
		if _, err := helm.Render(request, enginetest.KubeVersion); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Customers are shown the shop when it can sell: not before the setup is done.
func TestMedusaWaitsForItsSetup(t *testing.T) {
	t.Parallel()
	for _, w := range enginetest.Workloads(medusa(t, unchanged)) {
		waits := slices.ContainsFunc(w.Template.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == "wait" })
		if waits != (componentOf(w) == "medusa") {
			t.Errorf("%s waits: %t", w.Name, waits)
		}
	}
}

// The chart names the images as `make images` does.
func TestMedusasImagesAreOurs(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"medusa": "shopwright/medusa:" + versionIn(t, "medusa/app"), "storefront": "shopwright/storefront:" + versionIn(t, "storefront"),
	}
	for _, w := range enginetest.Workloads(medusa(t, unchanged)) {
		if image := w.Containers()[0].Image; want[w.Name] != "" && image != want[w.Name] {
			t.Errorf("%s runs %s, built is %s", w.Name, image, want[w.Name])
		}
	}
}

func versionIn(t *testing.T, folder string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../deploy/images", folder, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var described struct{ Version string }
	if err := json.Unmarshal(data, &described); err != nil {
		t.Fatal(err)
	}
	return described.Version
}
