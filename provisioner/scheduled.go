package provisioner

import (
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
)

// scheduledComponent is the component label of what a shop does from time to time. A run that
// fails, or finds no room, is made up for by the next: it says nothing of the shop.
const scheduledComponent = "cron"

// withoutScheduled is the snapshot as far as it tells how the shop is.
func withoutScheduled(s kube.Snapshot) kube.Snapshot {
	s.Pods = slices.DeleteFunc(slices.Clone(s.Pods), func(p kube.Pod) bool { return p.Component == scheduledComponent })
	s.Jobs = slices.DeleteFunc(slices.Clone(s.Jobs), func(j kube.Job) bool { return j.Component == scheduledComponent })
	return s
}
