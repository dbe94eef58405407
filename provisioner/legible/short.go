package legible

import "strings"

const (
	longestText = 1024 // characters; an event's message may have as many bytes
	longestWord = 256  // of what Kubernetes means to be a name
)

// Plain is Text, and not without end. Line breaks stay.
func Plain(text string) string { return short(text, longestText) }

// Word is Plain for what should be a name, such as a reason: a short text in one line.
func Word(text string) string { return strings.Join(strings.Fields(short(text, longestWord)), " ") }

func short(text string, longest int) string {
	cut := FirstRunes(text, longest)
	if len(cut) < len(text) {
		return Text(cut) + "…"
	}
	return Text(cut)
}

// FirstRunes is the beginning of the text, which need not be valid.
func FirstRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
