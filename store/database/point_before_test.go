package database_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"shopwright.dev/shopwright/store"
)

// setupSold is setupPoints with a store that can be upgraded.
func setupSold(t *testing.T, url string) points {
	t.Helper()
	p := setupPoints(t, url)
	change(t, url, `UPDATE stores SET sold = 1, revision = 1`)
	p.ready = p.store(t, p.ready.ID)
	return p
}

// upgrade asks for an upgrade with a backup before it.
func (p points) upgrade(t *testing.T) store.Store {
	t.Helper()
	st, err := p.db.Upgrade(t.Context(), p.actor, p.ready.ID, store.UpgradeRequest{Chart: "2.0.0", Backup: true})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// claimBackup claims the backup that something waits for, and nothing else can be claimed meanwhile.
func (p points) claimBackup(t *testing.T, reason store.PointReason) store.Claim {
	t.Helper()
	c, ok, err := p.db.Claim(t.Context(), "one", time.Minute, store.Concurrency{Backups: 1})
	if err != nil || !ok || c.Job.Kind != store.BackupJob || c.Job.Point.Reason != reason || c.Store.Job.After != c.Job.ID {
		t.Fatalf("claimed is %+v of %+v, %t, %v", c.Job, c.Store.Job, ok, err)
	}
	if other, ok, err := p.db.Claim(t.Context(), "two", time.Minute, store.Concurrency{Backups: 2, Checks: 2}); ok || err != nil {
		t.Fatalf("beside it %+v is claimed, %v", other.Job, err)
	}
	return c
}

func (p points) failBackup(t *testing.T, c store.Claim) {
	t.Helper()
	if err := errors.Join(p.db.FailBackup(t.Context(), c, store.Failure{Code: store.BackupOverdue}), p.db.Release(t.Context(), c)); err != nil {
		t.Fatal(err)
	}
}

func TestUpgradeWaitsForABackup(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupSold(t, url)
		if st := p.upgrade(t); st.Job.Waits() {
			t.Errorf("without a target it waits: %+v", st.Job)
		}
		p.complete(t, p.claim(t, "one"))
		p.target(t, "off-site")
		if st := p.upgrade(t); st.Status != store.Upgrading || !st.Job.Waits() || st.Job.Note.Code != store.BackupFirst || !st.CanCancel() {
			t.Errorf("the store is %s with %+v", st.Status, st.Job)
		}
		c := p.claimBackup(t, store.BeforeUpgrade)
		if err := errors.Join(p.db.RecordPoint(t.Context(), c, wholeManifest()), p.db.Release(t.Context(), c)); err != nil {
			t.Fatal(err)
		}
		if got := p.claim(t, "one"); got.Job.Kind != store.ChangeJob || got.Job.Waits() || got.Job.Note.Code != "" {
			t.Errorf("claimed is %+v", got.Job)
		}
	})
}

// What a backup should come before isn't begun if the backup fails, and can be asked for again.
func TestNothingIsBegunIfTheBackupFails(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupSold(t, url)
		p.target(t, "off-site")
		p.upgrade(t)
		p.failBackup(t, p.claimBackup(t, store.BeforeUpgrade))
		st := p.store(t, p.ready.ID)
		if st.Status != store.Ready || !st.Aborted() || st.Job.Failure.Code != store.BackupOverdue || st.CheckDue.IsZero() || st.Revision != p.ready.Revision {
			t.Errorf("the store is %s with %+v", st.Status, st.Job)
		}
		for range 2 {
			st, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{Backup: true})
			if err != nil || st.Status != store.Deleting || !st.Job.Waits() {
				t.Fatalf("the store is %s with %+v, %v", st.Status, st.Job, err)
			}
			p.failBackup(t, p.claimBackup(t, store.BeforeDeletion))
			if st = p.store(t, p.ready.ID); st.Status != store.Ready || st.Desired != store.Present || !st.Aborted() {
				t.Errorf("the store is %s with %+v", st.Status, st.Job)
			}
		}
		if _, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		if got := p.claim(t, "one"); got.Job.Kind != store.RemoveJob {
			t.Errorf("claimed is %+v", got.Job)
		}
	})
}

