//go:build e2e

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
	"shopwright.dev/shopwright/deploy/devcluster/internal/image"
	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

// Not in parallel: it looks at the whole machine before and after.
func TestRealNode(t *testing.T) {
	before := machine(t)
	l := newLab(t)
	t.Cleanup(func() { l.must("down", "--state", l.dir, "--wipe") })
	l.upReal()
	l.load(visitsImage(t))

	l.applyVisits("http://visits.default.svc.cluster.local")
	l.visit(1) // a volume, a Service's name, an Ingress
	l.visit(2)
	l.becomesGone("/api/v1/namespaces/default/pods/visits")
	l.applyVisits("http://visits.devcluster.test") // now by the name that customers use
	l.visit(3)
	l.saysListening()

	l.must("down", "--state", l.dir)
	noProcesses(t, l.dir)
	nothingNew(t, "when the node is down", before, machine(t))

	l.upReal()
	l.visit(4) // the pod comes back by itself, with its data
	claims := "/api/v1/namespaces/default/persistentvolumeclaims/visits"
	l.becomesGone("/api/v1/namespaces/default/pods/visits")
	l.becomesGone(claims)
	eventually(t, "the folder of a volume that is gone", func() error {
		left, err := filepath.Glob(filepath.Join(l.dir, "node", "volumes", "*"))
		if len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return err
	})

	l.applyVisits("http://visits.default.svc.cluster.local")
	l.visit(1)
	l.killAll()
	l.must("down", "--state", l.dir, "--wipe")
	nothingNew(t, "when the node is gone", before, machine(t))
	if _, err := os.Stat(l.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory after --wipe: %v", err)
	}
}

func (l *lab) upReal() {
	l.t.Helper()
	out := l.must("up", "--real", "--state", l.dir, "--progress", "json")
	if last := decodeEvent(l.t, out[strings.LastIndexByte(out, '\n')+1:]); last.Phase != progress.Ready {
		l.t.Fatalf("last event %+v", last)
	}
}

// killAll kills the cluster's processes at once, which leaves pods without anybody to watch over them.
func (l *lab) killAll() {
	l.t.Helper()
	status, err := l.cluster().Status(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, component := range status.Components {
		if err := syscall.Kill(component.PID, syscall.SIGKILL); err != nil {
			l.t.Fatal(err)
		}
	}
}

// visitsImage packs the program in testdata.
func visitsImage(t *testing.T) string {
	t.Helper()
	program, file := filepath.Join(t.TempDir(), "visits"), filepath.Join(t.TempDir(), "visits.tar")
	build := exec.Command("go", "build", "-o", program, "./testdata/visits")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := image.Pack(file, "devcluster.test/visits:1", program); err != nil {
		t.Fatal(err)
	}
	return file
}

func (l *lab) load(file string) {
	l.t.Helper()
	packed, err := os.Open(file)
	if err != nil {
		l.t.Fatal(err)
	}
	defer packed.Close()
	load := exec.Command(l.program, "load", "--state", l.dir)
	load.Stdin = packed
	if out, err := load.CombinedOutput(); err != nil {
		l.t.Fatalf("load: %v\n%s", err, out)
	}
}

func (l *lab) applyVisits(peer string) {
	l.t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "visits.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "PEER", peer)
	paths := []string{
		"/api/v1/namespaces/default/persistentvolumeclaims/visits", "/api/v1/namespaces/default/services/visits",
		"/apis/networking.k8s.io/v1/namespaces/default/ingresses/visits", "/api/v1/namespaces/default/pods/visits",
	}
	for i, document := range strings.Split(text, "\n---\n") {
		eventually(l.t, paths[i], func() error { return l.admin().Apply(l.t.Context(), paths[i], []byte(document)) })
	}
}

// visit asks as a customer does until the count is as wanted. The customer who has an answer is counted.
func (l *lab) visit(want int) {
	l.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+l.cluster().Node.Address().String(), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	request.Host = "visits.devcluster.test"
	client := http.Client{Timeout: patience}
	eventually(l.t, "a visit", func() error {
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%d: %s", answer.StatusCode, body)
		}
		if got := string(body); got != fmt.Sprint(want) {
			l.t.Fatalf("visit %s, want %d", got, want)
		}
		return err
	})
}

func (l *lab) becomesGone(path string) {
	l.t.Helper()
	admin := l.admin()
	if err := admin.Delete(l.t.Context(), path); err != nil {
		l.t.Fatal(err)
	}
	eventually(l.t, path, func() error {
		if err := admin.Get(l.t.Context(), path, nil); !api.IsNotFound(err) {
			return fmt.Errorf("is still there: %w", err)
		}
		return nil
	})
}

// saysListening reads the pod's log by way of the API server and the kubelet.
func (l *lab) saysListening() {
	l.t.Helper()
	err := l.admin().Get(l.t.Context(), "/api/v1/namespaces/default/pods/visits/log", new(struct{}))
	if err == nil || !strings.Contains(err.Error(), "decode the answer") {
		l.t.Errorf("the log is text, and not this: %v", err)
	}
}

// machine is what a node could leave behind on this machine.
func machine(t *testing.T) map[string][]string {
	t.Helper()
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, link := range links {
		names = append(names, link.Name)
	}
	found := map[string][]string{
		"interfaces": names,
		"mounts":     mounts(t),
		"routes":     lines(t, "/proc/net/route"),
	}
	for _, pattern := range []string{
		"/sys/fs/cgroup/*", "/sys/fs/cgroup/*/devcluster-*", "/sys/fs/cgroup/*/kubepods*", "/sys/fs/cgroup/*/k8s.io*",
		"/run/*", "/run/netns/*", "/run/containerd/*", "/var/lib/*", "/var/log/*", "/opt/*", "/usr/libexec/*", "/etc/cni/*",
	} {
		found[pattern], err = filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, setting := range []string{"vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward"} {
		found[setting] = lines(t, filepath.Join("/proc/sys", setting))
	}
	return found
}

// mounts are the places of mounts on this machine.
func mounts(t *testing.T) []string {
	t.Helper()
	var places []string
	for _, line := range lines(t, "/proc/self/mountinfo") {
		places = append(places, strings.Fields(line)[4])
	}
	slices.Sort(places)
	return places
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

// nothingNew fails for all that the machine has now and had not before. What others have taken away meanwhile is their
// business.
func nothingNew(t *testing.T, when string, before, after map[string][]string) {
	t.Helper()
	for what, now := range after {
		for _, one := range now {
			if !slices.Contains(before[what], one) {
				t.Errorf("%s %s: %s is new", what, when, one)
			}
		}
	}
}
