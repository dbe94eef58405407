package provisioner

import (
	"maps"
	"math"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// beyond is of what the demand is more than the quota gives, by the names of the resources.
func (d demand) beyond(limits kube.Limits) (short []store.Shortage) {
	for _, name := range slices.Sorted(maps.Keys(limits.Quota)) {
		gives, needs := resource.MustParse(limits.Quota[name]), d[name]
		if needs.Cmp(gives) > 0 {
			figure := measure(name)
			short = append(short, store.Shortage{Resource: string(name), Needs: figure(needs), Allows: figure(gives)})
		}
	}
	return short
}

// measure is how amounts of a resource are written.
func measure(name corev1.ResourceName) func(resource.Quantity) string {
	switch name {
	case corev1.ResourceLimitsMemory, corev1.ResourceRequestsMemory, corev1.ResourceRequestsStorage:
		return size
	}
	return number
}

// number writes an amount in whole units and thousandths: 1.5 for 1500m.
func number(q resource.Quantity) string {
	return strconv.FormatFloat(float64(q.MilliValue())/1000, 'f', -1, 64)
}

// size writes bytes: 2.5 GiB, and 2561 MiB where a quarter of a GiB does not do.
func size(q resource.Quantity) string {
	const quarter = 256
	mebibytes := math.Ceil(float64(q.Value()) / (1 << 20))
	if mebibytes >= 1024 && math.Mod(mebibytes, quarter) == 0 {
		return strconv.FormatFloat(mebibytes/1024, 'f', -1, 64) + " GiB"
	}
	return strconv.FormatFloat(mebibytes, 'f', 0, 64) + " MiB"
}
