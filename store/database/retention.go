package database

import (
	"context"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// pruneEvery is the pause between two prunings, over all replicas.
const pruneEvery = 24 * time.Hour

// checksKept bounds how long the jobs of checks are kept that have ended: there are many, and what
// they came to is among the events.
const checksKept = 7 * 24 * time.Hour

// pruneBatch bounds how many rows go in one transaction: others wait for it.
const pruneBatch = 1000

// Prune removes what is older than that, if nobody has in the last day.
func (db *DB) Prune(ctx context.Context, keep store.Retention) (removed int64, err error) {
	var now int64
	err = db.update(ctx, func(t tx) error {
		result, err := t.ExecContext(ctx, `UPDATE counters SET value = $1 WHERE name = 'pruned' AND value <= $2`, t.now, t.now-pruneEvery.Microseconds())
		if err != nil {
			return fmt.Errorf("begin to prune: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		now = t.now
		return nil
	})
	if err != nil || now == 0 {
		return 0, err
	}
	for _, p := range prunings(keep) {
		if p.keep == 0 {
			continue
		}
		n, err := db.prune(ctx, p, now-p.keep.Microseconds())
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// prune removes in batches what was over before that time.
func (db *DB) prune(ctx context.Context, p pruning, before int64) (removed int64, err error) {
	for {
		var n int64
		err := db.update(ctx, func(t tx) error {
			result, err := t.ExecContext(ctx, p.statement, before, pruneBatch)
			if err != nil {
				return fmt.Errorf("prune %s: %w", p.what, err)
			}
			n, err = result.RowsAffected()
			return err
		})
		removed += n
		if err != nil || n < pruneBatch {
			return removed, err
		}
	}
}

// pruning removes at most $2 rows of what was over before $1.
type pruning struct {
	what      string
	keep      time.Duration
	statement string
}

func prunings(keep store.Retention) []pruning {
	return []pruning{
		{"events", keep.Events, `
			DELETE FROM events WHERE NOT audit AND number IN (
				SELECT e.number FROM events e
				WHERE NOT e.audit AND e.created_at < $1 AND NOT EXISTS (SELECT 1 FROM mails m WHERE m.event = e.number)
					AND NOT EXISTS (SELECT 1 FROM stores s WHERE s.id = e.store_id AND s.deleted_at = 0 AND s.job_id = e.job_id)
				LIMIT $2)`},
		{"jobs", keep.Events, `
			DELETE FROM jobs WHERE id IN (
				SELECT j.id FROM jobs j JOIN stores s ON s.id = j.store_id
				WHERE j.ended_at > 0 AND j.ended_at < $1 AND j.id <> s.job_id LIMIT $2)`},
		{"checks", checksKept, `
			DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE kind = 'check' AND ended_at > 0 AND ended_at < $1 LIMIT $2)`},
		{"revisions", keep.Events, `
			DELETE FROM revisions WHERE (store_id, generation, number) IN (
				SELECT store_id, generation, number FROM revisions
				WHERE NOT kept AND ended_at > 0 AND ended_at < $1 AND state IN ('superseded', 'failed', 'gone') LIMIT $2)`},
		{"revisions of deleted stores", keep.Deleted, `
			DELETE FROM revisions WHERE (store_id, generation, number) IN (
				SELECT r.store_id, r.generation, r.number FROM revisions r JOIN stores s ON s.id = r.store_id
				WHERE s.deleted_at > 0 AND s.deleted_at < $1 LIMIT $2)`},
		{"jobs of deleted stores", keep.Deleted, `
			DELETE FROM jobs WHERE id IN (
				SELECT j.id FROM jobs j JOIN stores s ON s.id = j.store_id WHERE s.deleted_at > 0 AND s.deleted_at < $1
					AND (j.id <> s.job_id OR NOT EXISTS (SELECT 1 FROM restore_points p WHERE p.store_id = s.id)) LIMIT $2)`}, // with which it is read
		{"repositories of deleted stores without points", keep.Deleted, `
			DELETE FROM repositories WHERE store_id IN (
				SELECT s.id FROM stores s WHERE s.deleted_at > 0 AND s.deleted_at < $1
					AND NOT EXISTS (SELECT 1 FROM restore_points p WHERE p.store_id = s.id) LIMIT $2)`},
		{"deleted stores", keep.Deleted, `
			DELETE FROM stores WHERE id IN (
				SELECT s.id FROM stores s WHERE s.deleted_at > 0 AND s.deleted_at < $1
					AND NOT EXISTS (SELECT 1 FROM restore_points p WHERE p.store_id = s.id) LIMIT $2)`},
		{"tokens", keep.Ended, `
			DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens WHERE expires_at < $1 LIMIT $2)`},
		{"invitations", keep.Ended, `
			DELETE FROM invitations WHERE id IN (
				SELECT id FROM invitations
				WHERE expires_at < $1 OR used_at > 0 AND used_at < $1 OR revoked_at > 0 AND revoked_at < $1 LIMIT $2)`},
		{"sessions", keep.Ended, `
			DELETE FROM sessions WHERE id_hash IN (SELECT id_hash FROM sessions WHERE expires_at < $1 OR last_seen_at < $1 LIMIT $2)`},
		{"login links", keep.Ended, `
			DELETE FROM login_links WHERE secret_hash IN (SELECT secret_hash FROM login_links WHERE expires_at < $1 LIMIT $2)`},
	}
}
