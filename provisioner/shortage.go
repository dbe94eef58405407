package provisioner

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// beyond returns the resources whose demand exceeds the quota, sorted by name.
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
	return phrase.Thousandths(q.MilliValue())
}

// size writes bytes in whole MiB or GiB.
func size(q resource.Quantity) string {
	const mebibyte = 1 << 20
	return phrase.Mebibytes((q.Value() + mebibyte - 1) / mebibyte)
}
