package handlers

import (
	"strings"
	"testing"
)

func TestTextOfOthersIsShownAsPlainText(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Back-off pulling image \"a\":\n\tnot found":   "Back-off pulling image \"a\":\n\tnot found",
		"<script>alert(1)</script>":                    "<script>alert(1)</script>", // drawing it is up to the views
		"\x1b[1;31mred\x1b[0m \x1b]0;title\aand plain": "red and plain",
		"\x1b]8;;javascript:alert(1)\x1b\\link\x1b(B":  "link",
		"pasted\x1b[201~rm":                            "pastedrm",
		"unended \x1b]0;title":                         "unended ",
		"a\x00b\x7fc\u009bd":                           "a�b�c�d",
		"one\rtwo\u2028three\u0085four":                "one\ntwo\nthree\nfour",
		"inv\xff\xfealid \xc3(":                        "inv�alid �(",
		"\u202egnp.exe\u202c \u2067x\u2069 \u200ey":    "gnp.exe x y",
		"שלום, emoji 👩‍💻 and é":                        "שלום, emoji 👩‍💻 and é",
	} {
		if got := plain(said); got != want {
			t.Errorf("%q is shown as %q, not as %q", said, got, want)
		}
	}
}

func TestTextOfOthersHasAnEnd(t *testing.T) {
	t.Parallel()
	if got, want := plain(strings.Repeat("ä", 100_000)), strings.Repeat("ä", longestText)+"…"; got != want {
		t.Errorf("100,000 letters are shown as %d bytes, not %d", len(got), len(want))
	}
	if got := plain(strings.Repeat("ä", longestText)); strings.HasSuffix(got, "…") {
		t.Error("what just fits is said to be cut")
	}
	if got, want := word(" Failed\nto "+strings.Repeat("x", 1000)), "Failed to "+strings.Repeat("x", longestWord-11)+"…"; got != want {
		t.Errorf("a long reason is shown as %q", got)
	}
}
