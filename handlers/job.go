package handlers

import "shopwright.dev/shopwright/store"

// jobTitle says above a timeline what is done.
func jobTitle(j store.Job) string {
	switch {
	case j.Kind == store.RemoveJob:
		return "Removing the store"
	case j.Attempt > 1:
		return "Going on with the shop"
	case j.Change.Undone.Code == store.ChangeWasCancelled:
		return "Cancelling the change"
	case j.Change.Undone.Title != "":
		return "Going back to what sold"
	}
	switch j.Change.Kind {
	case store.Rebuild:
		return "Opening the shop anew"
	case store.Repair:
		return "Putting the shop back"
	case store.Upgrade:
		return "Upgrading the shop"
	case store.Rollback:
		return "Rolling the shop back"
	case store.OwnerChange:
		return "Changing the owner’s email"
	default:
		return "Opening the shop"
	}
}

// jobName says in the queue what somebody has asked for.
func jobName(j store.Job) string {
	switch {
	case j.Kind == store.RemoveJob:
		return "Deletion"
	case j.Attempt > 1:
		return "Another try"
	case j.Change.Undone.Code == store.ChangeWasCancelled:
		return "Cancelling a change"
	case j.Change.Undone.Title != "":
		return "Undoing a change"
	}
	switch j.Change.Kind {
	case store.Rebuild:
		return "Rebuilding"
	case store.Repair:
		return "Putting back"
	case store.Upgrade:
		return "Upgrade"
	case store.Rollback:
		return "Rollback"
	case store.OwnerChange:
		return "Owner’s email"
	default:
		return "Opening"
	}
}
