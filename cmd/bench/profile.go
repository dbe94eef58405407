package main

import (
	"errors"
	"fmt"
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

func (b *bench) profileFile(kind string) (*os.File, error) {
	if err := os.MkdirAll(b.profile, 0o750); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(b.profile, fmt.Sprintf("%s.%d.%s.pprof", b.section, b.profiles, kind)))
}
