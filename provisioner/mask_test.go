package provisioner_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
)

// stamp is what a node puts in front of each line.
const stamp = "2026-01-02T03:04:05.123456789Z "

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secrets    []string
		said, want string
	}{
		"alone":                     {[]string{"hunter2hunter2"}, "hunter2hunter2", "•••"},
		"twice in an address":       {[]string{"hunter2hunter2"}, "mysql://root:hunter2hunter2@db/hunter2hunter2", "mysql://root:•••@db/•••"},
		"too short":                 {[]string{"admin", "", "1234567"}, "admin logs in 1234567 times", "admin logs in 1234567 times"},
		"just long enough":          {[]string{"12345678"}, "x12345678x", "x•••x"},
		"one within another":        {[]string{"password", "mypasswords"}, "mypasswords password", "••• •••"},
		"two that overlap":          {[]string{"abcdefgh", "efghijkl"}, "<abcdefghijkl>", "<•••>"},
		"one that overlaps itself":  {[]string{"abababab"}, "ababababab!", "•••!"},
		"split by a colour":         {[]string{"hunter2hunter2"}, "\x1b[1mhunter2\x1b[0mhunter2\x1b[m", "•••"},
		"split by a direction":      {[]string{"hunter2hunter2"}, "hunter2\u202ehunter2", "•••"},
		"of several lines":          {[]string{"-----BEGIN\nMIIEabcdef\n-----END--\n"}, "key MIIEabcdef", "key •••"},
		"with a line's other end":   {[]string{"hunter2hunter2\r\n"}, "hunter2hunter2\r", "•••"},
		"nothing that is a secret":  {[]string{"hunter2hunter2"}, "hunter2hunter3", "hunter2hunter3"},
		"no secrets that are known": {nil, "hunter2hunter2", "hunter2hunter2"},
	} {
		line, err := provisioner.ReadLog(strings.NewReader(stamp+c.said+"\n"), c.secrets...).Next()
		if err != nil || line.Text != c.want {
			t.Errorf("%s: %q is shown as %q, %v; want %q", name, c.said, line.Text, err, c.want)
		}
	}
}

// However a log comes, in whatever pieces, and wherever its lines are cut: no secret is read
// in it, nor the beginning of one where a line ends early.
func TestNoSecretSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringOfN(rapid.RuneFrom([]rune("abcäö0123456789ABC€👩")), 8, 40, -1).Draw(t, "secret")
		other := rapid.StringMatching(`[a-z0-9]{8,20}`).Draw(t, "other")
		var text strings.Builder
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			before := rapid.IntRange(kube.LongestLine-60, kube.LongestLine+10).Draw(t, "before the cut")
			if rapid.Bool().Draw(t, "short") {
				before = 3
			}
			text.WriteString(stamp + strings.Repeat("-", before) + interrupted(t, secret) + "-" + interrupted(t, other) + "\n")
		}
		log := provisioner.ReadLog(&pieces{t: t, text: text.String()}, secret, other)
		for {
			line, err := log.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(line.Text, secret) || strings.Contains(line.Text, other) {
				t.Fatalf("a secret survives in %q", line.Text)
			}
			if rest := strings.NewReplacer("-", "", "•••", "").Replace(line.Text); rest != "" {
				t.Fatalf("%q of a secret survives", rest)
			}
		}
	})
}

// interrupted has what nobody sees in the midst of the text.
func interrupted(t *rapid.T, text string) string {
	runes := []rune(text)
	at := rapid.IntRange(0, len(runes)).Draw(t, "at")
	unseen := rapid.SampledFrom([]string{"", "\x1b[31m", "\u202e", "\x1b]0;title\x07", "\x1b[0m\x1b[1m"}).Draw(t, "unseen")
	return string(runes[:at]) + unseen + string(runes[at:])
}

// pieces is a text that comes in pieces of any length.
type pieces struct {
	t    *rapid.T
	text string
}

// Read implements io.Reader.
func (p *pieces) Read(into []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := rapid.IntRange(1, min(len(p.text), len(into))).Draw(p.t, "piece")
	if rapid.Bool().Draw(p.t, "tiny") {
		n = min(n, 7)
	}
	copy(into, p.text[:n])
	p.text = p.text[n:]
	return n, nil
}
