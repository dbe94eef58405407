package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// mailTries is how often a mail is tried before it is dropped: about a day, with the pauses of the sender.
const mailTries = 12

// mailWithin is how old an event may be when mail about it is queued. If no mail server was configured
// for a while, no mail is sent about older events.
const mailWithin = 24 * time.Hour

// QueueMail queues mails about the events since the last call. All replicas together look at each
// event once. Events from before the first call cause no mail.
func (db *DB) QueueMail(ctx context.Context) error {
	return db.update(ctx, func(t tx) error {
		var seen, last int64
		err := t.QueryRowContext(ctx, `UPDATE counters SET value = value WHERE name = 'mail' RETURNING value`).Scan(&seen)
		if err != nil {
			return fmt.Errorf("lock mail: %w", err)
		}
		if last, err = lastEvent(ctx, t); err != nil {
			return err
		}
		if seen >= 0 {
			if err := t.queueMailAbout(ctx, seen, last); err != nil {
				return err
			}
		}
		if _, err := t.ExecContext(ctx, `UPDATE counters SET value = $1 WHERE name = 'mail'`, last); err != nil {
			return fmt.Errorf("note what mail was queued of: %w", err)
		}
		return nil
	})
}

func (t tx) queueMailAbout(ctx context.Context, after, last int64) error {
	rows, err := t.QueryContext(ctx, `
		SELECT `+eventColumns+` FROM events
		WHERE number > $1 AND number <= $2 AND created_at > $8 AND kind IN ($3, $4, $5, $6, $7, $9, $10) ORDER BY number`,
		after, last, store.StoreReady, store.StoreFailed, store.StoreDegraded, store.IdentityLinked, store.IdentityRemoved, t.now-mailWithin.Microseconds(), store.DrillFailed, store.DrillOverdue)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return fmt.Errorf("read what mail is about: %w", err)
	}
	for _, e := range events {
		users, err := t.concerned(ctx, e)
		if err != nil {
			return err
		}
		for _, user := range users {
			_, err := t.ExecContext(ctx, `INSERT INTO mails (id, event, user_id, tries, due_at, created_at) VALUES ($1, $2, $3, 0, $4, $4)`,
				store.NewID(), e.Number, user, t.now)
			if err != nil {
				return fmt.Errorf("queue mail: %w", err)
			}
		}
	}
	return nil
}

// concerned returns the users who get mail about the event: the one who asked for the work that has
// ended, the owners and admins of the team of a shop that no longer sells or can't be restored, or the user whose sign-in
// methods have changed.
func (t tx) concerned(ctx context.Context, e store.Event) ([]string, error) {
	const reachable = `NOT u.disabled AND u.email <> ''`
	query, args := `
		SELECT u.id FROM users u JOIN memberships m ON m.user_id = u.id AND m.team_id = $2
		WHERE `+reachable+` AND u.id = (
			SELECT actor_id FROM events WHERE store_id = $1 AND number < $3 AND kind IN ($4, $5, $6, $7, $8, $9, $10, $11) ORDER BY number DESC LIMIT 1)`,
		[]any{e.StoreID, e.TeamID, e.Number, store.StoreCreated, store.StoreRetried, store.StoreRebuilt, store.StoreRepaired, store.UpgradeAsked, store.RollbackAsked, store.OwnerAsked, store.ChangeCancelled}
	switch e.Kind {
	case store.IdentityLinked, store.IdentityRemoved:
		query, args = `SELECT u.id FROM users u WHERE `+reachable+` AND u.id = $1`, []any{e.ActorID}
	case store.StoreDegraded, store.DrillFailed, store.DrillOverdue:
		query, args = `
			SELECT u.id FROM users u JOIN memberships m ON m.user_id = u.id
			WHERE `+reachable+` AND m.team_id = $1 AND m.role IN ('owner', 'admin') ORDER BY u.id`, []any{e.TeamID}
	}
	rows, err := t.QueryContext(ctx, query, args...)
	users, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("find whom event %d concerns: %w", e.Number, err)
	}
	return users, nil
}

// ClaimMail takes the next mail that is due. Nobody else gets it before the lease is over;
// ok is false when none is due. Mails about what is no longer there are dropped.
func (db *DB) ClaimMail(ctx context.Context, lease time.Duration) (m store.Mail, ok bool, err error) {
	err = db.update(ctx, func(t tx) error {
		for {
			var event int64
			m, event, err = t.nextMail(ctx, lease)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("claim mail: %w", err)
			}
			err = t.readMail(ctx, &m, event)
			if !errors.Is(err, sql.ErrNoRows) && store.ErrorCode(err) != store.NotFound {
				ok = err == nil
				return err
			}
			if _, err := t.ExecContext(ctx, `DELETE FROM mails WHERE id = $1`, m.ID); err != nil {
				return fmt.Errorf("drop mail: %w", err)
			}
		}
	})
	return m, ok && err == nil, err
}

func (t tx) nextMail(ctx context.Context, lease time.Duration) (m store.Mail, event int64, err error) {
	err = t.QueryRowContext(ctx, `
		UPDATE mails SET tries = tries + 1, due_at = $1
		WHERE due_at <= $2 AND id = (SELECT id FROM mails WHERE due_at <= $2 ORDER BY due_at, id LIMIT 1)
		RETURNING id, event, user_id, tries`, t.now+lease.Microseconds(), t.now).Scan(&m.ID, &event, &m.To.ID, &m.Tries)
	return m, event, err
}

// readMail adds what the mail is about.
func (t tx) readMail(ctx context.Context, m *store.Mail, event int64) (err error) {
	err = t.QueryRowContext(ctx, `SELECT name, email FROM users WHERE id = $1`, m.To.ID).Scan(&m.To.Name, &m.To.Email)
	if err != nil {
		return fmt.Errorf("read whom mail %s is for: %w", m.ID, err)
	}
	m.Event, err = scanEvent(t.QueryRowContext(ctx, `SELECT `+eventColumns+` FROM events WHERE number = $1`, event))
	if err != nil {
		return fmt.Errorf("read what mail %s is about: %w", m.ID, err)
	}
	if m.Event.StoreID != "" {
		m.Store, err = queryStore(ctx, t, m.Event.StoreID)
	}
	return err
}

// MailSent takes the mail off the queue.
func (db *DB) MailSent(ctx context.Context, m store.Mail) error {
	if _, err := db.write.ExecContext(ctx, `DELETE FROM mails WHERE id = $1`, m.ID); err != nil {
		return fmt.Errorf("take mail off the queue: %w", err)
	}
	return nil
}

// MailFailed schedules the mail again after the pause. After too many tries it drops the mail and reports that.
func (db *DB) MailFailed(ctx context.Context, m store.Mail, pause time.Duration) (givenUp bool, err error) {
	if m.Tries >= mailTries {
		return true, db.MailSent(ctx, m)
	}
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return false, err
	}
	if _, err := db.write.ExecContext(ctx, `UPDATE mails SET due_at = $2 WHERE id = $1`, m.ID, now+pause.Microseconds()); err != nil {
		return false, fmt.Errorf("put mail off: %w", err)
	}
	return false, nil
}
