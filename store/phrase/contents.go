package phrase

import (
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"shopwright.dev/shopwright/store"
)

// Contents says what a shop had when a restore point was made; empty if it was not counted.
func Contents(c store.Contents) string { return ContentsSince(c, store.Contents{}) }

// ContentsSince is [Contents] with what has changed since the point before, if that was counted, too: 12 orders (+3).
func ContentsSince(c, before store.Contents) string {
	if !c.Counted {
		return ""
	}
	if !before.Counted {
		before = c
	}
	return counted(c.Orders, before.Orders, "order") + ", " + counted(c.Products, before.Products, "product") + ", " + counted(c.Customers, before.Customers, "customer")
}

// counted is [Count] for numbers that may be large.
func counted(n, before int, noun string) string {
	digits := message.NewPrinter(language.English)
	text := strings.Replace(Count(n, noun), strconv.Itoa(n), digits.Sprint(n), 1)
	switch {
	case n > before:
		return text + " (+" + digits.Sprint(n-before) + ")"
	case n < before:
		return text + " (−" + digits.Sprint(before-n) + ")"
	}
	return text
}
