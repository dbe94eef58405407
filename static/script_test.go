package static

import (
	"embed"
	"io/fs"
	"os"
	"os/exec"
	"testing"
)

// Node reads the files itself. They are embedded because go test takes a result from its cache unless it sees a change.
//
//go:embed src
var sources embed.FS

// The tests of the script run in Node, without a browser.
func TestScript(t *testing.T) {
	t.Parallel()
	tests, err := fs.Glob(sources, "src/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatalf("there are no tests in src: %v", err)
	}
	node := exec.CommandContext(t.Context(), "node", append([]string{"--test", "--test-reporter=spec"}, tests...)...)
	node.Env = append(os.Environ(), "NO_COLOR=1")
	if output, err := node.CombinedOutput(); err != nil {
		t.Errorf("node --test: %v\n%s", err, output)
	}
}
