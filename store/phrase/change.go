package phrase

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"shopwright.dev/shopwright/store"
)

// Change says in a few words what a store is brought to.
func Change(c store.Change) string {
	switch c.Kind {
	case store.Opening:
		return "Opened"
	case store.Rebuild:
		return "Opened again"
	case store.Repair:
		return "Repaired"
	case store.Rollback:
		return "Back to " + revision(c.To)
	case store.OwnerChange:
		return "Owner’s email"
	case store.Upgrade:
		return upgrade(c)
	}
	return string(c.Kind)
}

func upgrade(c store.Change) string {
	var chart string
	if c.Chart != "" && c.Chart != c.ChartBefore {
		chart = "Chart " + c.ChartBefore + " → " + c.Chart
	}
	return cmp.Or(join(", ", chart, images(c)), "Installation settings")
}

// images are the versions that were chosen in place of those offered.
func images(c store.Change) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c.Images)) {
		all = append(all, name+" "+c.Images[name])
	}
	return strings.Join(all, ", ")
}

func revision(number int) string { return "revision " + strconv.Itoa(number) }

// inPlace is what a change replaces.
func inPlace(c store.Change) string { return revision(c.RevisionBefore) + ", chart " + c.ChartBefore }

// target is what a change leads to.
func target(c store.Change) string {
	if c.Kind == store.Rollback {
		return revision(c.To)
	}
	return join(", ", "chart "+cmp.Or(c.Chart, "offered"), images(c))
}
