package views

import (
	"fmt"
	"strconv"
)

// look is the icon of a state, and the class for its colour.
type look struct {
	glyph glyph
	class string
	spins bool
}

func (l look) turning() string {
	if l.spins {
		return "is-running"
	}
	return ""
}

func statusLook(s Status) look {
	switch s {
	case Provisioning:
		return look{glyph: glyphLoader, class: "sw-st-run", spins: true}
	case Upgrading:
		return look{glyph: glyphArrowUpCircle, class: "sw-st-run"}
	case Ready:
		return look{glyph: glyphCheckCircle, class: "sw-st-ok"}
	case Degraded:
		return look{glyph: glyphTriangle, class: "sw-st-warn"}
	case Failed:
		return look{glyph: glyphOctagon, class: "sw-st-bad"}
	case Sleeping:
		return look{glyph: glyphMoon, class: "sw-st-off"}
	default:
		return look{glyph: glyphTrash, class: "sw-st-off"}
	}
}

func toneLook(t Tone) look {
	switch t {
	case ToneOK:
		return look{glyph: glyphCheckCircle, class: "sw-st-ok"}
	case ToneWarn:
		return look{glyph: glyphTriangle, class: "sw-st-warn"}
	case ToneBad:
		return look{glyph: glyphOctagon, class: "sw-st-bad"}
	default:
		return look{glyph: glyphMinus, class: "sw-st-off"}
	}
}

// noteClass returns the class of a notice.
func noteClass(t Tone) string {
	if t == TonePlain || t == "" {
		return "sw-note"
	}
	return "sw-note sw-note-" + string(t)
}

// noteLook returns the icon of a notice.
func noteLook(t Tone) look {
	if t == TonePlain || t == "" {
		return look{glyph: glyphInfo, class: "text-muted"}
	}
	l := toneLook(t)
	l.class = "t-" + string(t)
	return l
}

func healthLook(h Health) look {
	switch {
	case !h.OK:
		return noteLook(ToneWarn)
	case h.Quiet:
		return noteLook(TonePlain)
	default:
		return noteLook(ToneOK)
	}
}

func stepLook(t Tick) look {
	switch t {
	case TickDone:
		return look{glyph: glyphCheckCircle, class: "t-ok"}
	case TickRunning:
		return look{glyph: glyphLoader, class: "t-run", spins: true}
	case TickBad:
		return look{glyph: glyphOctagon, class: "t-bad"}
	default:
		return look{glyph: glyphDashed, class: "text-muted"}
	}
}

func stepWord(t Tick) string {
	switch t {
	case TickDone:
		return "done"
	case TickRunning:
		return "running"
	case TickBad:
		return "failed"
	default:
		return "pending"
	}
}

const tickPitch = 8 // distance between two ticks of a rule

// tickBox is the box of one tick in a rule. Pending steps are low and failed ones tall, so that colour is
// not the only difference.
type tickBox struct {
	x, y, height, class string
}

func boxOf(n int, t Tick) tickBox {
	box := tickBox{x: strconv.Itoa(n * tickPitch), y: "2", height: "8", class: "k-" + string(t)}
	switch t {
	case TickToDo:
		box.y, box.height = "4", "4"
	case TickBad:
		box.y, box.height = "0", "12"
	}
	return box
}

func ruleWidth(ticks []Tick) string { return strconv.Itoa(len(ticks)*tickPitch - 2) }

func ruleBox(ticks []Tick) string { return "0 0 " + ruleWidth(ticks) + " 12" }

// ruleLabel describes the ticks for screen readers.
func ruleLabel(ticks []Tick) string {
	done := 0
	for n, t := range ticks {
		switch t {
		case TickRunning:
			return fmt.Sprintf("Step %d of %d", n+1, len(ticks))
		case TickBad:
			return fmt.Sprintf("Failed at step %d of %d", n+1, len(ticks))
		case TickDone:
			done++
		}
	}
	return fmt.Sprintf("%d of %d steps done", done, len(ticks))
}

// noteRole returns the ARIA role: only an error interrupts a screen reader.
func noteRole(t Tone) string {
	if t == ToneBad {
		return "alert"
	}
	return "status"
}
