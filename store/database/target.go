package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

var targetColumns = columns[store.Target]{
	{"id", func(t *store.Target) any { return &t.ID }},
	{"name", func(t *store.Target) any { return &t.Name }},
	{"endpoint", func(t *store.Target) any { return &t.Endpoint }},
	{"bucket", func(t *store.Target) any { return &t.Bucket }},
	{"prefix", func(t *store.Target) any { return &t.Prefix }},
	{"region", func(t *store.Target) any { return &t.Region }},
	{"path_style", func(t *store.Target) any { return &t.PathStyle }},
	{"ca", func(t *store.Target) any { return &t.CA }},
	{"key_id", func(t *store.Target) any { return &t.KeyID }},
	{"secret", func(t *store.Target) any { return &t.Secret }},
	{"in_use", func(t *store.Target) any { return &t.InUse }},
	{"created_at", func(t *store.Target) any { return at(&t.CreatedAt) }},
	{"updated_at", func(t *store.Target) any { return at(&t.UpdatedAt) }},
}

func scanTarget(row scanner) (t store.Target, err error) { return t, row.Scan(targetColumns.of(&t)...) }

// queryTarget reads a target with its secret sealed.
func queryTarget(ctx context.Context, q querier, where string, args ...any) (store.Target, error) {
	target, err := scanTarget(q.QueryRowContext(ctx, `SELECT `+targetColumns.list("")+` FROM backup_targets WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Target{}, store.NoSuch("backup target")
	}
	if err != nil {
		return store.Target{}, fmt.Errorf("read backup target: %w", err)
	}
	return target, nil
}

// Targets returns the targets of the installation by name, without their secrets.
func (db *DB) Targets(ctx context.Context, actor store.Actor) ([]store.Target, error) {
	if err := actor.MustAdminister(store.ManageTargets, "page"); err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+targetColumns.list("")+` FROM backup_targets ORDER BY name`)
	targets, err := collect(rows, err, scanTarget)
	if err != nil {
		return nil, fmt.Errorf("list backup targets: %w", err)
	}
	for i := range targets {
		targets[i] = targets[i].Listed()
	}
	return targets, nil
}

// Target returns a target without its secret.
func (db *DB) Target(ctx context.Context, actor store.Actor, id string) (store.Target, error) {
	if err := actor.MustAdminister(store.ManageTargets, "backup target"); err != nil {
		return store.Target{}, err
	}
	target, err := queryTarget(ctx, db.read, `id = $1`, id)
	return target.Listed(), err
}

// OpenTarget returns a target with its secret, or a Conflict where the secret can't be read.
func (db *DB) OpenTarget(ctx context.Context, actor store.Actor, id string) (store.Target, error) {
	if err := actor.MustAdminister(store.ManageTargets, "backup target"); err != nil {
		return store.Target{}, err
	}
	target, err := queryTarget(ctx, db.read, `id = $1`, id)
	if err != nil {
		return store.Target{}, err
	}
	target.Secret, err = db.unseal(targetSecrets(), id, target.Secret)
	if errors.Is(err, store.ErrSealed) {
		return store.Target{}, &store.Error{
			Code: store.Conflict, Field: "secret", Message: "The key was sealed with another SHOPWRIGHT_SECRET_KEY. Enter the secret access key again.", Cause: err,
		}
	}
	return target, err
}

// AddTarget keeps a new target. If it is to be used, it takes the place of the one in use.
func (db *DB) AddTarget(ctx context.Context, actor store.Actor, target store.Target) (store.Target, error) {
	if err := actor.MustAdminister(store.ManageTargets, "page"); err != nil {
		return store.Target{}, err
	}
	target, err := target.Validate()
	if err != nil {
		return store.Target{}, err
	}
	target.ID = store.NewID()
	if target.Secret, err = db.seal(targetSecrets(), target.ID, target.Secret); err != nil {
		return store.Target{}, err
	}
	err = db.update(ctx, func(t tx) error {
		target.CreatedAt, target.UpdatedAt = fromMicros(t.now), fromMicros(t.now)
		if err := t.makeWay(ctx, target); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO backup_targets (`+targetColumns.list("")+`) VALUES (`+targetColumns.marks()+`)`, targetColumns.of(&target)...)
		if err != nil {
			return fmt.Errorf("add backup target: %w", err)
		}
		return t.append(ctx, targetEvent(actor, store.TargetAdded, target, ""))
	})
	return target.Listed(), targetConflict(err, target)
}

