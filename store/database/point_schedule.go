package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// scheduledStore is a store that the platform backs up, and when it tried to last.
type scheduledStore struct {
	id    string
	plan  store.Plan
	tried time.Time // zero for never
	ready time.Time // when the store was ready for the first time
}

// last is when the last backup was tried. Before the first one that is when there was something to back up
// and somewhere to put it: neither a new store nor a new target has all stores backed up at once.
func (s scheduledStore) last(target store.Target) time.Time {
	switch {
	case !s.tried.IsZero():
		return s.tried
	case s.ready.After(target.UpdatedAt):
		return s.ready
	}
	return target.UpdatedAt
}

const scheduledColumns = `s.id, s.ready_at, p.backup_every, COALESCE(r.scheduled_at, 0)`

const scheduledTables = `stores s JOIN plans p ON p.name = s.plan LEFT JOIN repositories r ON r.store_id = s.id`

func scanScheduled(row scanner) (s scheduledStore, err error) {
	return s, row.Scan(&s.id, at(&s.ready), &s.plan.BackupEvery, at(&s.tried))
}

// UnguardedStartScheduledBackups begins the backups of a cluster's stores that are due by their plans, if a target is
// in use, and returns how many. It may be called at any time and by several processes: of each store one
// backup begins in a slot.
func (db *DB) UnguardedStartScheduledBackups(ctx context.Context, clusterID string) (begun int, err error) {
	target, err := queryTarget(ctx, db.read, `in_use`)
	if store.ErrorCode(err) == store.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return 0, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+scheduledColumns+` FROM `+scheduledTables+`
		WHERE s.cluster_id = $1 AND s.deleted_at = 0 AND s.purpose = 'shop' AND s.desired = 'present' AND s.status IN ('ready', 'degraded') AND p.backup_every > 0
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.store_id = s.id AND j.kind = 'backup' AND j.ended_at = 0)`, clusterID)
	stores, err := collect(rows, err, scanScheduled)
	if err != nil {
		return 0, fmt.Errorf("read which stores are backed up on schedule: %w", err)
	}
	var failed []error
	for _, s := range stores {
		if !s.plan.PointSchedule(s.id).Due(fromMicros(now), s.last(target)) {
			continue
		}
		switch err := db.startScheduled(ctx, s); {
		case err == nil:
			begun++
		case !errors.Is(err, store.ErrStale) && store.ErrorCode(err) != store.Conflict: // one store must not keep the others waiting
			failed = append(failed, err)
		}
	}
	return begun, errors.Join(failed...)
}

// startScheduled begins a backup of the store, unless another process has since the store was read, which
// is ErrStale, or the store can't be backed up any more, which is a Conflict.
func (db *DB) startScheduled(ctx context.Context, s scheduledStore) error {
	password, err := db.seal(repositoryPasswords(), s.id, store.NewPassword())
	if err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		st, err := t.lockStore(ctx, s.id)
		if err != nil {
			return err
		}
		if !st.CanBackUp() {
			return &store.Error{Code: store.Conflict, Message: "This store is " + string(st.Status) + "."}
		}
		if _, err := t.beginBackup(ctx, st, store.PointArgs{Reason: store.OnSchedule}, store.Actor{}, password); err != nil {
			return err
		}
		result, err := t.ExecContext(ctx, `UPDATE repositories SET scheduled_at = $2 WHERE store_id = $1 AND scheduled_at = $3`, s.id, t.now, micros(s.tried))
		return expectOne(result, err, "begin the scheduled backup of store "+s.id)
	})
}

// planned adds to the backups of a store which target is in use, and when the next scheduled backup is due.
func (db *DB) planned(ctx context.Context, st store.Store, b *store.Backups) error {
	s, err := scanScheduled(db.read.QueryRowContext(ctx, `SELECT `+scheduledColumns+` FROM `+scheduledTables+` WHERE s.id = $1`, st.ID))
	if err != nil {
		return fmt.Errorf("read when store %s is backed up: %w", st.ID, err)
	}
	b.Every = s.plan.BackupEvery
	target, err := queryTarget(ctx, db.read, `in_use`)
	if store.ErrorCode(err) == store.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	b.Target = target.Name
	now, err := db.clock(ctx, db.read)
	if err == nil && st.CanBackUp() {
		b.Next = s.plan.PointSchedule(st.ID).Next(fromMicros(now), s.last(target))
	}
	return err
}
