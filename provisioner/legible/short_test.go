package legible

import (
	"strings"
	"testing"
)

func TestTextOfOthersIsShownAsPlainText(t *testing.T) {
	t.Parallel()
	if got := Plain("\x1b[1;31mred\x1b[0m,\n\u202eplain\x00"); got != "red,\nplain�" {
		t.Errorf("it is shown as %q", got)
	}
}

func TestTextOfOthersHasAnEnd(t *testing.T) {
	t.Parallel()
	if got, want := Plain(strings.Repeat("ä", 100_000)), strings.Repeat("ä", longestText)+"…"; got != want {
		t.Errorf("100,000 letters are shown as %d bytes, not %d", len(got), len(want))
	}
	if got := Plain(strings.Repeat("ä", longestText)); strings.HasSuffix(got, "…") {
		t.Error("what just fits is said to be cut")
	}
	if got, want := Word(" Failed\nto "+strings.Repeat("x", 1000)), "Failed to "+strings.Repeat("x", longestWord-11)+"…"; got != want {
		t.Errorf("a long reason is shown as %q", got)
	}
}
