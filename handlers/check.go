package handlers

import (
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// health is what the overview shows of the last check of a store that is ready.
func health(who visitor, st store.Store) views.Health {
	last := st.Health.Last
	shown := views.Health{
		StoreID: st.ID, At: last.At, OK: last.OK, Quiet: last.Simulated || last.Closed, Degraded: st.Status == store.Degraded,
		Summary: healthSummary(last), Cause: plain(last.Cause), Address: plain(last.Address.Message), Next: nextCheck(st), Due: st.CheckAsked,
		Can: st.CanCheck() && who.Actor.May(store.RetryStores, st.TeamID),
	}
	for _, step := range last.Steps {
		shown.Steps = append(shown.Steps, views.Fact{Name: word(step.Name), Value: views.Took(step.Took)})
	}
	return shown
}

// healthSummary says in one sentence what came of a check.
func healthSummary(c store.Check) string {
	switch {
	case !c.OK && c.Failed == "check":
		return "The order check could not be made: " + plain(c.Message)
	case !c.OK && c.Failed == "address":
		return "The address does not lead to the shop: " + plain(c.Message)
	case !c.OK:
		return fmt.Sprintf("A customer got as far as %s: %s", word(c.Failed), plain(c.Message))
	case c.Simulated:
		return "Simulated: this cluster runs no containers, so nothing was sold."
	case c.Closed:
		return "The shop is closed by its owner."
	case c.Order != "":
		return fmt.Sprintf("Order %s was placed and cancelled again.", word(c.Order))
	default:
		return "A customer got as far as the till."
	}
}

func nextCheck(st store.Store) string {
	if st.CheckAsked {
		return "An order is about to be placed."
	}
	if st.CheckDue.IsZero() {
		return "It is checked after changes, and when you ask."
	}
	return "Checked again by itself about every " + every(st.CheckDue.Sub(st.Health.Last.At)) + ", up to the till."
}

// every is a pause for people, in whole hours or minutes.
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
