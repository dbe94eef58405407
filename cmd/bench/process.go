package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is the real program, started as a user would.
type process struct {
	cmd       *exec.Cmd
	began     time.Time
	url       string
	profiles  string        // URL that they are served under, where a directory for them is named
	connected chan struct{} // closed when it is connected to the cluster
	output    sync.WaitGroup
}

var (
	servingLine  = regexp.MustCompile(`msg=serving url=(\S+)`)
	profilesLine = regexp.MustCompile(`msg="serving profiles" url=(\S+)`) // which comes before
)

// startProcess starts the program on a data directory, with more in its environment, and
// returns when it serves. Stop it.
func startProcess(ctx context.Context, b *bench, dataDir string, at target, env ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, b.binary, "serve"), connected: make(chan struct{})} //nolint:gosec // the Makefile names the program
	p.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DATA_DIR=" + dataDir,
		"SHOPWRIGHT_KUBECONFIG=" + at.kubeconfig, "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_MAX_STORES_PER_USER=0", "SHOPWRIGHT_MAX_STREAMS=0", "SHOPWRIGHT_MAX_STREAMS_PER_USER=0",
		"SHOPWRIGHT_END_DELAY=0", // which is for proxies, and not ours to be quick with
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	if b.profile != "" {
		p.cmd.Env = append(p.cmd.Env, "SHOPWRIGHT_PPROF_ADDR=127.0.0.1:0")
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = p.cmd.Stdout
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	serving := make(chan string, 1)
	p.output.Go(func() { p.read(out, serving) })
	select {
	case p.url = <-serving:
	case <-time.After(time.Minute):
	}
	if p.url == "" {
		return nil, errors.Join(errors.New("the program does not serve"), p.stop())
	}
	return p, nil
}

// read follows what the program says until it ends.
func (p *process) read(out io.Reader, serving chan<- string) {
	defer close(serving)
	once := sync.OnceFunc(func() { close(p.connected) })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := profilesLine.FindStringSubmatch(lines.Text()); found != nil {
			p.profiles = found[1]
		}
		if found := servingLine.FindStringSubmatch(lines.Text()); found != nil {
			serving <- found[1]
		}
		if strings.Contains(lines.Text(), "cluster is connected") {
			once()
		}
	}
}

func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	p.output.Wait()
	return p.cmd.Wait()
}

// settle returns when the program has been connected and has run so long.
func (p *process) settle(ctx context.Context, age time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.connected:
	case <-ctx.Done():
		return fmt.Errorf("the program does not connect to the cluster: %w", ctx.Err())
	}
	return pass(ctx, time.Until(p.began.Add(age)))
}

// pass lets time go by, in which something is measured.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// get asks for a page and fails unless it is there.
func (p *process) get(ctx context.Context, path string) error {
	body, err := fetch(ctx, p.url+path)
	if err != nil {
		return err
	}
	return body.Close()
}

// fetch asks for what is at the address and fails unless it is there. Close it.
func fetch(ctx context.Context, address string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("GET %s: %s", address, response.Status), response.Body.Close())
	}
	return response.Body, nil
}

// memory is what a program holds, in megabytes.
type memory struct {
	all float64
	own float64 // without the pages of the program's file, which the kernel can drop
}

func (m memory) spread() string {
	return fmt.Sprintf("%s MB of its own, the rest pages of its file", number(m.own))
}

// resident reads how much memory the program holds.
func (p *process) resident() (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return memory{}, err
	}
	all, allErr := megabytes(status, "VmRSS")
	own, ownErr := megabytes(status, "RssAnon")
	return memory{all, own}, errors.Join(allErr, ownErr)
}

func megabytes(status []byte, name string) (float64, error) {
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("the system does not say %s of the program", name)
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	return float64(kilobytes) * 1024 / 1e6, err
}

// dropCached lets the program's file be read from the disk when it starts next. A file that
// was written a moment ago lies in memory in large pieces, each of which counts as the
// program's as soon as it uses a byte of it: half as much again as after a restart.
func dropCached(binary string) error {
	file, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	if err := file.Sync(); err != nil {
		return err
	}
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	if _, _, failed := syscall.Syscall6(syscall.SYS_FADVISE64, file.Fd(), 0, 0, dontNeed, 0, 0); failed != 0 {
		return failed
	}
	return nil
}
