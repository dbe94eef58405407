package provisioner

import (
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
)

// scheduledComponent is the component label of what a shop does from time to time. A run that
// fails, or finds no room, is made up for by the next: it says nothing of the shop.
const scheduledComponent = "cron"

// withoutScheduled is the snapshot as far as it tells how the shop is. What answers customers in its
// place says nothing of it either.
func withoutScheduled(s kube.Snapshot) kube.Snapshot {
	aside := func(component string) bool {
		return component == scheduledComponent || component == maintenanceComponent
	}
	s.Pods = slices.DeleteFunc(slices.Clone(s.Pods), func(p kube.Pod) bool { return aside(p.Component) })
	s.Jobs = slices.DeleteFunc(slices.Clone(s.Jobs), func(j kube.Job) bool { return aside(j.Component) })
	return s
}
