package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profiled does the work, and writes profiles of it where a directory for them is named. Each
// time has its number.
func (b *bench) profiled(work func() error) (err error) {
	if b.profile == "" {
		return work()
	}
	b.profiles++
	cpu, err := b.profileFile("cpu")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cpu.Close()) }()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	err = work()
	pprof.StopCPUProfile()
	return errors.Join(err, b.profileMemory())
}

// profileMemory writes what was allocated, and what of it is still in use.
func (b *bench) profileMemory() error {
	file, err := b.profileFile("mem")
	if err != nil {
		return err
	}
	runtime.GC()
	return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
}

// sampled is how long the CPU of the real program is watched, in seconds: its work may be
// over before.
const sampled = 20

// profiledIn does the work, and lets the real program, which takes part in it, write profiles
// of itself.
func (b *bench) profiledIn(ctx context.Context, p *process, work func() error) error {
	if b.profile == "" {
		return work()
	}
	b.profiles++
	cpu := make(chan error, 1)
	go func() { cpu <- b.fetchProfile(ctx, p, "cpu", fmt.Sprintf("profile?seconds=%d", sampled)) }()
	err := work()
	return errors.Join(err, <-cpu, b.fetchProfile(ctx, p, "mem", "heap?gc=1"))
}

func (b *bench) fetchProfile(ctx context.Context, p *process, kind, path string) error {
	profile, err := fetch(ctx, p.profiles+path)
	if err != nil {
		return err
	}
	defer profile.Close() //nolint:errcheck // it is read to its end
	file, err := b.profileFile(kind)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, profile)
	return errors.Join(err, file.Close())
}

func (b *bench) profileFile(kind string) (*os.File, error) {
	if err := os.MkdirAll(b.profile, 0o750); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(b.profile, fmt.Sprintf("%s.%d.%s.pprof", b.section, b.profiles, kind)))
}
