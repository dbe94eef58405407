package provisioner

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
)

func amount(cpu, memory string, pods int64) kube.Amount {
	c, m := resource.MustParse(cpu), resource.MustParse(memory)
	return kube.Amount{CPU: c.MilliValue(), Memory: m.Value(), Pods: pods}
}

func node(gives, requested kube.Amount) kube.Node {
	return kube.Node{Allocatable: gives, Requested: requested}
}

func pod(cpu, memory string) podNeed {
	return podNeed{PodNeed: kube.PodNeed{Requests: amount(cpu, memory, 1)}}
}

func TestRoomIsCountedByNode(t *testing.T) {
	t.Parallel()
	small, none := amount("1", "2Gi", 110), kube.Amount{}
	shop := storeNeed{lasting: []podNeed{pod("200m", "256Mi"), pod("200m", "256Mi")}}
	withJob := storeNeed{lasting: shop.lasting, passing: []podNeed{pod("150m", "256Mi")}}
	big := storeNeed{lasting: []podNeed{pod("600m", "256Mi")}}
	job := pod("300m", "64Mi")
	job.beside = []labels.Selector{labels.SelectorFromSet(labels.Set{"app": "shop"})}
	app := pod("300m", "64Mi")
	app.labels = map[string]string{"app": "shop"}
	beside := storeNeed{lasting: []podNeed{app}, passing: []podNeed{job}}
	tainted := node(small, none)
	tainted.Taints = []corev1.Taint{{Key: "only", Value: "others", Effect: corev1.TaintEffectNoSchedule}}
	cordoned := node(small, none)
	cordoned.Cordoned = true
	for name, c := range map[string]struct {
		nodes   []kube.Node
		waiting []kube.PodNeed
		store   storeNeed
		want    int
	}{
		"no node":                             {nil, nil, shop, 0},
		"by CPU":                              {[]kube.Node{node(small, none)}, nil, shop, 2},
		"by memory":                           {[]kube.Node{node(amount("8", "1Gi", 110), none)}, nil, shop, 2},
		"by the number of pods":               {[]kube.Node{node(amount("8", "64Gi", 7), none)}, nil, shop, 3},
		"beside what is requested":            {[]kube.Node{node(small, amount("500m", "0", 3))}, nil, shop, 1},
		"on a node that is overfull":          {[]kube.Node{node(small, amount("3", "0", 3))}, nil, shop, 0},
		"just enough":                         {[]kube.Node{node(amount("800m", "1Gi", 4), none)}, nil, shop, 2},
		"a little less":                       {[]kube.Node{node(amount("799m", "1Gi", 4), none)}, nil, shop, 1},
		"pods of a store on two nodes":        {[]kube.Node{node(amount("300m", "1Gi", 9), none), node(amount("300m", "1Gi", 9), none)}, nil, shop, 1},
		"room on two nodes is none for a pod": {[]kube.Node{node(small, amount("500m", "0", 1)), node(small, amount("500m", "0", 1))}, nil, big, 0},
		"a job needs room too":                {[]kube.Node{node(amount("800m", "4Gi", 9), none)}, nil, withJob, 1},
		"a job gives its room back":           {[]kube.Node{node(amount("950m", "4Gi", 9), none)}, nil, withJob, 2},
		"a job beside its pod":                {[]kube.Node{node(amount("500m", "1Gi", 9), none), node(amount("500m", "1Gi", 9), none)}, nil, beside, 0},
		"a job with its pod":                  {[]kube.Node{node(amount("600m", "1Gi", 9), none), node(amount("500m", "1Gi", 9), none)}, nil, beside, 1},
		"pods that wait come first":           {[]kube.Node{node(small, none)}, []kube.PodNeed{pod("500m", "1Gi").PodNeed}, shop, 1},
		"what never fits takes no room":       {[]kube.Node{node(small, none)}, []kube.PodNeed{pod("64", "1Gi").PodNeed}, shop, 2},
		"not where others belong":             {[]kube.Node{tainted, cordoned}, nil, shop, 0},
		"more than anybody counts":            {[]kube.Node{node(amount("64k", "64Ti", 1_000_000), none)}, nil, shop, mostRoom},
	} {
		if got := roomFor(kube.Nodes{Nodes: c.nodes, Waiting: c.waiting}, c.store); got != c.want {
			t.Errorf("%s: room for %d stores, not %d", name, got, c.want)
		}
	}
}

