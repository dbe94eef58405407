package database

import (
	"context"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// useWritten is how often the last use of a session is written down.
const useWritten = time.Minute

// KeepSession writes down that the session is used, at most once a minute.
func (db *DB) KeepSession(ctx context.Context, s store.Session) error {
	if s.UsedAt.IsZero() || db.now().Sub(s.UsedAt) < useWritten {
		return nil
	}
	return db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE sessions SET last_seen_at = $2 WHERE id_hash = $1 AND last_seen_at <= $3`,
			s.Hash, t.now, t.now-useWritten.Microseconds())
		if err != nil {
			return fmt.Errorf("keep session: %w", err)
		}
		return nil
	})
}

// Sessions returns the actor's open sessions, the last used first. The one with that id is
// marked as current.
func (db *DB) Sessions(ctx context.Context, actor store.Actor, currentID string) ([]store.OpenSession, error) {
	if err := actor.InPerson(); err != nil {
		return nil, err
	}
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT id_hash, device, address, created_at, last_seen_at FROM sessions
		WHERE user_id = $1 AND expires_at > $2 AND last_seen_at > $3 ORDER BY last_seen_at DESC, id_hash`,
		actor.UserID, now, now-store.SessionIdle.Microseconds())
	sessions, err := collect(rows, err, func(row scanner) (store.OpenSession, error) {
		var (
			s             store.OpenSession
			created, used int64
		)
		err := row.Scan(&s.ID, &s.Device, &s.Address, &created, &used)
		s.CreatedAt, s.UsedAt, s.Current = fromMicros(created), fromMicros(used), s.ID == hash(currentID)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return sessions, nil
}

// EndSession ends one of the actor's sessions, by the id that [DB.Sessions] gives.
func (db *DB) EndSession(ctx context.Context, actor store.Actor, id string) error {
	if err := actor.InPerson(); err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		result, err := t.ExecContext(ctx, `DELETE FROM sessions WHERE id_hash = $1 AND user_id = $2`, id, actor.UserID)
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return store.NoSuch("session")
		}
		return t.recordEnd(ctx, actor, store.OneSession)
	})
}

// EndOtherSessions ends all of the actor's sessions but the one with that id.
func (db *DB) EndOtherSessions(ctx context.Context, actor store.Actor, currentID string) error {
	if err := actor.InPerson(); err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		if err := t.endOtherSessions(ctx, actor.UserID, currentID); err != nil {
			return err
		}
		return t.recordEnd(ctx, actor, store.OtherSessions)
	})
}

func (t tx) endOtherSessions(ctx context.Context, userID, currentID string) error {
	_, err := t.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2`, userID, hash(currentID))
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

func (t tx) recordEnd(ctx context.Context, actor store.Actor, how store.How) error {
	return t.recordSign(ctx, store.SessionEnded, store.User{ID: actor.UserID, Name: actor.Name}, actor.Address, store.EventData{How: how})
}
