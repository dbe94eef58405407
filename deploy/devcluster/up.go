package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"shopwright.dev/shopwright/deploy/devcluster/internal/build"
	"shopwright.dev/shopwright/deploy/devcluster/internal/cluster"
)

// programs says where the control plane's programs come from.
type programs struct {
	Bin    string `placeholder:"DIR" help:"Directory of the built programs. The default is one for all clusters in the user's cache directory."`
	Source string `placeholder:"DIR" help:"The folder deploy/devcluster with the modules to build. The default is the one this program was built from."`
}

func (p programs) directories() (source, bin string, err error) {
	source, bin = p.Source, p.Bin
	if source == "" {
		if source, err = sourceFolder(); err != nil {
			return "", "", err
		}
	}
	if bin == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", "", fmt.Errorf("find the user's cache directory (or name one with --bin): %w", err)
		}
		bin = filepath.Join(cache, "shopwright", "devcluster")
	}
	bin, err = filepath.Abs(bin)
	return source, bin, err
}

// sourceFolder returns the directory in which this file was compiled.
func sourceFolder() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	folder := filepath.Dir(file)
	if _, err := os.Stat(filepath.Join(folder, "controlplane", "go.mod")); err != nil {
		return "", fmt.Errorf("the sources of the control plane are not where this program was built; name the folder deploy/devcluster with --source: %w", err)
	}
	return folder, nil
}

// nodes is the flag that chooses the kind of nodes.
type nodes struct {
	Real bool `help:"A real node, whose pods run on this machine, instead of simulated ones. It needs root."`
}

func (n nodes) kind() build.Nodes {
	if n.Real {
		return build.Real
	}
	return build.Simulated
}

type buildCommand struct {
	programs
	nodes
	reporting
}

// Run builds the programs.
func (b buildCommand) Run(ctx context.Context, stdout io.Writer) error {
	source, bin, err := b.directories()
	if err == nil {
		_, err = build.Ensure(ctx, source, bin, b.kind(), b.reporter(stdout))
	}
	return b.told(stdout, err)
}

type upCommand struct {
	state
	programs
	nodes
	reporting
	Images     string   `placeholder:"DIR" type:"path" help:"Directory in which a real node keeps its images, for one cluster at a time. The default is in the state directory."`
	Port       int      `placeholder:"N" help:"First of the five ports that the cluster takes; 0, the default, chooses free ones."`
	Role       []string `placeholder:"FILE" type:"existingfile" sep:"none" help:"Manifest of what Shopwright may do, may be repeated: makes its service account with these rights, and its kubeconfig platform."`
	Foreground bool     `help:"Stay, and end the cluster on an interrupt, or when standard input is a pipe and closes."`
}

// Run starts the cluster. In the foreground it waits until the cluster is to end.
func (u upCommand) Run(ctx context.Context, stdout io.Writer) error {
	if u.Foreground {
		// The cluster's processes end with the thread that started them, so it must not end before us.
		runtime.LockOSThread()
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go cancelWhenClosed(os.Stdin, cancel)
	}
	return u.told(stdout, u.up(ctx, stdout))
}

func (u upCommand) up(ctx context.Context, stdout io.Writer) error {
	source, bin, err := u.directories()
	if err != nil {
		return err
	}
	session, err := cluster.Up(ctx, cluster.UpOptions{
		Dir: u.Dir, Source: source, Bin: bin, Nodes: u.kind(), Images: u.Images, Port: u.Port, Roles: u.Role, Bound: u.Foreground, Report: u.reporter(stdout),
	})
	if err != nil || !u.Foreground || !session.Owner {
		return err
	}
	return session.Hold(ctx)
}

// cancelWhenClosed cancels when the other end of a pipe is closed, which means that the program that
// started us has ended. It ignores terminals, files and /dev/null.
func cancelWhenClosed(stdin *os.File, cancel context.CancelFunc) {
	info, err := stdin.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return
	}
	_, _ = io.Copy(io.Discard, stdin) // an error also means that the pipe is closed
	cancel()
}
