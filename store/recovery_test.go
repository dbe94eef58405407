package store_test

import (
	"slices"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// Of the records' backups two days of hours and a month of days are kept, and always the newest.
func TestBackupsOfTheRecordsThatAreKept(t *testing.T) {
	t.Parallel()
	newest := time.Date(2026, time.March, 31, 12, 30, 0, 0, time.UTC)
	var made []time.Time
	for hour := range 24 * 60 {
		made = append(made, newest.Add(-time.Duration(hour)*time.Hour))
	}
	over := store.OverRecords(made)
	kept := slices.DeleteFunc(slices.Clone(made), func(at time.Time) bool { return slices.Contains(over, at) })
	if len(kept) != 48+27 || !kept[0].Equal(newest) || kept[len(kept)-1].Before(newest.AddDate(0, 0, -30)) {
		t.Errorf("%d are kept, from %s to %s", len(kept), kept[0], kept[len(kept)-1])
	}
	if over := store.OverRecords([]time.Time{newest.AddDate(-1, 0, 0)}); len(over) != 0 {
		t.Errorf("the only one goes: %v", over)
	}
}
