package store_test

import (
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

func TestPointIsWholeWithAllSnapshots(t *testing.T) {
	t.Parallel()
	whole := store.Manifest{Database: store.Part{Snapshot: "a"}, Files: store.Part{Snapshot: "b"}, Snapshot: "c"}
	for name, c := range map[string]struct {
		manifest store.Manifest
		want     bool
	}{
		"all":         {whole, true},
		"simulated":   {store.Manifest{Simulated: true}, true},
		"none":        {store.Manifest{}, false},
		"no database": {store.Manifest{Files: whole.Files, Snapshot: "c"}, false},
		"no files":    {store.Manifest{Database: whole.Database, Snapshot: "c"}, false},
		"no manifest": {store.Manifest{Database: whole.Database, Files: whole.Files}, false},
	} {
		if c.manifest.Whole() != c.want {
			t.Errorf("%s: whole is %t", name, !c.want)
		}
	}
}

func TestOutcomeOfPoint(t *testing.T) {
	t.Parallel()
	began := time.Now()
	point := store.RestorePoint{BeganAt: began, EndedAt: began.Add(3240 * time.Millisecond), Manifest: store.Manifest{
		Database: store.Part{Bytes: 100, Added: 10}, Files: store.Part{Bytes: 200, Added: 20}, LockedTables: 1,
	}}
	if got := point.Outcome(); got.Code != store.PointMade || got.Facts.Bytes != 300 || got.Facts.Added != 30 || got.Facts.Count != 1 || got.Facts.After != 3200*time.Millisecond {
		t.Errorf("it is told as %+v", got)
	}
	point.Manifest.Simulated = true
	if got := point.Outcome(); got.Code != store.PointSimulated {
		t.Errorf("a simulated one is told as %+v", got)
	}
}

func TestOnlyAReadyStoreCanBeBackedUp(t *testing.T) {
	t.Parallel()
	for _, status := range store.Statuses() {
		for _, desired := range []store.Desired{store.Present, store.Absent} {
			want := desired == store.Present && (status == store.Ready || status == store.Degraded)
			if got := (store.Store{Status: status, Desired: desired}).CanBackUp(); got != want {
				t.Errorf("%s and %s: %t", status, desired, got)
			}
		}
	}
}

func TestNoteOfPointIsOneLine(t *testing.T) {
	t.Parallel()
	if note, err := store.CleanPointNote(" before\n the  sale "); err != nil || note != "before the sale" {
		t.Errorf("it is kept as %q, %v", note, err)
	}
	if _, err := store.CleanPointNote(strings.Repeat("ä", 201)); store.ErrorCode(err) != store.Invalid {
		t.Errorf("a long one is answered with %v", err)
	}
}
