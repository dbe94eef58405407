package handlers

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/views"
)

func capacityView(c provisioner.Capacity) views.ClusterCapacity {
	switch c.State {
	case provisioner.CapacityCounted:
		return views.ClusterCapacity{
			Nodes: c.Nodes, CPU: shareOf(c.Requested.CPU, c.Allocatable.CPU, 1000, " CPU"), Memory: shareOf(c.Requested.Memory, c.Allocatable.Memory, 1<<30, " GiB"),
			Waiting: c.Waiting, Room: rooms(c.Room), At: c.At,
		}
	case provisioner.CapacityForbidden:
		return views.ClusterCapacity{
			Unknown: "Shopwright isn’t allowed to list the cluster’s nodes. Upgrade the platform’s chart, or give its account this right, to see how many more stores fit.",
		}
	default:
		return views.ClusterCapacity{Unknown: "Unknown: the cluster isn’t connected."}
	}
}

func rooms(all []provisioner.Room) (rooms []views.EngineRoom) {
	for _, r := range all {
		rooms = append(rooms, views.EngineRoom{Engine: r.Label, Stores: r.Stores, More: r.More})
	}
	return rooms
}

// shareOf formats amounts in units, to two decimals. It rounds so that it never shows more free than there is.
func shareOf(requested, of, whole int64, unit string) views.Share {
	hundredths := func(amount int64, round func(float64) float64) string {
		return strconv.FormatFloat(round(100*float64(amount)/float64(whole))/100, 'f', -1, 64)
	}
	share := views.Share{Text: hundredths(requested, math.Ceil) + " of " + hundredths(of, math.Floor) + unit}
	if of > 0 {
		share.Percent = int(100 * requested / of)
	}
	return share
}

// formPatience is how long the create form waits for the capacity of the nodes, which is counted again
// when the last count is half a minute old.
const formPatience = 250 * time.Millisecond

// noRoom returns a warning, if the pods of a new store would have to wait for a node.
func (a *App) noRoom(ctx context.Context) string {
	c := a.Provisioner.Capacity(ctx, formPatience)
	var full []string
	for _, r := range c.Room {
		if r.Stores == 0 {
			full = append(full, r.Label)
		}
	}
	switch len(full) {
	case 0:
		return ""
	case len(c.Room):
		return "The cluster has no room for another store. A new one can only open once there is room."
	default:
		return "The cluster has no room for another " + strings.Join(full, " or ") + " store. A new one can only open once there is room."
	}
}
