package store

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold is a text as searches compare it: without case, accents and other marks, and in one
// spelling of what Unicode can write in several ways. The databases know the case of ASCII only,
// so it is written with each row that can be searched for.
func Fold(text string) string {
	var plain strings.Builder
	for _, r := range norm.NFKD.String(text) {
		if !unicode.Is(unicode.Mn, r) {
			plain.WriteRune(r)
		}
	}
	return cases.Fold().String(plain.String())
}

// longestText is how much is kept of a text that the cluster wrote, in bytes.
const longestText = 4 << 10

// kept is a text from outside as both databases take it: valid, without NUL, and not so
// long that a list of stores would drag it along.
func kept(text string) string {
	if len(text) > longestText {
		text = text[:longestText] + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// Storable is the failure with all its texts as they are kept.
func (f Failure) Storable() Failure {
	f.Facts, f.Note = f.Facts.kept(), f.Note.Storable()
	evidence := f.Evidence
	f.Evidence, f.HelmLog, f.LastWords.Lines = nil, keptLines(f.HelmLog), keptLines(f.LastWords.Lines)
	for _, e := range evidence {
		e.Object, e.Reason, e.Message = kept(e.Object), kept(e.Reason), kept(e.Message)
		f.Evidence = append(f.Evidence, e)
	}
	return f
}

// kept are the facts with all their texts as they are kept.
func (f Facts) kept() Facts {
	for _, text := range []*string{&f.Object, &f.Pod, &f.Container, &f.Image, &f.Name, &f.Limit, &f.Status, &f.Doing, &f.Quote} {
		*text = kept(*text)
	}
	f.Names = keptLines(f.Names)
	return f
}

func keptLines(lines []string) (all []string) {
	for _, line := range lines {
		all = append(all, kept(line))
	}
	return all
}
