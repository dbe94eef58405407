package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// CreateStoreOnce is [DB.CreateStore] for a request with an idempotency key. If the actor has used the
// key within [store.KeyLifetime], it returns the first answer; of two concurrent requests one waits for
// the other. Refusals are not kept.
func (db *DB) CreateStoreOnce(ctx context.Context, actor store.Actor, n store.NewStore, once store.Once) (answer string, err error) {
	n, err = n.Validate(actor)
	if err != nil {
		return "", err
	}
	var st store.Store
	err = db.update(ctx, func(t tx) (err error) {
		answer, err = t.once(ctx, actor, once, func() (string, error) {
			if st, err = db.createStore(ctx, t, actor, n); err != nil {
				return "", err
			}
			return once.Answer(st)
		})
		return err
	})
	return answer, takenMeanwhile(st, err)
}

// CreateTeamOnce is [DB.CreateTeam] for a request with an idempotency key. It returns the id of the team
// as [DB.CreateStoreOnce] returns its answer.
func (db *DB) CreateTeamOnce(ctx context.Context, actor store.Actor, name string, once store.Once) (id string, err error) {
	team, err := newTeam(actor, name)
	if err != nil {
		return "", err
	}
	err = db.update(ctx, func(t tx) (err error) {
		id, err = t.once(ctx, actor, once, func() (string, error) { return team.ID, t.createTeam(ctx, actor, team) })
		return err
	})
	return id, err
}

// BackUpOnce is [DB.BackUp] for a request with a key. It returns the id of the backup, as
// [DB.CreateStoreOnce] returns its answer.
func (db *DB) BackUpOnce(ctx context.Context, actor store.Actor, storeID, note string, once store.Once) (id string, err error) {
	r, err := db.newBackup(ctx, actor, storeID, note)
	if err != nil {
		return "", err
	}
	err = db.update(ctx, func(t tx) (err error) {
		id, err = t.once(ctx, actor, once, func() (string, error) {
			job, err := t.backUp(ctx, actor, r)
			return job.ID, err
		})
		return err
	})
	return id, err
}

// once runs do and keeps its answer, unless there is one already.
func (t tx) once(ctx context.Context, actor store.Actor, once store.Once, do func() (answer string, err error)) (string, error) {
	answer, err := t.recall(ctx, actor, once)
	if err != nil || answer != "" {
		return answer, err
	}
	if answer, err = do(); err != nil {
		return "", err
	}
	_, err = t.ExecContext(ctx, `UPDATE idempotency_keys SET answer = $3 WHERE user_id = $1 AND key = $2`, actor.UserID, once.Key, answer)
	return answer, err
}

// Recall returns the kept answer to the actor's request with that key, or an empty one. Call it before
// any other check: a repeated request then gets the same answer, whatever has changed since.
func (db *DB) Recall(ctx context.Context, actor store.Actor, once store.Once) (answer string, err error) {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return "", err
	}
	return recalled(ctx, db.read, actor, once, now)
}

// recall returns the kept answer to this request, or takes the key for it.
func (t tx) recall(ctx context.Context, actor store.Actor, once store.Once) (string, error) {
	if _, err := t.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE created_at <= $1`, t.now-store.KeyLifetime.Microseconds()); err != nil {
		return "", fmt.Errorf("forget old keys: %w", err)
	}
	_, err := t.ExecContext(ctx, `
		INSERT INTO idempotency_keys (user_id, key, digest, answer, created_at) VALUES ($1, $2, $3, '', $4) ON CONFLICT DO NOTHING`,
		actor.UserID, once.Key, once.Digest, t.now)
	if err != nil {
		return "", fmt.Errorf("take key: %w", err)
	}
	return recalled(ctx, t, actor, once, t.now)
}

func recalled(ctx context.Context, q querier, actor store.Actor, once store.Once, now int64) (string, error) {
	var digest, answer string
	err := q.QueryRowContext(ctx, `SELECT digest, answer FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND created_at > $3`,
		actor.UserID, once.Key, now-store.KeyLifetime.Microseconds()).Scan(&digest, &answer)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find key: %w", err)
	}
	if digest != once.Digest {
		return "", store.Invalidf("Idempotency-Key", "This key was used for another request. Use a new key for each request.")
	}
	return answer, nil
}
