package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// Identities returns what providers say about the actor, in the order in which they were
// linked.
func (db *DB) Identities(ctx context.Context, actor store.Actor) ([]store.LinkedIdentity, error) {
	if err := actor.InPerson(); err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT provider, subject, email, verified, created_at, used_at FROM identities
		WHERE user_id = $1 ORDER BY created_at, provider, subject`, actor.UserID)
	identities, err := collect(rows, err, func(row scanner) (store.LinkedIdentity, error) {
		var (
			i            store.LinkedIdentity
			linked, used int64
		)
		err := row.Scan(&i.Provider, &i.Subject, &i.Email, &i.Verified, &linked, &used)
		i.LinkedAt, i.UsedAt = fromMicros(linked), fromMicros(used)
		return i, err
	})
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	return identities, nil
}

// AddIdentity gives the actor, who is signed in, another sign-in method.
func (db *DB) AddIdentity(ctx context.Context, actor store.Actor, who store.Identity) error {
	if err := actor.InPerson(); err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		if err := t.lockUsers(ctx); err != nil {
			return err
		}
		if err := t.checkEnabled(ctx, actor.UserID); err != nil {
			return err
		}
		switch owner, err := t.userOf(ctx, who); {
		case err == nil && owner.ID == actor.UserID:
			return store.ErrMethodKnown
		case err == nil:
			return store.ErrMethodTaken
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		user := store.User{ID: actor.UserID, Name: actor.Name}
		if err := t.link(ctx, user, who); err != nil {
			return err
		}
		return t.recordSign(ctx, store.IdentityLinked, user, actor.Address, store.EventData{Method: who.ProviderName(), Email: who.Email})
	})
}

// RemoveIdentity removes a sign-in method of the actor, and ends the other sessions: some may
// have begun with it. One that people can use now must remain.
func (db *DB) RemoveIdentity(ctx context.Context, actor store.Actor, r store.Removal) error {
	if err := actor.InPerson(); err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		if err := t.lockUsers(ctx); err != nil {
			return err
		}
		result, err := t.ExecContext(ctx, `DELETE FROM identities WHERE provider = $1 AND subject = $2 AND user_id = $3`, r.Provider, r.Subject, actor.UserID)
		if err != nil {
			return fmt.Errorf("remove identity: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return store.NoSuch("sign-in method")
		}
		if err := t.checkUsable(ctx, actor.UserID, r.Usable); err != nil {
			return err
		}
		if err := t.endOtherSessions(ctx, actor.UserID, r.SessionID); err != nil {
			return err
		}
		return t.recordSign(ctx, store.IdentityRemoved, store.User{ID: actor.UserID, Name: actor.Name}, actor.Address, store.EventData{Method: r.Label})
	})
}

// checkUsable refuses to leave a user without a way to sign in.
func (t tx) checkUsable(ctx context.Context, userID string, providers []string) error {
	in, args := inList("provider", providers, 2)
	var left bool
	err := t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM identities WHERE user_id = $1 AND `+in+`)`, append([]any{userID}, args...)...).Scan(&left)
	if err != nil {
		return fmt.Errorf("look for sign-in methods: %w", err)
	}
	if !left {
		return store.ErrOnlyMethod
	}
	return nil
}
