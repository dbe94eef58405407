// Package phrase makes the sentences about records: of an event, of a failure, and of what a store is
// brought to.
// The records hold codes and data; pages, the API, mails and files show what this package makes of
// them. There is one place for each code, so that another language is another version of this package.
//
// It knows the records and nobody else. Quotes of what a cluster or a shop said are data, and stay as
// they are: whoever shows a sentence makes it legible.
package phrase

import (
	"cmp"
	"strconv"
	"strings"
)

// Count is a number with the noun that it counts.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Sentence makes one of what others said: without the line breaks, with a full stop.
func Sentence(quote string) string {
	said := strings.TrimRight(strings.Join(strings.Fields(quote), " "), ".")
	if said == "" {
		said = "no reason was given"
	}
	return said + "."
}

// list is the names in a row.
func list(names []string) string { return cmp.Or(strings.Join(names, ", "), "none") }

// join separates the parts that say something.
func join(separator string, parts ...string) string {
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, separator)
}
