package database_test

import (
	"database/sql"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// Two writers of one store on Postgres: what one commits while the other waits for the row is
// kept, whichever columns the other writes.
func TestNoChangeOfAStoreIsOverwritten(t *testing.T) {
	t.Parallel()
	ready := func(t *testing.T, b bundle) store.Claim {
		t.Helper()
		return store.Claim{Store: b.sells(t)}
	}
	failed := func(t *testing.T, b bundle) store.Claim {
		t.Helper()
		st := b.create(t, "Shop")
		c := b.claim(t, "one")
		if _, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.DataLost}); err != nil {
			t.Fatal(err)
		}
		return store.Claim{Store: st}
	}
	claimed := func(t *testing.T, b bundle) store.Claim {
		t.Helper()
		b.create(t, "Shop")
		return b.claim(t, "one")
	}
	for name, c := range map[string]struct {
		prepare func(*testing.T, bundle) store.Claim
		write   func(*testing.T, bundle, store.Claim) error
		column  string // that it does not change
	}{
		"check now": {ready, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.CheckNow(t.Context(), b.actor, c.Store.ID)
			return err
		}, "admin_url"},
		"retry": {failed, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.Retry(t.Context(), b.actor, c.Store.ID)
			return err
		}, "admin_url"},
		"rebuild": {failed, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.Rebuild(t.Context(), b.actor, c.Store.ID, "")
			return err
		}, "admin_url"},
		"repair": {ready, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.Repair(t.Context(), b.actor, c.Store.ID)
			return err
		}, "admin_url"},
		"repair what is missing": {ready, func(t *testing.T, b bundle, c store.Claim) error {
			return b.db.UnguardedRepairMissing(t.Context(), c.Store.ID, store.Note{Code: store.ReleaseMissing})
		}, "admin_url"},
		"delete": {ready, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.RequestDelete(t.Context(), b.actor, c.Store.ID, store.DeleteRequest{})
			return err
		}, "admin_url"},
		"upgrade": {ready, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.Upgrade(t.Context(), b.actor, c.Store.ID, store.UpgradeRequest{})
			return err
		}, "admin_url"},
		"advance": {claimed, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.Advance(t.Context(), c, store.Progress{Step: store.StepNamespace})
			return err
		}, "admin_url"},
		"record a release": {claimed, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.RecordRelease(t.Context(), c, store.Released{Number: 1, ChartVersion: "1.0.0"})
			return err
		}, "admin_url"},
		"fail": {claimed, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut})
			return err
		}, "admin_url"},
		"complete": {claimed, func(t *testing.T, b bundle, c store.Claim) error {
			_, err := b.db.Complete(t.Context(), c, store.Opened{})
			return err
		}, "chart_version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := newDatabase(t)
			b := setup(t, url)
			claim := c.prepare(t, b)
			other := raw(t, url)
			writing, err := other.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := writing.ExecContext(t.Context(), `UPDATE stores SET `+c.column+` = 'kept' WHERE id = $1`, claim.Store.ID); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- c.write(t, b, claim) }()
			untilBlocked(t, other)
			if err := writing.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			var kept string
			if err := other.QueryRowContext(t.Context(), `SELECT `+c.column+` FROM stores WHERE id = $1`, claim.Store.ID).Scan(&kept); err != nil || kept != "kept" {
				t.Errorf("%s is %q now, %v", c.column, kept, err)
			}
		})
	}
}

// untilBlocked waits until somebody waits for a lock in the database.
func untilBlocked(t *testing.T, db *sql.DB) {
	t.Helper()
	untilAllBlocked(t, db, 1)
}

// untilAllBlocked waits until so many wait for a lock in the database.
func untilAllBlocked(t *testing.T, db *sql.DB, many int) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Minute); ; {
		var waiting int
		err := db.QueryRowContext(t.Context(), `
			SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if waiting >= many {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d wait for a row, not %d", waiting, many)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
