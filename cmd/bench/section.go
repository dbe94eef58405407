package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// section is a group of figures that are measured together and can be asked for by name.
type section struct {
	name string
	// run measures. It may leave stores in the cluster, and may return the figures that it has
	// together with an error.
	run func(context.Context, *bench) ([]figure, error)
}

// sections are all there are, in the order they run.
func sections() []section {
	return []section{
		{"create", measureCreate},
		{"many", measureMany},
		{"concurrency", measureConcurrency},
		{"delete", measureDelete},
		{"list", measureList},
		{"streams", measureStreams},
		{"browser", measureBrowser},
		{"rest", measureRest}, // last, for the many stores that it leaves
	}
}

// choose returns the sections with the names in the comma-separated list, or all of them
// when it is empty.
func choose(all []section, only string) ([]section, error) {
	if only == "" {
		return all, nil
	}
	var chosen []section
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(s section) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no section %q: there are %s", name, names(all))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func names(all []section) string {
	var names []string
	for _, s := range all {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}
