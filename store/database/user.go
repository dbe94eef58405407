package database

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"shopwright.dev/shopwright/store"
)

// SignIn opens a session for the person with that identity, who is made a user with a
// personal team at the first sign-in. It returns the session's id, which is a secret: the
// database keeps only its hash.
func (db *DB) SignIn(ctx context.Context, who store.Identity, from store.Browser) (sessionID string, err error) {
	sessionID = rand.Text()
	err = db.update(ctx, func(t tx) error {
		user, err := t.ensureUser(ctx, who)
		if err != nil {
			return err
		}
		return t.openSession(ctx, sessionID, user, store.EventData{Method: who.ProviderName()}, from)
	})
	return sessionID, err
}

// openSession ends the one that the browser had before. The data are for the audit log.
func (t tx) openSession(ctx context.Context, id string, u store.User, data store.EventData, from store.Browser) error {
	if err := t.checkEnabled(ctx, u.ID); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at <= $2`, t.now, t.now-store.SessionIdle.Microseconds())
	if err != nil {
		return fmt.Errorf("remove sessions that are over: %w", err)
	}
	_, err = t.ExecContext(ctx, `
		INSERT INTO sessions (id_hash, user_id, device, address, created_at, last_seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $5, $6)`,
		hash(id), u.ID, from.Device, from.Address, t.now, t.now+store.SessionLifetime.Microseconds())
	if err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	if err := t.signOut(ctx, from.Session, from.Address, store.ByNextSignIn); err != nil {
		return err
	}
	return t.recordSign(ctx, store.SignedIn, u, from.Address, data)
}

func (t tx) checkEnabled(ctx context.Context, userID string) error {
	var disabled bool
	if err := t.QueryRowContext(ctx, `SELECT disabled FROM users WHERE id = $1`, userID).Scan(&disabled); err != nil {
		return fmt.Errorf("find user: %w", err)
	}
	if disabled {
		return store.ErrDisabled
	}
	return nil
}

// AnybodyKnown reports whether anybody has ever signed in.
func (db *DB) AnybodyKnown(ctx context.Context) (known bool, err error) {
	if err := db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&known); err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return known, nil
}

// SignOut ends the session, from that IP address. Ending one that is not there is no error.
func (db *DB) SignOut(ctx context.Context, sessionID, from string) error {
	return db.update(ctx, func(t tx) error { return t.signOut(ctx, sessionID, from, "") })
}

func (t tx) signOut(ctx context.Context, sessionID, from string, how store.How) error {
	var user store.User
	err := t.QueryRowContext(ctx, `
		SELECT u.id, u.name, u.email FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id_hash = $1`,
		hash(sessionID)).Scan(&user.ID, &user.Name, &user.Email)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM sessions WHERE id_hash = $1`, hash(sessionID)); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return t.recordSign(ctx, store.SignedOut, user, from, store.EventData{How: how})
}

// Session returns the living session with that id and what its user may do now, or a
// NotFound error.
func (db *DB) Session(ctx context.Context, sessionID string) (store.Session, error) {
	var (
		s                      store.Session
		created, seen, expires int64
	)
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return store.Session{}, err
	}
	err = db.read.QueryRowContext(ctx, `
		SELECT u.id, u.name, u.email, u.admin, s.created_at, s.last_seen_at, s.expires_at
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND NOT u.disabled`,
		hash(sessionID), now, now-store.SessionIdle.Microseconds()).
		Scan(&s.User.ID, &s.User.Name, &s.User.Email, &s.User.Admin, &created, &seen, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Session{}, store.NoSuch("session")
	}
	if err != nil {
		return store.Session{}, fmt.Errorf("find session: %w", err)
	}
	s.CreatedAt, s.ExpiresAt = fromMicros(created), fromMicros(min(expires, seen+store.SessionIdle.Microseconds()))
	s.Hash, s.UsedAt = hash(sessionID), fromMicros(seen)
	s.Actor, err = db.actor(ctx, s.User)
	return s, err
}

// Teams returns the actor's teams, the personal one first, then by name.
func (db *DB) Teams(ctx context.Context, actor store.Actor) ([]store.Team, error) {
	teams, err := db.teamsOf(ctx, actor.UserID)
	return slices.DeleteFunc(teams, func(t store.Team) bool { return actor.Roles[t.ID] == "" }), err
}

func (db *DB) teamsOf(ctx context.Context, userID string) ([]store.Team, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT t.id, t.name, t.personal, m.role FROM teams t JOIN memberships m ON m.team_id = t.id
		WHERE m.user_id = $1 ORDER BY t.personal DESC, t.name, t.id`, userID)
	teams, err := collect(rows, err, func(row scanner) (store.Team, error) {
		var t store.Team
		return t, row.Scan(&t.ID, &t.Name, &t.Personal, &t.Role)
	})
	if err != nil {
		return nil, fmt.Errorf("read teams: %w", err)
	}
	return teams, nil
}

func (db *DB) actor(ctx context.Context, u store.User) (store.Actor, error) {
	teams, err := db.teamsOf(ctx, u.ID)
	if err != nil {
		return store.Actor{}, err
	}
	a := store.Actor{UserID: u.ID, Name: u.Name, Admin: u.Admin, Roles: map[string]store.Role{}}
	for _, t := range teams {
		a.Roles[t.ID] = t.Role
	}
	return a, nil
}

func (t tx) ensureUser(ctx context.Context, who store.Identity) (store.User, error) {
	u, err := t.userOf(ctx, who)
	if errors.Is(err, sql.ErrNoRows) {
		return t.createUser(ctx, who)
	}
	if err != nil {
		return store.User{}, err
	}
	if _, err := t.ExecContext(ctx, `UPDATE users SET last_seen_at = $2 WHERE id = $1`, u.ID, t.now); err != nil {
		return store.User{}, fmt.Errorf("update user: %w", err)
	}
	return u, nil
}

func (t tx) createUser(ctx context.Context, who store.Identity) (store.User, error) {
	u := store.User{ID: store.NewID(), Name: who.Name, Email: who.Email}
	team := store.NewID()
	for _, insert := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO users (id, name, email, search, admin, disabled, created_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
			[]any{u.ID, u.Name, u.Email, u.SearchText(), false, false, t.now}},
		{insertIdentity, []any{who.Provider, who.Subject, u.ID, store.Canonical(who.Email), who.Verified, t.now}},
		{`INSERT INTO teams (id, name, search, personal, created_at) VALUES ($1, $2, $3, $4, $5)`,
			[]any{team, u.Name, store.Fold(u.Name), true, t.now}},
		{`INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)`,
			[]any{team, u.ID, store.Owner, t.now}},
	} {
		if _, err := t.ExecContext(ctx, insert.query, insert.args...); err != nil {
			return store.User{}, fmt.Errorf("create user: %w", err)
		}
	}
	return u, nil
}

// recordSign writes the event into the user's personal team, where only that user and
// later co-owners see it.
func (t tx) recordSign(ctx context.Context, kind store.Kind, u store.User, from string, data store.EventData) error {
	var team string
	err := t.QueryRowContext(ctx, `
		SELECT t.id FROM teams t JOIN memberships m ON m.team_id = t.id
		WHERE m.user_id = $1 AND m.role = 'owner' AND t.personal`, u.ID).Scan(&team)
	if err != nil {
		return fmt.Errorf("find personal team: %w", err)
	}
	return t.append(ctx, store.Event{TeamID: team, ActorID: u.ID, Actor: u.Name, Address: from, Kind: kind, Object: u.Name, Data: data})
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
