package live

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

// says is a part that shows a text.
func says(target, text string) Part {
	return Part{Target: target, Component: templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})}
}

func settled(p Part) Part { p.Settled = true; return p }

func row(target, text string) Part { p := says(target, text); p.Within = "rows"; return p }

// table contains the rows, and changes only when there are others.
func table(text, shape string) Part { p := says("rows", text); p.Shape = shape; return p }

// editions makes one edition of each set of parts, with ten events before each.
func editions(t *testing.T, sets ...[]Part) []*edition {
	t.Helper()
	var all []*edition
	var before *edition
	for i, parts := range sets {
		e, err := newEdition(t.Context(), before, parts, int64(10*i+10), int64(10*i+12))
		if err != nil {
			t.Fatal(err)
		}
		all, before = append(all, e), e
	}
	return all
}

func wantMessage(t *testing.T, what string, got []byte, err error, want ...string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two", "head", "rows-a", "rows-b", "rows-c"} {
		wanted := false
		for _, w := range want {
			wanted = wanted || w == text
		}
		if strings.Contains(string(got), text) != wanted {
			t.Errorf("%s: %q: %v in\n%s", what, text, !wanted, got)
		}
	}
}

func TestEditionsTellWhatAReaderLacks(t *testing.T) {
	t.Parallel()
	all := editions(t,
		[]Part{says("h", "head"), table("rows-a", "1 2"), row("1", "one"), row("2", "-")},
		[]Part{settled(says("h", "head")), settled(table("rows-b", "1 2")), settled(row("1", "one")), row("2", "two")},
		[]Part{says("h", "head"), settled(table("rows-b", "1 2")), settled(row("1", "one")), settled(row("2", "two"))},
		[]Part{says("h", "-"), table("rows-c", "2"), row("2", "two")})
	first, second, same, last := all[0], all[1], all[2], all[3]
	if first.nth != 1 || second.nth != 2 || same.nth != 2 || last.nth != 3 {
		t.Errorf("editions are numbered %d, %d, %d, %d", first.nth, second.nth, same.nth, last.nth)
	}
	message, err := first.begin(t.Context(), 11)
	wantMessage(t, "a page that may lack something", message, err, "head", "rows-a")
	message, err = first.begin(t.Context(), 12)
	wantMessage(t, "a page that has everything", message, err)
	message, err = second.since(t.Context(), 1)
	wantMessage(t, "from the first to the second", message, err, "two")
	message, err = same.since(t.Context(), 1)
	wantMessage(t, "from the first to one that looks like the second", message, err, "two")
	message, err = second.begin(t.Context(), 12)
	wantMessage(t, "a page of the time of the first", message, err, "two")
	message, err = last.since(t.Context(), 2)
	wantMessage(t, "from the second to the last", message, err, "rows-c")
	message, err = last.since(t.Context(), 1)
	wantMessage(t, "from the first to the last", message, err, "rows-c")
	if !strings.HasPrefix(string(message), "id: 40\n") {
		t.Errorf("the last edition's messages begin with %.10s", message)
	}
}

func TestNoTextCanEndItsLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a":                       "data: a\n",
		"a\nid: 5\n\nevent: x":    "data: a\ndata: id: 5\ndata: \ndata: event: x\n",
		"a\rid: 5\r\revent: x":    "data: a\ndata: id: 5\ndata: \ndata: event: x\n",
		"a\r\nid: 5\r\n\r\nb\r\n": "data: a\ndata: id: 5\ndata: \ndata: b\n",
	} {
		if got := string(Frame("7", []byte(text))); got != "id: 7\n"+want+"\n" {
			t.Errorf("%q is framed as %q", text, got)
		}
	}
}
