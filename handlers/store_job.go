package handlers

import "shopwright.dev/shopwright/store"

// jobTitle is the heading of a job's timeline.
func jobTitle(j store.Job) string {
	title, _ := jobWords(j)
	return title
}

// jobName is what the queue calls a job.
func jobName(j store.Job) string {
	_, name := jobWords(j)
	return name
}

func jobWords(j store.Job) (title, name string) {
	switch {
	case j.Kind == store.RemoveJob:
		return "Deleting the store", "Deletion"
	case j.Kind == store.BackupJob:
		return "Backing up the store", "Backup"
	case j.Kind == store.DrillJob:
		return "Rehearsing the restore", "Restore drill"
	case j.Attempt > 1:
		return "Retrying", "Retry"
	case j.Change.Undone.Code == store.ChangeWasCancelled:
		return "Cancelling the change", "Cancellation"
	case j.Change.Undone.Code != "":
		return "Rolling back the failed change", "Automatic rollback"
	}
	switch j.Change.Kind {
	case store.Rebuild:
		return "Rebuilding the shop", "Rebuild"
	case store.Repair:
		return "Repairing the shop", "Repair"
	case store.Upgrade:
		return "Upgrading the shop", "Upgrade"
	case store.Rollback:
		return "Rolling back the shop", "Rollback"
	case store.OwnerChange:
		return "Changing the owner’s email", "Owner’s email change"
	default:
		return "Opening the shop", "Opening"
	}
}