// What the stores of each engine need is what their charts request.
func TestChartsSayWhatStoresNeed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ lasting, passing string }{
		"woocommerce": {"400m CPU 1024 MiB 2 pods", "150m CPU 384 MiB 2 pods"},
		"medusa":      {"370m CPU 864 MiB 4 pods", "100m CPU 512 MiB 1 pods"},
	} {
		e, _ := engine.Offered().Find(name)
		takes, err := (&demands{}).of(e, engine.Spec{Environment: "local", TLS: engine.TLS{Mode: engine.TLSNone}})
		if err != nil {
			t.Fatal(err)
		}
		if got := inAll(takes.nodes.lasting); got != want.lasting {
			t.Errorf("%s needs %s, not %s", name, got, want.lasting)
		}
		if got := inAll(takes.nodes.passing); got != want.passing {
			t.Errorf("%s needs %s for its jobs, not %s", name, got, want.passing)
		}
		beside := 0
		for _, pod := range takes.nodes.passing {
			beside += len(pod.beside)
		}
		if wanted := map[string]int{"woocommerce": 2}[name]; beside != wanted {
			t.Errorf("%s: %d of the jobs’ pods are beside another, not %d", name, beside, wanted)
		}
	}
}

func inAll(pods []podNeed) string {
	var sum kube.Amount
	for _, pod := range pods {
		sum = sum.Plus(pod.Requests)
	}
	return fmt.Sprintf("%dm CPU %d MiB %d pods", sum.CPU, sum.Memory>>20, sum.Pods)
}

// A cluster tells the figures of the nodes that stores may be on, and no other.
func TestCapacityIsOfTheNodesForStores(t *testing.T) {
	t.Parallel()
	site := engine.Spec{Environment: "local", TLS: engine.TLS{Mode: engine.TLSNone}, Values: map[string]map[string]any{
		"medusa":      {"nodeSelector": map[string]any{"for": "shops"}},
		"woocommerce": {"nodeSelector": map[string]any{"for": "shops"}, "tolerations": []any{map[string]any{"key": "shops", "operator": "Exists"}}},
	}}
	p := &Provisioner{site: site, demands: &demands{}, engines: engine.Offered()}
	shops, reserved, other := node(amount("2", "4Gi", 110), amount("600m", "1Gi", 9)), node(amount("8", "16Gi", 110), amount("1", "0", 1)), node(amount("64", "256Gi", 110), amount("1", "1Gi", 1))
	shops.Labels, reserved.Labels = map[string]string{"for": "shops"}, map[string]string{"for": "shops"}
	reserved.Taints = []corev1.Taint{{Key: "shops", Value: "yes", Effect: corev1.TaintEffectNoExecute}}
	c, err := p.capacityOf(kube.Nodes{Nodes: []kube.Node{shops, reserved, other}, Waiting: []kube.PodNeed{{}}})
	if err != nil {
		t.Fatal(err)
	}
	if c.State != CapacityCounted || c.Nodes != 2 || c.Allocatable != amount("10", "20Gi", 220) || c.Requested != amount("1600m", "1Gi", 10) || c.Waiting != 1 {
		t.Errorf("the nodes are %+v", c)
	}
	rooms := map[string]int{}
	for _, r := range c.Room {
		rooms[r.Engine] = r.Stores
	}
	if rooms["medusa"] != 2 || rooms["woocommerce"] != 18 {
		t.Errorf("there is room for %v", rooms)
	}
}
