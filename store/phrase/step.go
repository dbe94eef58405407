package phrase

import "shopwright.dev/shopwright/store"

// Step is what people call a step.
func Step(s store.Step) string {
	switch s {
	case "", store.StepQueued:
		return "Queued"
	case store.StepNamespace:
		return "Namespace"
	case store.StepLimits:
		return "Limits"
	case store.StepCredentials:
		return "Credentials"
	case store.StepRelease:
		return "Release"
	case store.StepData:
		return "Data"
	case store.StepWorkloads:
		return "Workloads"
	case store.StepSetup:
		return "Setup"
	case store.StepCheck:
		return "Order check"
	case store.StepAddress:
		return "Address"
	case store.StepReady:
		return "Ready"
	case store.StepUninstall:
		return "Uninstall"
	case store.StepVolumes:
		return "Disks"
	case store.StepRemove:
		return "Namespace"
	case store.StepGone:
		return "Deleted"
	case store.StepRepository:
		return "Repository"
	case store.StepDatabase:
		return "Database"
	case store.StepFiles:
		return "Files"
	case store.StepManifest:
		return "Manifest"
	}
	return string(s)
}
