package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// PointRetention says which restore points of a store are kept: the newest of each of the last so many
// hours, days, weeks and months that have one.
type PointRetention struct {
	Hourly  int `json:"hourly,omitempty"`
	Daily   int `json:"daily,omitempty"`
	Weekly  int `json:"weekly,omitempty"`
	Monthly int `json:"monthly,omitempty"`
}

func (r PointRetention) validate() error {
	for _, number := range []struct {
		field string
		kept  int
	}{{"keep_hourly", r.Hourly}, {"keep_daily", r.Daily}, {"keep_weekly", r.Weekly}, {"keep_monthly", r.Monthly}} {
		if number.kept < 0 || number.kept > mostKept {
			return Invalidf(number.field, "Enter a number of restore points from 0 to %d.", mostKept)
		}
	}
	return nil
}

// Over returns the points that are not kept, newest first. The newest point and those with a note always
// are. Periods are those of UTC, and weeks begin on Monday.
func (r PointRetention) Over(points []RestorePoint) (over []RestorePoint) {
	points = slices.SortedFunc(slices.Values(points), func(a, b RestorePoint) int {
		return cmp.Or(b.EndedAt.Compare(a.EndedAt), cmp.Compare(b.ID, a.ID))
	})
	periods := []keptPeriod{
		{left: r.Hourly, name: func(t time.Time) string { return t.Format("2006-01-02 15") }},
		{left: r.Daily, name: func(t time.Time) string { return t.Format(time.DateOnly) }},
		{left: r.Weekly, name: func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, week) }},
		{left: r.Monthly, name: func(t time.Time) string { return t.Format("2006-01") }},
	}
	for i, p := range points {
		kept := i == 0 || p.Note != ""
		for j := range periods {
			kept = periods[j].keeps(p.EndedAt.UTC()) || kept
		}
		if !kept {
			over = append(over, p)
		}
	}
	return over
}

// keptPeriod is asked about points from the newest to the oldest.
type keptPeriod struct {
	left int                    // so many more periods
	name func(time.Time) string // of the period that a time is in
	last string                 // the period of the last point
}

// keeps reports whether a point is the newest of its period, and the period is one of those whose newest
// point is kept.
func (k *keptPeriod) keeps(t time.Time) bool {
	name := k.name(t)
	if name == k.last || k.left == 0 {
		return false
	}
	k.last = name
	k.left--
	return true
}
