package phrase_test

import (
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1540: "1.5 kB", 9949: "9.9 kB", 9951: "10 kB", 254_000_000: "254 MB",
		999_499: "999 kB", 999_600: "1.0 MB", 1_500_000_000: "1.5 GB", 9_000_000_000_000_000_000: "9.0 EB",
	} {
		if got := phrase.Bytes(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}

func TestPointNotes(t *testing.T) {
	t.Parallel()
	made := store.Note{Code: store.PointMade, Facts: store.Facts{Bytes: 254_000_000, Added: 900_000, After: 3500 * time.Millisecond}}
	if got := phrase.Note(made); got != "254 MB in 3.5s, 900 kB added" {
		t.Errorf("a point is told as %q", got)
	}
	made.Facts.Count = 2
	if got := phrase.Note(made); got != "254 MB in 3.5s, 900 kB added, 2 tables locked meanwhile" {
		t.Errorf("a point with locks is told as %q", got)
	}
	asked := phrase.Event(store.Event{Kind: store.BackupAsked})
	if asked.Message != "Backup requested" || asked.Verb != "requested a backup of" {
		t.Errorf("a backup without a note is told as %+v", asked)
	}
}

func TestEveryContainerOfARestoreIsTold(t *testing.T) {
	t.Parallel()
	for doing, want := range map[string]string{
		"repository": "Opening the repository", "files": "Restoring files", "database": "Restoring the database",
		"code": "Bringing the shop’s code up to date", "addresses": "Rewriting addresses", "another": "Restoring: another", "": "Restoring",
	} {
		if got := phrase.Note(store.Note{Code: store.DataLoading, Facts: store.Facts{Doing: doing}}); got != want {
			t.Errorf("%q is told as %q, want %q", doing, got, want)
		}
	}
	if got := phrase.Note(store.Note{Code: store.DataLoaded, Facts: store.Facts{Bytes: 1_200_000_000}}); got != "Restored 1.2 GB" {
		t.Errorf("loaded data are told as %q", got)
	}
}

func TestContentsOfAPoint(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]store.Contents{
		"": {}, "0 orders, 0 products, 0 customers": {Counted: true},
		"1,234,567 orders, 1 product, 880 customers": {Counted: true, Orders: 1_234_567, Products: 1, Customers: 880},
	} {
		if got := phrase.Contents(c); got != want {
			t.Errorf("%+v are told as %q, want %q", c, got, want)
		}
	}
}

func TestContentsThatHaveChanged(t *testing.T) {
	t.Parallel()
	now := store.Contents{Counted: true, Orders: 1204, Products: 310, Customers: 1}
	for want, before := range map[string]store.Contents{
		"1,204 orders (+1,200), 310 products, 1 customer (−2)": {Counted: true, Orders: 4, Products: 310, Customers: 3},
		"1,204 orders, 310 products, 1 customer":               {},
	} {
		if got := phrase.ContentsSince(now, before); got != want {
			t.Errorf("since %+v it is %q, want %q", before, got, want)
		}
	}
}

// The button of a store that is being opened is another one than that of its backups.
func TestARestoreThatFailedIsRetried(t *testing.T) {
	t.Parallel()
	for _, code := range []store.FailureCode{store.TargetSealed, store.RepositoryForeign, store.PointNewer, store.RestoreUnsupported, store.RestoreStepFailed, store.RestoreOverdue} {
		said := phrase.Failure(store.Failure{Code: code, Step: store.StepData, Facts: failureFacts()})
		wantWhole(t, string(code), said.Cause)
		if !strings.Contains(said.Next, "ress Retry") {
			t.Errorf("%s: what to do next is %q", code, said.Next)
		}
	}
	for _, code := range []store.FailureCode{store.TargetSealed, store.RepositoryForeign} {
		if said := phrase.Failure(store.Failure{Code: code, Step: store.StepRepository, Facts: failureFacts()}); !strings.Contains(said.Next, "press Back up now") {
			t.Errorf("%s of a backup: what to do next is %q", code, said.Next)
		}
	}
	lost := store.Failure{Code: store.PointGone, Step: store.StepData}
	if got := phrase.Failure(lost).Cause; got != "Shopwright’s database has no record of it any more." {
		t.Errorf("a lost record is told as %q", got)
	}
}