// SaveTarget changes a target. Without a secret it keeps the one it has. Where its points are can't
// be changed.
func (db *DB) SaveTarget(ctx context.Context, actor store.Actor, target store.Target) (store.Target, error) {
	before, err := db.Target(ctx, actor, target.ID)
	if err != nil {
		return store.Target{}, err
	}
	if target.Secret == "" {
		opened, err := db.OpenTarget(ctx, actor, target.ID)
		if err != nil {
			return store.Target{}, err
		}
		target.Secret = opened.Secret
	}
	if target, err = target.Validate(); err != nil {
		return store.Target{}, err
	}
	if target.Secret, err = db.seal(targetSecrets(), target.ID, target.Secret); err != nil {
		return store.Target{}, err
	}
	err = db.update(ctx, func(t tx) error {
		target.CreatedAt, target.UpdatedAt = before.CreatedAt, fromMicros(t.now)
		if err := t.checkMoved(ctx, before, target); err != nil {
			return err
		}
		if err := t.makeWay(ctx, target); err != nil {
			return err
		}
		result, err := t.ExecContext(ctx, `UPDATE backup_targets SET `+targetColumns[1:].sets(2)+` WHERE id = $1`, targetColumns.of(&target)...)
		if err := expectOne(result, err, "save backup target"); err != nil {
			return err
		}
		return t.append(ctx, targetEvent(actor, store.TargetChanged, target, before.Address()))
	})
	return target.Listed(), targetConflict(err, target)
}

// DeleteTarget forgets a target that holds no restore points. What is in its bucket stays there.
func (db *DB) DeleteTarget(ctx context.Context, actor store.Actor, id string) error {
	if err := actor.MustAdminister(store.ManageTargets, "backup target"); err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		target, err := t.lockTarget(ctx, `id = $1`, id)
		if err != nil {
			return err
		}
		if err := t.checkEmpty(ctx, id); err != nil {
			return err
		}
		result, err := t.ExecContext(ctx, `DELETE FROM backup_targets WHERE id = $1`, id)
		if err := expectOne(result, err, "delete backup target"); err != nil {
			return err
		}
		deleted := targetEvent(actor, store.TargetDeleted, target, target.Address())
		deleted.Data.After = ""
		return t.append(ctx, deleted)
	})
}

// lockTarget is queryTarget, and keeps others from backing up to the target or deleting it meanwhile.
func (t tx) lockTarget(ctx context.Context, where string, args ...any) (store.Target, error) {
	target, err := scanTarget(t.QueryRowContext(ctx, `UPDATE backup_targets SET updated_at = updated_at WHERE `+where+` RETURNING `+targetColumns.list(""), args...))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Target{}, store.NoSuch("backup target")
	}
	if err != nil {
		return store.Target{}, fmt.Errorf("lock backup target: %w", err)
	}
	return target, nil
}

// checkEmpty refuses a target with points, or with a backup to it in progress.
func (t tx) checkEmpty(ctx context.Context, id string) error {
	var points, backups int
	err := t.QueryRowContext(ctx, `
		SELECT (SELECT COUNT(*) FROM restore_points WHERE target_id = $1), (SELECT COUNT(*) FROM jobs WHERE kind = 'backup' AND ended_at = 0 AND args LIKE '%"target":"' || $1 || '"%')`, id).Scan(&points, &backups)
	switch {
	case err != nil:
		return fmt.Errorf("count the points of a backup target: %w", err)
	case points > 0:
		return &store.Error{Code: store.Conflict, Message: "This target holds restore points, which would be lost. Use another target for new ones instead of deleting this one."}
	case backups > 0:
		return &store.Error{Code: store.Conflict, Message: "A backup to this target is in progress. Delete the target when the backup has ended."}
	}
	return nil
}

// makeWay takes the target that is in use out of use if this one is to be used.
func (t tx) makeWay(ctx context.Context, target store.Target) error {
	if !target.InUse {
		return nil
	}
	if _, err := t.ExecContext(ctx, `UPDATE backup_targets SET in_use = FALSE WHERE in_use AND id <> $1`, target.ID); err != nil {
		return fmt.Errorf("take a backup target out of use: %w", err)
	}
	return nil
}

// checkMoved refuses another place for a target with points, or with a backup in progress.
func (t tx) checkMoved(ctx context.Context, before, after store.Target) error {
	if before.Address() == after.Address() {
		return nil
	}
	var n int
	err := t.QueryRowContext(ctx, `
		SELECT (SELECT COUNT(*) FROM restore_points WHERE target_id = $1) + (SELECT COUNT(*) FROM jobs WHERE kind = 'backup' AND ended_at = 0)`, after.ID).Scan(&n)
	if err != nil {
		return fmt.Errorf("count the points of a backup target: %w", err)
	}
	if n > 0 {
		return &store.Error{Code: store.Conflict, Field: "bucket", Message: "This target holds restore points, or a backup is in progress. Add another target instead of changing the endpoint, bucket or prefix."}
	}
	return nil
}

func targetConflict(err error, target store.Target) error {
	if isUniqueViolation(err) {
		return &store.Error{Code: store.Conflict, Field: "name", Message: fmt.Sprintf("The target %q already exists. Choose another name.", target.Name)}
	}
	return err
}

func targetEvent(actor store.Actor, kind store.Kind, target store.Target, before string) store.Event {
	return actor.Sign(store.Event{Kind: kind, Object: target.Name, Data: store.EventData{Before: before, After: target.Address()}})
}
