package provisioner

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// tooSmall tells somebody who wants a shop, and need not know Kubernetes, why the plan is
// none for it.
func tooSmall(e engine.Engine, plan store.Plan, short []string) string {
	return fmt.Sprintf("%s doesn’t fit the %s plan. %s", e.Label(), plan.Label, strings.Join(short, " "))
}

// beyond says, a sentence for each, of what the demand is more than the quota gives.
func (d demand) beyond(limits kube.Limits) (short []string) {
	for name, text := range limits.Quota {
		gives, needs := resource.MustParse(text), d[name]
		if needs.Cmp(gives) > 0 {
			figure, unit := measure(name)
			short = append(short, fmt.Sprintf("It needs %s%s; the plan allows %s.", figure(needs), unit, figure(gives)))
		}
	}
	slices.Sort(short)
	return short
}

// measure is how amounts of a resource are written, and what follows the first of them.
func measure(name corev1.ResourceName) (figure func(resource.Quantity) string, unit string) {
	switch name {
	case corev1.ResourceLimitsCPU:
		return number, " CPU"
	case corev1.ResourceRequestsCPU:
		return number, " reserved CPU"
	case corev1.ResourceLimitsMemory:
		return size, " of memory"
	case corev1.ResourceRequestsMemory:
		return size, " of reserved memory"
	case corev1.ResourceRequestsStorage:
		return size, " of disk"
	case corev1.ResourcePersistentVolumeClaims:
		return number, " disks"
	default:
		return number, " " + string(name)
	}
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
