package provisioner

import (
	"cmp"
	"slices"
	"strings"

	"shopwright.dev/shopwright/provisioner/legible"
)

const (
	hidden         = "•••"
	shortestSecret = 8 // bytes; what is shorter stands in too many lines by chance
)

// mask are the secrets of a store, as they look in legible lines.
type mask []string

func newMask(secrets []string) (m mask) {
	for _, secret := range secrets {
		for line := range strings.Lines(secret) {
			if line = legible.Line(strings.TrimSpace(line), false); len(line) >= shortestSecret {
				m = append(m, line)
			}
		}
	}
	return m
}

// hide puts three dots in the place of every secret in a line. Of a line that was cut it hides
// also what can be the beginning of one at its end.
func (m mask) hide(line string, cut bool) string {
	found := m.find(line)
	if cut {
		found = append(found, m.begun(line)...)
	}
	if len(found) == 0 {
		return line
	}
	slices.SortFunc(found, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var shown strings.Builder
	at := 0
	for _, s := range found {
		if s.from >= at {
			shown.WriteString(line[at:s.from] + hidden)
		}
		at = max(at, s.to)
	}
	return shown.String() + line[at:]
}

// stretch is a part of a line, in bytes.
type stretch struct{ from, to int }

// find returns where secrets are, also where they overlap.
func (m mask) find(line string) (found []stretch) {
	for _, secret := range m {
		for from := 0; ; from++ {
			next := strings.Index(line[from:], secret)
			if next < 0 {
				break
			}
			from += next
			found = append(found, stretch{from, from + len(secret)})
		}
	}
	return found
}

// begun returns the ends of the line with which a secret begins.
func (m mask) begun(line string) (found []stretch) {
	for _, secret := range m {
		for n := min(len(secret), len(line)); n > 0; n-- {
			if strings.HasSuffix(line, secret[:n]) {
				found = append(found, stretch{len(line) - n, len(line)})
				break
			}
		}
	}
	return found
}
