package database_test

import (
	"sync"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// A target is deleted unless it holds points or one is being written to it.
func TestTargetIsDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		full := p.target(t, "full")
		p.point(t, "")
		empty := p.target(t, "empty")
		wantError(t, p.db.DeleteTarget(t.Context(), p.admin, full.ID), store.Conflict, "")
		stranger, _ := storetest.Actor(t, p.db, "noor")
		wantError(t, p.db.DeleteTarget(t.Context(), stranger, empty.ID), store.NotFound, "")
		c := p.backUp(t, "")
		wantError(t, p.db.DeleteTarget(t.Context(), p.admin, empty.ID), store.Conflict, "")
		if err := p.db.FailBackup(t.Context(), c, store.Failure{Code: store.BackupOverdue}); err != nil {
			t.Fatal(err)
		}
		if err := p.db.DeleteTarget(t.Context(), p.admin, empty.ID); err != nil {
			t.Fatal(err)
		}
		wantError(t, p.db.DeleteTarget(t.Context(), p.admin, empty.ID), store.NotFound, "")
		if left, err := p.db.Targets(t.Context(), p.admin); err != nil || len(left) != 1 || left[0].ID != full.ID {
			t.Errorf("left are %+v, %v", left, err)
		}
		audit, err := p.db.Audit(t.Context(), p.admin, store.AuditQuery{Group: store.AuditInstallation, Limit: 1})
		if err != nil || len(audit) != 1 || audit[0].Kind != store.TargetDeleted || audit[0].Object != "empty" || audit[0].Data.Before != empty.Address() || audit[0].Data.After != "" {
			t.Errorf("told is %+v, %v", audit, err)
		}
	})
}

// Of a deletion and a backup at the same time one is refused: no backup is left without its target.
func TestTargetIsDeletedOrBackedUpTo(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		for range 10 {
			target := p.target(t, "off-site")
			var (
				both     sync.WaitGroup
				job      store.Job
				asked    error
				deletion error
			)
			both.Go(func() { job, asked = p.db.BackUp(t.Context(), p.actor, p.ready.ID, "") })
			both.Go(func() { deletion = p.db.DeleteTarget(t.Context(), p.admin, target.ID) })
			both.Wait()
			if (asked == nil) == (deletion == nil) {
				t.Fatalf("the backup %s is answered with %v, the deletion with %v", job.ID, asked, deletion)
			}
			if asked == nil {
				db := raw(t, url)
				if _, err := db.ExecContext(t.Context(), `UPDATE jobs SET state = 'failed', ended_at = asked_at WHERE id = $1`, job.ID); err != nil {
					t.Fatal(err)
				}
				if err := p.db.DeleteTarget(t.Context(), p.admin, target.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
