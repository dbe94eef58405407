package handlers

import (
	"fmt"
	"time"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

// health returns what the overview shows about the last check of a ready store.
func health(who signin.Visitor, st store.Store) views.Health {
	last := st.Health.Last
	shown := views.Health{
		StoreID: st.ID, At: last.At, OK: last.OK, Quiet: last.Simulated || last.Closed, Degraded: st.Status == store.Degraded,
		Summary: plain(phrase.Check(last)), Cause: plain(phrase.Failure(last.Cause).Cause), Address: plain(phrase.Note(last.Address.Note)), Next: nextCheck(st), Due: st.CheckAsked,
		Can: st.CanCheck() && who.Actor.May(store.RetryStores, st.TeamID),
	}
	for _, step := range last.Steps {
		shown.Steps = append(shown.Steps, views.Fact{Name: word(step.Name), Value: views.Took(step.Took)})
	}
	return shown
}

func nextCheck(st store.Store) string {
	if st.CheckAsked {
		return "A test order is about to be placed."
	}
	if st.CheckDue.IsZero() {
		return "Checked after changes and on request."
	}
	return "Checked automatically about every " + every(st.CheckDue.Sub(st.Health.Last.At)) + ", up to checkout."
}

// every formats an interval in whole hours or minutes.
func every(d time.Duration) string {
	switch hours, minutes := int(d.Round(time.Hour).Hours()), int(d.Round(time.Minute).Minutes()); {
	case hours > 1:
		return fmt.Sprintf("%d hours", hours)
	case minutes >= 45:
		return "hour"
	case minutes > 1:
		return fmt.Sprintf("%d minutes", minutes)
	default:
		return "minute"
	}
}
