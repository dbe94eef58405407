package main

import (
	"fmt"
	"io"
	"runtime/debug"
)

// version is set by the linker; a build without it shows the revision instead.
var version string //nolint:gochecknoglobals // the linker can set nothing else

// versionCmd prints the version.
type versionCmd struct{}

// Run implements the subcommand.
func (versionCmd) Run(stdout io.Writer) error {
	_, err := fmt.Fprintln(stdout, "shopwright", currentVersion())
	return err
}

func currentVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return s.Value[:12]
			}
		}
	}
	return "development"
}
