// Package legible turns what others wrote, in whatever bytes, into text that a page may show
// and that somebody may paste into a terminal. It knows nobody.
package legible

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is valid, without escape sequences and control characters, and without what reorders
// the text beside it. Line breaks and tabs stay.
func Text(text string) string {
	return strings.Map(printable, escapes.ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), ""))
}

// Line is Text in one line. One that was cut anywhere, also within a character or an escape
// sequence, is legible up to there.
func Line(line string, cut bool) string {
	if cut {
		line = begunEscape.ReplaceAllString(wholeRunes(line), "")
	}
	return strings.ReplaceAll(Text(strings.TrimSuffix(line, "\r")), "\n", " ")
}

// escapes are what a terminal takes for commands: colours, titles, the end of a paste.
// See ECMA-48, sections 5.3 to 5.6.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-~])`)

// begunEscape is one that ends with the text, except for those that need no end.
var begunEscape = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*|[ -/]*)$`)

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

// wholeRunes is the text without a character of which the end is missing.
func wholeRunes(text string) string {
	for at := len(text) - 1; at >= max(0, len(text)-utf8.UTFMax); at-- {
		if utf8.RuneStart(text[at]) {
			if !utf8.FullRuneInString(text[at:]) {
				return text[:at]
			}
			break
		}
	}
	return text
}
