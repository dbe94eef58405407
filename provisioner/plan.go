package provisioner

import (
	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/kube"
)

// Plan is how much of its cluster a store may take.
type Plan struct {
	Name    string
	Summary string // for people
	Limits  kube.Limits
}

func defaultPlan() Plan {
	return Plan{
		Name:    "default",
		Summary: "5 CPU, 8 GiB, 20 GiB of disk",
		Limits: kube.Limits{
			Quota: map[corev1.ResourceName]string{
				corev1.ResourcePods:                   "20",
				corev1.ResourceRequestsCPU:            "2",
				corev1.ResourceRequestsMemory:         "4Gi",
				corev1.ResourceLimitsCPU:              "5",
				corev1.ResourceLimitsMemory:           "8Gi",
				corev1.ResourcePersistentVolumeClaims: "5",
				corev1.ResourceRequestsStorage:        "20Gi",
			},
			DefaultRequest: map[corev1.ResourceName]string{corev1.ResourceCPU: "100m", corev1.ResourceMemory: "128Mi"},
			Default:        map[corev1.ResourceName]string{corev1.ResourceCPU: "500m", corev1.ResourceMemory: "512Mi"},
			Max:            map[corev1.ResourceName]string{corev1.ResourceCPU: "2", corev1.ResourceMemory: "4Gi"},
		},
	}
}
