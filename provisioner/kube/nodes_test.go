package kube

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

func requesting(cpu string, restart ...corev1.ContainerRestartPolicy) corev1.Container {
	c := corev1.Container{Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}}
	for _, policy := range restart {
		c.RestartPolicy = &policy
	}
	return c
}

func TestRequestsOfAPod(t *testing.T) {
	t.Parallel()
	const sidecar = corev1.ContainerRestartPolicyAlways
	containers := func(all ...corev1.Container) []corev1.Container { return all }
	of := func(cpu string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
	for name, c := range map[string]struct {
		spec corev1.PodSpec
		want int64
	}{
		"nothing":              {corev1.PodSpec{Containers: containers(corev1.Container{})}, 0},
		"all containers":       {corev1.PodSpec{Containers: containers(requesting("100m"), requesting("0.25"))}, 350},
		"a smaller one before": {corev1.PodSpec{InitContainers: containers(requesting("200m"), requesting("200m")), Containers: containers(requesting("300m"))}, 300},
		"a larger one before":  {corev1.PodSpec{InitContainers: containers(requesting("1")), Containers: containers(requesting("300m"))}, 1000},
		"one that stays":       {corev1.PodSpec{InitContainers: containers(requesting("50m", sidecar)), Containers: containers(requesting("300m"))}, 350},
		"one beside one that stays": {
			corev1.PodSpec{InitContainers: containers(requesting("50m", sidecar), requesting("400m")), Containers: containers(requesting("300m"))}, 450,
		},
		"one before one that stays": {
			corev1.PodSpec{InitContainers: containers(requesting("400m"), requesting("50m", sidecar)), Containers: containers(requesting("300m"))}, 400,
		},
		"overhead":               {corev1.PodSpec{Containers: containers(requesting("100m")), Overhead: of("10m")}, 110},
		"of the pod itself":      {corev1.PodSpec{Containers: containers(requesting("100m")), Resources: &corev1.ResourceRequirements{Requests: of("2")}}, 2000},
		"less than a thousandth": {corev1.PodSpec{Containers: containers(requesting("100u"))}, 1},
	} {
		if got := NeedOf(&c.spec).Requests; got.CPU != c.want || got.Pods != 1 {
			t.Errorf("%s: %+v, not %d", name, got, c.want)
		}
	}
}

func TestWhereAPodMayBe(t *testing.T) {
	t.Parallel()
	taint := func(key, value string, effect corev1.TaintEffect) Node {
		return Node{Taints: []corev1.Taint{{Key: key, Value: value, Effect: effect}}}
	}
	tolerating := func(t corev1.Toleration) PodNeed { return PodNeed{Tolerations: []corev1.Toleration{t}} }
	dedicated := taint("for", "others", corev1.TaintEffectNoSchedule)
	for name, c := range map[string]struct {
		node Node
		pod  PodNeed
		want bool
	}{
		"any":                       {Node{}, PodNeed{}, true},
		"labelled":                  {Node{Labels: map[string]string{"disk": "fast"}}, PodNeed{NodeSelector: map[string]string{"disk": "fast"}}, true},
		"labelled otherwise":        {Node{Labels: map[string]string{"disk": "slow"}}, PodNeed{NodeSelector: map[string]string{"disk": "fast"}}, false},
		"not labelled":              {Node{}, PodNeed{NodeSelector: map[string]string{"disk": ""}}, false},
		"cordoned":                  {Node{Cordoned: true}, PodNeed{}, false},
		"cordoned and tolerated":    {Node{Cordoned: true}, tolerating(corev1.Toleration{Operator: corev1.TolerationOpExists}), true},
		"tainted":                   {dedicated, PodNeed{}, false},
		"rather not":                {taint("for", "others", corev1.TaintEffectPreferNoSchedule), PodNeed{}, true},
		"not any longer":            {taint("node.kubernetes.io/unreachable", "", corev1.TaintEffectNoExecute), PodNeed{}, false},
		"tolerated by value":        {dedicated, tolerating(corev1.Toleration{Key: "for", Value: "others"}), true},
		"tolerated for others":      {dedicated, tolerating(corev1.Toleration{Key: "for", Value: "shops"}), false},
		"tolerated by key":          {dedicated, tolerating(corev1.Toleration{Key: "for", Operator: corev1.TolerationOpExists}), true},
		"another key is tolerated":  {dedicated, tolerating(corev1.Toleration{Key: "to", Operator: corev1.TolerationOpExists}), false},
		"another effect":            {dedicated, tolerating(corev1.Toleration{Key: "for", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}), false},
		"tolerated with its effect": {dedicated, tolerating(corev1.Toleration{Key: "for", Value: "others", Effect: corev1.TaintEffectNoSchedule}), true},
		"one of two is tolerated": {
			Node{Taints: append(dedicated.Taints, taint("to", "", corev1.TaintEffectNoSchedule).Taints...)},
			tolerating(corev1.Toleration{Key: "for", Operator: corev1.TolerationOpExists}), false,
		},
	} {
		if got := c.node.Admits(c.pod); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// manyPods is an API server with two nodes and three pages of pods: more than fit in memory, for all that is known.
func manyPods(t *testing.T) *Client {
	t.Helper()
	page := func(next string, pods ...corev1.Pod) *corev1.PodList {
		return &corev1.PodList{ListMeta: metav1.ListMeta{Continue: next}, Items: pods}
	}
	pod := func(node, cpu string) corev1.Pod {
		return corev1.Pod{Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{requesting(cpu)}}}
	}
	gated := pod("", "1")
	gated.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "later"}}
	pages := map[string]runtime.Object{
		"": page("2", pod("a", "100m"), pod("b", "1")), "2": page("3", pod("a", "200m"), pod("gone", "1"), gated), "3": page("", pod("", "300m"), pod("a", "0.5")),
	}
	gives := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("4Gi"), corev1.ResourcePods: resource.MustParse("110")}
	nodes := &corev1.NodeList{Items: []corev1.Node{
		{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: corev1.NodeStatus{Allocatable: gives}},
		{ObjectMeta: metav1.ObjectMeta{Name: "b", Labels: map[string]string{"x": "y"}}, Spec: corev1.NodeSpec{Unschedulable: true}, Status: corev1.NodeStatus{Allocatable: gives}},
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		var answer runtime.Object = nodes
		if r.URL.Path == "/api/v1/pods" {
			answer = pages[q.Get("continue")]
			if q.Get("fieldSelector") != "status.phase!=Succeeded,status.phase!=Failed" {
				t.Errorf("pods that have ended are asked for: %s", r.URL)
			}
		}
		if q.Get("limit") != "500" || q.Get("watch") != "" {
			t.Errorf("all are asked for at once: %s", r.URL)
		}
		codec := scheme.Codecs.LegacyCodec(corev1.SchemeGroupVersion)
		body, err := runtime.Encode(codec, answer)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	c, err := NewClient(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNodesAreReadPageByPage(t *testing.T) {
	t.Parallel()
	got, err := manyPods(t).Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Nodes) != 2 || len(got.Waiting) != 1 || got.Waiting[0].Requests.CPU != 300 {
		t.Fatalf("there are %+v", got)
	}
	a, b := got.Nodes[0], got.Nodes[1]
	if want := (Amount{CPU: 800, Pods: 3}); a.Requested != want || a.Allocatable != (Amount{CPU: 2000, Memory: 4 << 30, Pods: 110}) || a.Cordoned {
		t.Errorf("the first node is %+v", a)
	}
	if b.Requested.CPU != 1000 || !b.Cordoned || b.Labels["x"] != "y" {
		t.Errorf("the second node is %+v", b)
	}
}

func TestNodesThatMayNotBeListed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403}`)
	}))
	defer server.Close()
	c, err := NewClient(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Nodes(t.Context()); !apierrors.IsForbidden(err) {
		t.Errorf("refused with %v", err)
	}
}
