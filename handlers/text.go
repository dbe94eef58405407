package handlers

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	longestText = 1024 // characters; an event's message may have as many bytes
	longestWord = 256  // of what Kubernetes means to be a name
)

// plain is text that others wrote, as a page may show it and as somebody may paste it into
// a terminal: valid, without escape sequences and control characters, without what reorders
// the text beside it, and not without end. Line breaks stay.
func plain(text string) string { return readable(text, longestText) }

// word is plain for what should be a name, such as a reason.
func word(text string) string { return strings.Join(strings.Fields(readable(text, longestWord)), " ") }

func readable(text string, longest int) string {
	cut := firstRunes(text, longest)
	clean := strings.Map(printable, escapes.ReplaceAllString(strings.ToValidUTF8(cut, "\uFFFD"), ""))
	if len(cut) < len(text) {
		return clean + "…"
	}
	return clean
}

// escapes are what a terminal takes for commands: colours, titles, the end of a paste.
// See ECMA-48, sections 5.3 to 5.6.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-~])`)

func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029':
		return '\n'
	case unicode.Is(unicode.Bidi_Control, r):
		return -1
	case unicode.IsControl(r):
		return utf8.RuneError
	}
	return r
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
