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
	connected chan struct{} // closed when it is connected to the cluster
	output    sync.WaitGroup
}

var servingLine = regexp.MustCompile(`msg=serving url=(\S+)`)

// startProcess starts the program on a data directory, with more in its environment, and
// returns when it serves. Stop it.
func startProcess(ctx context.Context, b *bench, dataDir string, at target, env ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, b.binary, "serve"), connected: make(chan struct{})} //nolint:gosec // the Makefile names the program
	p.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DATA_DIR=" + dataDir,
		"SHOPWRIGHT_KUBECONFIG=" + at.kubeconfig, "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_MAX_STORES_PER_USER=0",
	}
	p.cmd.Env = append(p.cmd.Env, env...)
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
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is the memory that the program holds, in megabytes.
func (p *process) resident() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := residentLine.FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the system does not say how much memory the program holds")
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	return float64(kilobytes) * 1024 / 1e6, err
}
