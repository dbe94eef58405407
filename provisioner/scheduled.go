package provisioner

import (
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
)

// scheduledComponent is the component label of a shop's scheduled jobs. A run that fails, or finds no
// room, does not mean that the shop is broken: the next run makes up for it.
const scheduledComponent = "cron"

// withoutScheduled returns the snapshot without pods and jobs that say nothing about the state of the
// shop: those of scheduled jobs and of the maintenance page.
func withoutScheduled(s kube.Snapshot) kube.Snapshot {
	aside := func(component string) bool {
		return component == scheduledComponent || component == maintenanceComponent
	}
	s.Pods = slices.DeleteFunc(slices.Clone(s.Pods), func(p kube.Pod) bool { return aside(p.Component) })
	s.Jobs = slices.DeleteFunc(slices.Clone(s.Jobs), func(j kube.Job) bool { return aside(j.Component) })
	return s
}
