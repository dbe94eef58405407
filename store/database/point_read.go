package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

const pointFrom = ` FROM restore_points p JOIN backup_targets t ON t.id = p.target_id `

func scanPoint(row scanner) (p store.RestorePoint, err error) {
	return p, row.Scan(append(pointColumns.of(&p), &p.TargetName)...)
}

// points returns the restore points of a store that are kept and that the query selects, newest first.
func (db *DB) points(ctx context.Context, storeID string, q store.PointQuery) ([]store.RestorePoint, error) {
	query, args := `SELECT `+pointColumns.list("p")+`, t.name`+pointFrom+`WHERE p.store_id = $1 AND p.expired_at = 0`, []any{storeID}
	if q.After != "" {
		after, err := db.point(ctx, storeID, q.After)
		if store.ErrorCode(err) == store.NotFound {
			return nil, store.Invalidf("after", "Invalid cursor. Start with the first page.")
		}
		if err != nil {
			return nil, err
		}
		query += ` AND (p.ended_at < $2 OR p.ended_at = $2 AND p.id > $3)`
		args = append(args, micros(after.EndedAt), after.ID)
	}
	query += ` ORDER BY p.ended_at DESC, p.id`
	if q.Limit > 0 {
		args = append(args, q.Limit)
		query += fmt.Sprintf(` LIMIT $%d`, len(args))
	}
	rows, err := db.read.QueryContext(ctx, query, args...)
	points, err := collect(rows, err, scanPoint)
	if err != nil {
		return nil, fmt.Errorf("list the restore points of store %s: %w", storeID, err)
	}
	return points, nil
}

// Point returns a restore point of a store, if it is kept.
func (db *DB) Point(ctx context.Context, actor store.Actor, storeID, id string) (store.RestorePoint, error) {
	if _, err := db.FindStore(ctx, actor, storeID); err != nil {
		return store.RestorePoint{}, err
	}
	return db.point(ctx, storeID, id)
}

func (db *DB) point(ctx context.Context, storeID, id string) (store.RestorePoint, error) {
	p, err := scanPoint(db.read.QueryRowContext(ctx, `SELECT `+pointColumns.list("p")+`, t.name`+pointFrom+`WHERE p.store_id = $1 AND p.id = $2 AND p.expired_at = 0`, storeID, id))
	if errors.Is(err, sql.ErrNoRows) {
		return store.RestorePoint{}, store.NoSuch("restore point")
	}
	if err != nil {
		return store.RestorePoint{}, fmt.Errorf("read restore point %s: %w", id, err)
	}
	return p, nil
}

// Backup returns a backup of a store, and its events, oldest first.
func (db *DB) Backup(ctx context.Context, actor store.Actor, storeID, id string) (job store.Job, events []store.Event, err error) {
	if _, err := db.FindStore(ctx, actor, storeID); err != nil {
		return store.Job{}, nil, err
	}
	err = db.read.QueryRowContext(ctx, `
		SELECT `+jobColumns.list("")+` FROM jobs WHERE id = $1 AND store_id = $2 AND kind = 'backup'`, id, storeID).Scan(jobColumns.of(&job)...)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Job{}, nil, store.NoSuch("backup")
	}
	if err != nil {
		return store.Job{}, nil, fmt.Errorf("read backup %s: %w", id, err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE store_id = $1 AND job_id = $2 ORDER BY number`, storeID, id)
	if events, err = collect(rows, err, scanEvent); err != nil {
		return store.Job{}, nil, fmt.Errorf("read the events of backup %s: %w", id, err)
	}
	return job, seenBy(actor, events), nil
}
