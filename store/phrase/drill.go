package phrase

import (
	"fmt"

	"shopwright.dev/shopwright/store"
)

// drillLine is about the rehearsal of a store's restore.
func drillLine(e store.Event) Line {
	note, title := Note(e.Data.Note), Failure(e.Data.Failure).Title
	switch e.Kind {
	case store.DrillAsked:
		return Line{Message: "Restore drill requested", Verb: "requested a restore drill of"}
	case store.DrillScheduled:
		return Line{Message: "Scheduled restore drill", Verb: "scheduled a restore drill of"}
	case store.DrillPassed:
		return Line{Message: join(": ", "Restore drill passed", note), Verb: "Restore drill passed for", Detail: note}
	case store.DrillFailed:
		return Line{Message: join(": ", "Restore drill failed", title), Verb: "Restore drill failed for", Detail: title}
	case store.DrillOverdue:
		return Line{Message: "Restore drill overdue", Verb: "Restore drill overdue for"}
	case store.DrillCancelled:
		return Line{Message: "Restore drill cancelled", Verb: "cancelled the restore drill of"}
	}
	return Line{}
}

// drillFailure is about a drill that was ended before it had passed or failed.
func drillFailure(f store.Failure) Explanation {
	if f.Code != store.DrillWasCancelled {
		return Explanation{}
	}
	who := "Shopwright"
	if f.Facts.Person != "" {
		who = f.Facts.Person
	}
	return Explanation{"The restore drill was cancelled", who + " deleted the store before the drill had ended.", "Press Drill now to start another one."}
}

// Drill says why a drill has failed. Its store is gone, so that nothing can be pressed there.
func Drill(f store.Failure) Explanation {
	said := Failure(f)
	if f.Code != store.DrillWasCancelled {
		said.Next = "Fix the cause, then press Drill now. Otherwise Shopwright tries again a day later."
	}
	return said
}

// DrillEvery says how often the restore of a plan's stores is rehearsed: so many days, zero for never.
func DrillEvery(days int) string {
	switch days {
	case 0:
		return "Never"
	case 1:
		return "Every day"
	}
	return fmt.Sprintf("Every %d days", days)
}
