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
		return "Removing the store", "Deletion"
	case j.Attempt > 1:
		return "Going on with the shop", "Another try"
	case j.Change.Undone.Code == store.ChangeWasCancelled:
		return "Cancelling the change", "Cancelling a change"
	case j.Change.Undone.Title != "":
		return "Going back to what sold", "Undoing a change"
	}
	switch j.Change.Kind {
	case store.Rebuild:
		return "Opening the shop anew", "Rebuilding"
	case store.Repair:
		return "Putting the shop back", "Putting back"
	case store.Upgrade:
		return "Upgrading the shop", "Upgrade"
	case store.Rollback:
		return "Rolling the shop back", "Rollback"
	case store.OwnerChange:
		return "Changing the owner’s email", "Owner’s email"
	default:
		return "Opening the shop", "Opening"
	}
}
