package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// SignInWith opens a session for a person who has signed in with a provider, as [DB.SignIn] does, if the
// rules let that person in. An unknown identity with the verified address of an existing user is linked
// to that user only if its provider owns the domain of the address, and is refused otherwise. If the
// settings name no administrator, the first user becomes one.
func (db *DB) SignInWith(ctx context.Context, who store.Identity, from store.Browser, rules store.Admission) (sessionID string, err error) {
	sessionID = rand.Text()
	err = db.update(ctx, func(t tx) error {
		if err := t.lockUsers(ctx); err != nil {
			return err
		}
		user, how, err := t.admit(ctx, who, rules)
		if err != nil {
			return err
		}
		if err := t.openSession(ctx, sessionID, user, store.EventData{Method: who.ProviderName(), Email: how.known, How: how.admin.How}, from); err != nil {
			return err
		}
		if how.known != "" {
			if err := t.recordSign(ctx, store.IdentityLinked, user, from.Address, store.EventData{Method: who.ProviderName(), Email: how.known, How: store.ByAddress}); err != nil {
				return err
			}
		}
		if how.admin.How == "" {
			return nil
		}
		return t.makeAdmin(ctx, user, how.admin, from)
	})
	if err != nil {
		return "", err
	}
	return sessionID, nil
}

func (t tx) lockUsers(ctx context.Context) error {
	if _, err := t.ExecContext(ctx, `UPDATE counters SET value = value WHERE name = 'users'`); err != nil {
		return fmt.Errorf("lock the users: %w", err)
	}
	return nil
}

// wayIn says what else the audit log needs about how a person was let in.
type wayIn struct {
	known string    // the address by which a user of another provider was recognised; empty if none was
	admin madeAdmin // why this person becomes an administrator; empty if not
}

// admit finds or creates the user.
func (t tx) admit(ctx context.Context, who store.Identity, rules store.Admission) (user store.User, how wayIn, err error) {
	user, err = t.userOf(ctx, who)
	if errors.Is(err, sql.ErrNoRows) {
		user, how, err = t.admitNew(ctx, who, rules)
	}
	if err != nil {
		return store.User{}, wayIn{}, err
	}
	if !user.Admin && rules.MakesAdmin(who) {
		how.admin = madeAdmin{How: store.BySettings, Email: who.Email}
	}
	user, err = t.updateUser(ctx, user, who)
	return user, how, err
}

func (t tx) admitNew(ctx context.Context, who store.Identity, rules store.Admission) (user store.User, how wayIn, err error) {
	same, err := t.usersOfAddress(ctx, who)
	switch {
	case err != nil:
		return store.User{}, wayIn{}, err
	case len(same) == 1 && who.OwnsDomain:
		return same[0], wayIn{known: who.Email}, t.link(ctx, same[0], who)
	case len(same) > 0:
		return store.User{}, wayIn{}, store.ErrAddressTaken
	case !rules.LetsIn(who):
		return store.User{}, wayIn{}, store.ErrStranger
	}
	first, err := t.nobodyKnown(ctx)
	if err != nil {
		return store.User{}, wayIn{}, err
	}
	if first && len(rules.Admins) == 0 {
		how.admin = madeAdmin{How: store.ByFirstUser}
	}
	user, err = t.createUser(ctx, who)
	return user, how, err
}

func (t tx) userOf(ctx context.Context, who store.Identity) (u store.User, err error) {
	err = t.QueryRowContext(ctx, `
		SELECT u.id, u.name, u.email, u.admin FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.provider = $1 AND i.subject = $2`, who.Provider, who.Subject).Scan(&u.ID, &u.Name, &u.Email, &u.Admin)
	if err != nil {
		return store.User{}, fmt.Errorf("find user: %w", err)
	}
	return u, nil
}

// usersOfAddress finds up to two users for whom another provider has verified the same address. A user
// with another account at the same provider is a different person: providers reassign addresses.
func (t tx) usersOfAddress(ctx context.Context, who store.Identity) ([]store.User, error) {
	if !who.Verified || who.Email == "" {
		return nil, nil
	}
	rows, err := t.QueryContext(ctx, `
		SELECT DISTINCT u.id, u.name, u.email, u.admin FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.email = $1 AND i.verified
			AND NOT EXISTS (SELECT 1 FROM identities o WHERE o.user_id = u.id AND o.provider = $2) LIMIT 2`, store.Canonical(who.Email), who.Provider)
	users, err := collect(rows, err, func(row scanner) (store.User, error) {
		var u store.User
		return u, row.Scan(&u.ID, &u.Name, &u.Email, &u.Admin)
	})
	if err != nil {
		return nil, fmt.Errorf("find users by address: %w", err)
	}
	return users, nil
}

const insertIdentity = `
	INSERT INTO identities (provider, subject, user_id, email, verified, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`

func (t tx) link(ctx context.Context, u store.User, who store.Identity) error {
	_, err := t.ExecContext(ctx, insertIdentity, who.Provider, who.Subject, u.ID, store.Canonical(who.Email), who.Verified, t.now)
	if err != nil {
		return fmt.Errorf("link %s: %w", who.Provider, err)
	}
	return nil
}

func (t tx) nobodyKnown(ctx context.Context) (bool, error) {
	var known bool
	if err := t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&known); err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return !known, nil
}

// updateUser stores what the provider says now. An unverified address does not replace a verified one.
func (t tx) updateUser(ctx context.Context, u store.User, who store.Identity) (store.User, error) {
	_, err := t.ExecContext(ctx, `UPDATE identities SET email = $3, verified = $4, used_at = $5 WHERE provider = $1 AND subject = $2`,
		who.Provider, who.Subject, store.Canonical(who.Email), who.Verified, t.now)
	if err != nil {
		return store.User{}, fmt.Errorf("update identity: %w", err)
	}
	var vouched bool
	err = t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM identities WHERE user_id = $1 AND verified)`, u.ID).Scan(&vouched)
	if err != nil {
		return store.User{}, fmt.Errorf("look for a verified address: %w", err)
	}
	if who.Verified || !vouched {
		u.Email = who.Email
	}
	u.Name = who.Name
	_, err = t.ExecContext(ctx, `UPDATE users SET name = $2, email = $3, search = $4, last_seen_at = $5 WHERE id = $1`, u.ID, u.Name, u.Email, u.SearchText(), t.now)
	if err != nil {
		return store.User{}, fmt.Errorf("update user: %w", err)
	}
	return u, nil
}

// UseState marks the state of a sign-in as used, for its lifetime. It returns an error if any replica has
// used it before.
func (db *DB) UseState(ctx context.Context, state string, lifetime time.Duration) error {
	err := db.update(ctx, func(t tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM used_states WHERE expires_at <= $1`, t.now); err != nil {
			return fmt.Errorf("forget old states: %w", err)
		}
		result, err := t.ExecContext(ctx, `INSERT INTO used_states (state_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			hash(state), t.now+lifetime.Microseconds())
		return expectOne(result, err, "use state")
	})
	if errors.Is(err, store.ErrStale) {
		return &store.Error{Code: store.Conflict, Message: "This sign-in was already used. Sign in again."}
	}
	return err
}
