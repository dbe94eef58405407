package views

import (
	"cmp"
	"strconv"
)

// podLook spins while a pod is neither up nor failed.
func podLook(p Pod) look {
	if p.Tone == TonePlain || p.Tone == "" {
		return look{glyph: glyphLoader, class: "t-run", spins: true}
	}
	l := toneLook(p.Tone)
	l.class = "t-" + string(p.Tone)
	return l
}

// podWord describes a pod: by its message, or else by its phase.
func podWord(p Pod) string { return cmp.Or(p.Message, p.Phase) }

func podPhase(p Pod) Tone {
	return cmp.Or(p.Tone, TonePlain)
}

func containerKind(c Container) string {
	if c.Init {
		return "Init"
	}
	return "Cont."
}

// containerState is the state with its reason, as Kubernetes names them.
func containerState(c Container) string {
	if c.Reason == "" || c.Reason == c.State {
		return c.State
	}
	return c.State + ": " + c.Reason
}

func number(n int32) string { return strconv.Itoa(int(n)) }
