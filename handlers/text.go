package handlers

import (
	"strings"

	"shopwright.dev/shopwright/provisioner/legible"
)

const (
	longestText = 1024 // characters; an event's message may have as many bytes
	longestWord = 256  // of what Kubernetes means to be a name
)

// plain is text that others wrote, as a page may show it: legible, and not without end.
// Line breaks stay.
func plain(text string) string { return readable(text, longestText) }

// word is plain for what should be a name, such as a reason.
func word(text string) string { return strings.Join(strings.Fields(readable(text, longestWord)), " ") }

func readable(text string, longest int) string {
	cut := firstRunes(text, longest)
	if len(cut) < len(text) {
		return legible.Text(cut) + "…"
	}
	return legible.Text(cut)
}

// firstRunes is the beginning of the text, which need not be valid.
func firstRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
