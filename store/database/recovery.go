package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

var recoveryColumns = columns[store.Recovery]{
	{"recipient", func(r *store.Recovery) any { return &r.Recipient }},
	{"made_by", func(r *store.Recovery) any { return &r.MadeBy }},
	{"made_at", func(r *store.Recovery) any { return at(&r.MadeAt) }},
	{"saved_at", func(r *store.Recovery) any { return at(&r.SavedAt) }},
	{"saved_size", func(r *store.Recovery) any { return &r.Size }},
	{"failed", func(r *store.Recovery) any { return &r.Failed }},
}

func (db *DB) recovery(ctx context.Context) (r store.Recovery, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT `+recoveryColumns.list("")+` FROM recovery`).Scan(recoveryColumns.of(&r)...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return store.Recovery{}, fmt.Errorf("read the recovery key: %w", err)
	}
	return r, nil
}

// Recovery returns the installation's recovery key, without the half that opens, and how the backup of the records goes.
func (db *DB) Recovery(ctx context.Context, actor store.Actor) (store.Recovery, error) {
	if err := actor.MustAdminister(store.ManageTargets, "page"); err != nil {
		return store.Recovery{}, err
	}
	r, err := db.recovery(ctx)
	if err != nil {
		return store.Recovery{}, err
	}
	target, err := queryTarget(ctx, db.read, `in_use`)
	if store.ErrorCode(err) == store.NotFound {
		return r, nil
	}
	r.Target = target.Name
	return r, err
}

// UnguardedRecovery is [DB.Recovery] for the server's command line.
func (db *DB) UnguardedRecovery(ctx context.Context) (store.Recovery, error) { return db.recovery(ctx) }

// SetRecoveryKey makes the recipient the one that the records are encrypted for from now on. What was encrypted before
// opens with the key of before only.
func (db *DB) SetRecoveryKey(ctx context.Context, actor store.Actor, recipient string) error {
	if err := actor.MustAdminister(store.ManageTargets, "page"); err != nil {
		return err
	}
	return db.setRecoveryKey(ctx, actor, recipient)
}

// UnguardedSetRecoveryKey is [DB.SetRecoveryKey] for the server's command line.
func (db *DB) UnguardedSetRecoveryKey(ctx context.Context, recipient string) error {
	return db.setRecoveryKey(ctx, store.Actor{}, recipient)
}

func (db *DB) setRecoveryKey(ctx context.Context, actor store.Actor, recipient string) error {
	return db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `
			INSERT INTO recovery (id, recipient, made_by, made_at) VALUES (1, $1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET recipient = $1, made_by = $2, made_at = $3, tried_at = 0, failed = ''`, recipient, actor.Name, t.now)
		if err != nil {
			return fmt.Errorf("keep the recovery key: %w", err)
		}
		return t.append(ctx, actor.Sign(store.Event{Kind: store.RecoveryKeyMade, Object: recipient}))
	})
}

// UnguardedBeginRecords returns the key and the target in use, with its secret, if a backup of the records is due. Of all
// replicas one is told so.
func (db *DB) UnguardedBeginRecords(ctx context.Context) (r store.Recovery, to store.Target, due bool, err error) {
	if to, err = queryTarget(ctx, db.read, `in_use`); store.ErrorCode(err) == store.NotFound {
		return r, to, false, nil
	} else if err != nil {
		return r, to, false, err
	}
	err = db.update(ctx, func(t tx) error {
		result, err := t.ExecContext(ctx, `UPDATE recovery SET tried_at = $1 WHERE tried_at <= $2`, t.now, t.now-store.RecordsEvery.Microseconds())
		if err != nil {
			return fmt.Errorf("begin a backup of the database: %w", err)
		}
		n, err := result.RowsAffected()
		due = n > 0
		return err
	})
	if err != nil || !due {
		return r, to, false, err
	}
	if r, err = db.recovery(ctx); err != nil {
		return r, to, false, err
	}
	if to.Secret, err = db.unseal(targetSecrets(), to.ID, to.Secret); err != nil {
		return r, to.Listed(), true, fmt.Errorf("open the key of backup target %s: %w", to.Name, err)
	}
	return r, to, true, nil
}

// UnguardedRecordsSaved records a backup of the records, of so many bytes.
func (db *DB) UnguardedRecordsSaved(ctx context.Context, size int64) error {
	return db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE recovery SET saved_at = $1, saved_size = $2, failed = ''`, t.now, size)
		return err
	})
}

// UnguardedRecordsFailed records why a backup of the records came to nothing.
func (db *DB) UnguardedRecordsFailed(ctx context.Context, why string) error {
	return db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE recovery SET failed = $1`, store.Quote(why).Storable().Facts.Quote)
		return err
	})
}