func TestWhatWaitsForABackupCanBeCancelled(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupSold(t, url)
		p.target(t, "off-site")
		p.upgrade(t)
		c := p.claimBackup(t, store.BeforeUpgrade)
		st, err := p.db.Cancel(t.Context(), p.actor, p.ready.ID)
		if err != nil || st.Status != store.Ready || st.Job.State != store.JobCancelled || st.Aborted() {
			t.Errorf("the store is %s with %+v, %v", st.Status, st.Job, err)
		}
		if err := p.db.RecordPoint(t.Context(), c, wholeManifest()); !errors.Is(err, store.ErrStale) {
			t.Errorf("the backup goes on: %v", err)
		}
		if _, err := p.db.Cancel(t.Context(), p.actor, p.ready.ID); store.ErrorCode(err) != store.Conflict {
			t.Errorf("nothing is cancelled with %v", err)
		}
	})
}

// A deletion that waits for a backup needn't.
func TestDeletionGoesOnWithoutItsBackup(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupSold(t, url)
		p.target(t, "off-site")
		for _, r := range []store.DeleteRequest{{Backup: true}, {}} {
			if _, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, r); err != nil {
				t.Fatal(err)
			}
		}
		if st := p.store(t, p.ready.ID); st.Job.Waits() || st.Status != store.Deleting {
			t.Errorf("the store is %s with %+v", st.Status, st.Job)
		}
		if got := p.claim(t, "one"); got.Job.Kind != store.RemoveJob {
			t.Errorf("claimed is %+v", got.Job)
		}
		if b := p.backups(t); b.Job.State != store.JobCancelled {
			t.Errorf("the backup is %+v", b.Job)
		}
	})
}

// A deletion makes a point of its own, whatever the point was for that an upgrade waits for.
func TestDeletionIsBackedUpWhileAnUpgradeWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupSold(t, url)
		p.target(t, "off-site")
		p.upgrade(t)
		st, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{Backup: true})
		if err != nil || !st.Job.Waits() || st.Job.Kind != store.RemoveJob {
			t.Fatalf("the store is %s with %+v, %v", st.Status, st.Job, err)
		}
		p.failBackup(t, p.claimBackup(t, store.BeforeDeletion))
		if st := p.store(t, p.ready.ID); st.Status != store.Ready || !st.Aborted() {
			t.Errorf("the store is %s with %+v", st.Status, st.Job)
		}
	})
}

// What a shop has sold isn't deleted without the backup that was asked for.
func TestFailedStoreIsNotDeletedWithoutItsBackup(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupSold(t, url)
		p.target(t, "off-site")
		p.lose(t, p.ready.ID)
		_, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{Backup: true})
		wantError(t, err, store.Conflict, "")
		for _, r := range []store.DeleteRequest{{}, {Backup: true}} { // asking again is no error
			if st, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, r); err != nil || st.Status != store.Deleting || st.Job.Waits() {
				t.Errorf("the store is %s with %+v, %v", st.Status, st.Job, err)
			}
		}
	})
}

// Backups and what waits for one lock the same rows in the same order.
func TestBackupsAndDeletionsPassEachOther(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupSold(t, url)
		p.target(t, "off-site")
		stores := []store.Store{p.ready}
		for range 5 {
			stores = append(stores, p.create(t, "Another"))
			p.complete(t, p.claim(t, "one"))
		}
		var all errgroup.Group
		for i, st := range stores {
			all.Go(func() error {
				if i%2 == 0 {
					_, err := p.db.BackUp(t.Context(), p.actor, st.ID, "")
					return err
				}
				_, err := p.db.RequestDelete(t.Context(), p.actor, st.ID, store.DeleteRequest{Backup: true})
				return err
			})
		}
		if err := all.Wait(); err != nil {
			t.Error(err)
		}
	})
}
