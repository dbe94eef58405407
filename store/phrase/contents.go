package phrase

import (
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"shopwright.dev/shopwright/store"
)

// Contents says what a shop had when a restore point was made; empty if it was not counted.
func Contents(c store.Contents) string {
	if !c.Counted {
		return ""
	}
	return counted(c.Orders, "order") + ", " + counted(c.Products, "product") + ", " + counted(c.Customers, "customer")
}

// counted is [Count] for numbers that may be large.
func counted(n int, noun string) string {
	return strings.Replace(Count(n, noun), strconv.Itoa(n), message.NewPrinter(language.English).Sprint(n), 1)
}
