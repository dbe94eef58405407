package live

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"

	"github.com/a-h/templ"

	"shopwright.dev/shopwright/views"
)

// edition is a page as it was drawn at one time. It does not change.
type edition struct {
	nth    int   // from 1; the same as the one before when nothing looks different
	number int64 // of the newest event that it surely takes in: the id of its messages
	parts  []drawn
	delta  []byte // the message for readers of the edition before
}

// drawn is a part as an edition shows it.
type drawn struct {
	Part
	sum    [sha256.Size]byte
	nth    int   // of the edition that changed it last
	newest int64 // no event after this one can be in its latest drawing
}

// newEdition draws the parts that are not settled, and numbers those that look different
// from the edition before, if there is one.
func newEdition(ctx context.Context, before *edition, parts []Part, number, newest int64) (*edition, error) {
	if before == nil {
		before = &edition{}
	}
	old := map[string]drawn{}
	for _, d := range before.parts {
		old[d.Target] = d
	}
	e := &edition{nth: before.nth, number: number, delta: before.delta}
	for _, p := range parts {
		d, known := old[p.Target]
		if !p.Settled || !known {
			sum, err := p.sum(ctx)
			if err != nil {
				return nil, err
			}
			if !known || sum != d.sum {
				e.nth = before.nth + 1
				d.sum, d.nth = sum, e.nth
			}
			d.newest = newest
		}
		d.Part = p
		e.parts = append(e.parts, d)
	}
	if e.nth == before.nth || e.nth == 1 {
		return e, nil
	}
	var err error
	e.delta, err = e.message(ctx, func(d drawn) bool { return d.nth == e.nth })
	return e, err
}

func (p Part) sum(ctx context.Context) ([sha256.Size]byte, error) {
	if p.Shape != "" {
		return sha256.Sum256([]byte(p.Shape)), nil
	}
	var text bytes.Buffer
	if err := p.Component.Render(ctx, &text); err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("render %s: %w", p.Target, err)
	}
	return sha256.Sum256(text.Bytes()), nil
}

// since is the message for a reader who has the nth edition.
func (e *edition) since(ctx context.Context, nth int) ([]byte, error) {
	if nth == e.nth-1 {
		return e.delta, nil
	}
	return e.message(ctx, func(d drawn) bool { return d.nth > nth })
}

// begin is the message for a reader whose page shows everything up to the event with that
// number.
func (e *edition) begin(ctx context.Context, number int64) ([]byte, error) {
	return e.message(ctx, func(d drawn) bool { return d.newest > number || d.Fleeting })
}

// message brings those parts that are asked for, or nothing. A part that is within another
// one goes with that.
func (e *edition) message(ctx context.Context, wanted func(drawn) bool) ([]byte, error) {
	whole := map[string]bool{}
	for _, d := range e.parts {
		if d.Shape != "" && wanted(d) {
			whole[d.Target] = true
		}
	}
	var text bytes.Buffer
	for _, d := range e.parts {
		if !wanted(d) || whole[d.Within] {
			continue
		}
		if err := partial(d.Target, d.Component).Render(ctx, &text); err != nil {
			return nil, fmt.Errorf("render %s: %w", d.Target, err)
		}
	}
	if text.Len() == 0 {
		return nil, nil
	}
	return Frame(strconv.FormatInt(e.number, 10), text.Bytes()), nil
}

func partial(target string, c templ.Component) templ.Component {
	return views.Partial("#"+target, "outerMorph", c)
}

// Frame is a message as the standard of server-sent events has it: a line of data for each
// line of text, which a carriage return ends as well.
func Frame(id string, text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	var out bytes.Buffer
	out.WriteString("id: " + id + "\n")
	for line := range bytes.Lines(text) {
		out.WriteString("data: ")
		out.Write(bytes.TrimSuffix(line, []byte("\n")))
		out.WriteByte('\n')
	}
	out.WriteByte('\n')
	return out.Bytes()
}
