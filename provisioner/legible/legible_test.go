package legible_test

import (
	"testing"

	"shopwright.dev/shopwright/provisioner/legible"
)

func TestText(t *testing.T) {
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
		if got := legible.Text(said); got != want {
			t.Errorf("%q is %q, not %q", said, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"GET / 200\r":       "GET / 200",
		" 10%\r 20%\u2028x": " 10%  20% x",
		"\x1b[32mok\x1b[0m": "ok",
		"cut in ä\xc3":      "cut in ä�",
		"cut in \x1b[3":     "cut in 3",
	} {
		if got := legible.Line(said, false); got != want {
			t.Errorf("%q is %q, not %q", said, got, want)
		}
	}
	for said, want := range map[string]string{
		"cut in ä\xc3":         "cut in ä",
		"cut in 👩\xf0\x9f\x91": "cut in 👩",
		"cut in \x1b[3":        "cut in ",
		"cut in \x1b":          "cut in ",
		"cut in \x1b]0;ti":     "cut in ",
		"not cut in \xff":      "not cut in �",
		"":                     "",
	} {
		if got := legible.Line(said, true); got != want {
			t.Errorf("%q, cut, is %q, not %q", said, got, want)
		}
	}
}
