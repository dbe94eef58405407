package phrase

import (
	"fmt"
	"strings"

	"shopwright.dev/shopwright/store"
)

// Check says in one sentence what came of a check.
func Check(c store.Check) string {
	why := Why(c)
	switch {
	case !c.OK && c.Failed == store.AtCheck:
		return "The order check couldn’t run: " + why
	case !c.OK && c.Failed == store.AtAddress:
		return "The address doesn’t lead to the shop: " + why
	case !c.OK:
		return fmt.Sprintf("The order check failed at %s: %s", c.Failed, why)
	case c.Simulated:
		return "Simulated: this cluster runs no containers, so no order was placed."
	case c.Closed:
		return "The owner has closed the shop."
	case c.Order != "":
		return fmt.Sprintf("Order %s was placed and cancelled.", c.Order)
	default:
		return "The order check passed up to checkout."
	}
}

// Why says why a check failed, in the shop's words or in ours.
func Why(c store.Check) string {
	if c.Failed == store.AtCheck {
		return Sentence(Note(c.Note))
	}
	return Note(c.Note)
}

// degraded says why a shop no longer sells: where its check failed, and the cause if it is known.
func degraded(d store.EventData) string {
	said, cause := Note(d.Note), Failure(d.Failure).Cause
	if cause == "" {
		return said
	}
	return strings.TrimRight(said, ".") + ". " + cause
}
