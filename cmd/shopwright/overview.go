package main

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store/phrase"
)

// backupsCmd shows how the installation's stores are backed up.
type backupsCmd struct {
	remote `embed:""`
	output `embed:""`
	Show   string `enum:",attention,failing" default:"" help:"Only stores that need attention, or whose last backup or drill failed (attention, failing)."`
	Search string `help:"Only stores with this in their name, address or team."`
	Limit  int    `default:"100" help:"At most so many stores, up to 1000."`
}

// Run implements the subcommand.
func (c *backupsCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	for name, value := range map[string]string{"show": c.Show, "q": c.Search} {
		if value != "" {
			query.Set(name, value)
		}
	}
	o, err := to.Overview(ctx, query)
	if err != nil {
		return err
	}
	if c.Output == "table" {
		tellTargets(at, o)
	}
	var rows [][]string
	for _, s := range o.Stores {
		rows = append(rows, []string{
			s.Store, s.Name, strconv.Itoa(s.Points), age(s.NewestPointAt), phrase.Bytes(s.Added), until(s.NextBackupAt), cmp.Or(string(s.LastDrill), "-"), age(s.LastDrillAt), cmp.Or(attention(s), "-"),
		})
	}
	return c.show(at.out, o, []string{"ID", "NAME", "POINTS", "NEWEST", "ADDED", "NEXT", "DRILL", "DRILLED", "ATTENTION"}, rows)
}

// tellTargets tells of the targets what no row of a store says.
func tellTargets(at console, o v1.BackupOverview) {
	inUse := false
	for _, t := range o.Targets {
		inUse = inUse || t.InUse
		if t.Failure != nil && t.FailingSince != nil {
			at.say("Backups to %s have failed for %s: %s. %s", t.Name, ago(*t.FailingSince), t.Failure.Title, t.Failure.Next)
		}
	}
	if !inUse {
		at.say("No backup target is in use.")
	}
	if len(o.Stores) < o.Total {
		at.say("%d of %d stores. --limit shows more.", len(o.Stores), o.Total)
	}
}

// attention says why somebody should look at the store; empty if nobody need.
func attention(s v1.BackedUpStore) string {
	var why []string
	if s.Late {
		why = append(why, "no recent point")
	}
	if s.Failure != nil {
		why = append(why, s.Failure.Title)
	}
	if s.DrillOverdue {
		why = append(why, "drill overdue")
	}
	return strings.Join(why, "; ")
}

func age(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return ago(*at)
}

// until is how long it is until then.
func until(at *time.Time) string {
	switch {
	case at == nil:
		return "-"
	case time.Until(*at) <= 0:
		return "now"
	}
	return "in " + ago(time.Now().Add(-time.Until(*at)))
}
