//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// load has many customers look at an address, as the shop's, until end is called. Every one of
// them must be served. They are on the node, from which all addresses of the cluster are reached.
func (s *store) load(t *testing.T, address string) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd, said := s.customers(ctx, t, 16, 10*time.Minute, address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		cancel()
		_ = cmd.Wait() // it was interrupted
		s.mustHaveServed(t, said.String())
	}
}

// burst has a hundred customers come at once, as after a mention on television. Each has to wait, and
// every one of them must be served.
func (s *store) burst(t *testing.T, address string) {
	t.Helper()
	cmd, said := s.customers(t.Context(), t, 100, 40*time.Second, address)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	s.mustHaveServed(t, said.String())
}

// customers are so many at an address, each of whom asks again when it is served.
func (s *store) customers(ctx context.Context, t *testing.T, many int, duration time.Duration, address string) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", s.kubelet(t)),
		"wrk", "--threads", "1", "--connections", strconv.Itoa(many), "--timeout", "60s", "--duration", fmt.Sprintf("%.0fs", duration.Seconds()), "--header", "Host: "+s.host(), address)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // then it says what it saw
	said := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

func (s *store) mustHaveServed(t *testing.T, said string) {
	t.Helper()
	t.Logf("meanwhile at %s:\n%s", s.slug, said)
	if complaint := complaintOf(said); complaint != "" {
		t.Error(complaint)
	}
	s.note(t, "%s under load: %s", s.slug, rate.FindString(said))
}

var rate = regexp.MustCompile(`Requests/sec: *[0-9.]+`)

// complaintOf is what wrk has to complain of, or nothing.
func complaintOf(said string) string {
	for line := range strings.Lines(said) {
		if strings.Contains(line, "Non-2xx") || strings.Contains(line, "Socket errors") {
			return "not everybody was served: " + strings.TrimSpace(line)
		}
	}
	if !rate.MatchString(said) {
		return "nobody was served"
	}
	return ""
}

func TestComplaints(t *testing.T) {
	const well = "  1000 requests in 10.00s, 1.00MB read\nRequests/sec:    100.00\n"
	for said, want := range map[string]string{
		well:                                     "",
		well + "  Non-2xx or 3xx responses: 7\n": "not everybody was served: Non-2xx or 3xx responses: 7",
		"  Socket errors: connect 0, read 2, write 0, timeout 0\n" + well: "not everybody was served: Socket errors: connect 0, read 2, write 0, timeout 0",
		"unable to connect to 198.18.0.2:80 Connection refused\n":         "nobody was served",
	} {
		if got := complaintOf(said); got != want {
			t.Errorf("of %q it says %q", said, got)
		}
	}
}
