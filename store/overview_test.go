package store_test

import (
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

func TestStoresWithoutARecentPointAreLate(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		about         string
		every         int
		ready, newest time.Duration // before now; zero for never
		late          bool
	}{
		{"a point of today", 24, 10 * day, 23 * time.Hour, false},
		{"a backup that is running", 24, 10 * day, day + 59*time.Minute, false},
		{"a missed backup", 24, 10 * day, day + 61*time.Minute, true},
		{"an hourly plan", 1, 10 * day, 3 * time.Hour, true},
		{"a plan without backups", 0, 10 * day, 9 * day, false},
		{"a new store without a point", 24, 20 * time.Hour, 0, false},
		{"an old store without a point", 24, 10 * day, 0, true},
		{"a store that was never ready", 24, 0, 0, false},
	} {
		s := store.BackedUpStore{Plan: everyHours(c.every)}
		if c.ready > 0 {
			s.ReadyAt = monday.Add(-c.ready)
		}
		if c.newest > 0 {
			s.Newest = monday.Add(-c.newest)
		}
		if got := s.IsLate(monday); got != c.late {
			t.Errorf("%s: late is %t", c.about, got)
		}
	}
}

func TestStoresThatNeedAttentionComeFirst(t *testing.T) {
	t.Parallel()
	failed := store.Job{State: store.JobFailed}
	all := []store.BackedUpStore{ // in order of their names
		{Name: "a"}, {Name: "b", DrillOverdue: true}, {Name: "c", Job: failed},
		{Name: "d", Drill: store.Drill{EndedAt: monday, Failure: store.Failure{Code: store.PointGone}}},
		{Name: "e", Late: true, Newest: monday}, {Name: "f", Late: true, Newest: monday.Add(-time.Hour)}, {Name: "g", Late: true, Job: failed},
		{Name: "h", Drill: store.Drill{EndedAt: monday, Failure: store.Failure{Code: store.DrillWasCancelled}}},
	}
	for _, c := range []struct {
		filter store.BackupFilter
		page   store.Page
		want   string
		total  int
	}{
		{store.AnyBackups, store.Page{Limit: 10}, "g f e c d b a h", 8},
		{store.BackupsAttention, store.Page{Limit: 10}, "g f e c d b", 6},
		{store.BackupsFailing, store.Page{Limit: 10}, "g c d", 3},
		{store.AnyBackups, store.Page{Limit: 3, Offset: 6}, "a h", 8},
		{store.AnyBackups, store.Page{Limit: 3, Offset: 9}, "", 8},
		{"unknown", store.Page{Limit: 1}, "g", 8},
	} {
		var o store.BackupOverview
		o.Select(all, store.OverviewQuery{Page: c.page, Filter: c.filter})
		var names []string
		for _, s := range o.Stores {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != c.want || o.Total != c.total || o.Counts[store.BackupsAttention] != 6 || o.Counts[store.BackupsFailing] != 3 || o.Counts[store.AnyBackups] != 8 {
			t.Errorf("%q from %d: %s of %d, want %s; counted %v", c.filter, c.page.Offset, got, o.Total, c.want, o.Counts)
		}
	}
}

func TestNextScheduledBackups(t *testing.T) {
	t.Parallel()
	var all []store.BackedUpStore
	for _, after := range []time.Duration{50, 3, 0, 2, 24, 1} {
		s := store.BackedUpStore{Name: after.String()}
		if after > 0 {
			s.Next = monday.Add(after * time.Hour)
		}
		all = append(all, s)
	}
	var o store.BackupOverview
	o.Schedule(all, monday)
	if len(o.Next) != 3 || o.Next[0].Name != "1ns" || o.Next[2].Name != "3ns" || o.Day != 3 {
		t.Errorf("%d are due within a day, the next are %+v", o.Day, o.Next)
	}
}
