package provisioner

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// limitsOf returns the limits of a store with that plan. Two fifths of its CPU and half of its memory are
// reserved as requests; it gets the rest while nobody else needs it.
func limitsOf(p store.Plan) kube.Limits {
	limits := ofContainers()
	limits.Quota = map[corev1.ResourceName]string{
		corev1.ResourcePods:                   fmt.Sprint(p.Pods),
		corev1.ResourceRequestsCPU:            fmt.Sprintf("%dm", p.CPU*2/5),
		corev1.ResourceRequestsMemory:         fmt.Sprintf("%dMi", p.Memory/2),
		corev1.ResourceLimitsCPU:              fmt.Sprintf("%dm", p.CPU),
		corev1.ResourceLimitsMemory:           fmt.Sprintf("%dMi", p.Memory),
		corev1.ResourcePersistentVolumeClaims: "5",
		corev1.ResourceRequestsStorage:        fmt.Sprintf("%dMi", p.Disk),
	}
	return limits
}

// ofContainers returns the limits of a single container, which are the same in all plans.
func ofContainers() kube.Limits {
	return kube.Limits{
		DefaultRequest: map[corev1.ResourceName]string{corev1.ResourceCPU: "100m", corev1.ResourceMemory: "128Mi"},
		Default:        map[corev1.ResourceName]string{corev1.ResourceCPU: "500m", corev1.ResourceMemory: "512Mi"},
		Max:            map[corev1.ResourceName]string{corev1.ResourceCPU: "2", corev1.ResourceMemory: "4Gi"},
	}
}
