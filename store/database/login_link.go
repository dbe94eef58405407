package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// administrator is who signs in by a login link.
func administrator() store.Identity {
	return store.Identity{Provider: store.LoginLink, Subject: "administrator", Name: "Administrator"}
}

// CreateLoginLink makes the secret of a link with which somebody signs in once, as
// administrator. The database keeps only its hash.
func (db *DB) CreateLoginLink(ctx context.Context) (secret string, err error) {
	secret = rand.Text()
	err = db.update(ctx, func(t tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM login_links WHERE expires_at <= $1`, t.now); err != nil {
			return fmt.Errorf("remove old login links: %w", err)
		}
		_, err := t.ExecContext(ctx, `INSERT INTO login_links (secret_hash, created_at, expires_at, used_at) VALUES ($1, $2, $3, 0)`,
			hash(secret), t.now, t.now+store.LoginLinkLifetime.Microseconds())
		if err != nil {
			return fmt.Errorf("make login link: %w", err)
		}
		return t.append(ctx, store.Event{Kind: store.LoginLinkMade, Object: administrator().Name, Data: store.EventData{Lifetime: store.LoginLinkLifetime}})
	})
	return secret, err
}

// SignInByLink opens a session for the administrator, if the secret is that of a link that
// is not older than its lifetime and that nobody has used. It returns the session's id.
func (db *DB) SignInByLink(ctx context.Context, secret string, from store.Browser) (sessionID string, err error) {
	sessionID = rand.Text()
	err = db.update(ctx, func(t tx) error {
		result, err := t.ExecContext(ctx, `UPDATE login_links SET used_at = $2 WHERE secret_hash = $1 AND used_at = 0 AND expires_at > $2`,
			hash(secret), t.now)
		if err := expectOne(result, err, "use login link"); err != nil {
			return err
		}
		who := administrator()
		user, err := t.ensureUser(ctx, who)
		if err != nil {
			return err
		}
		if err := t.openSession(ctx, sessionID, user, store.EventData{Method: who.ProviderName()}, from); err != nil {
			return err
		}
		return t.makeAdmin(ctx, user, madeAdmin{How: store.ByLoginLink}, from)
	})
	if errors.Is(err, store.ErrStale) {
		return "", &store.Error{Code: store.Forbidden, Message: "This link was already used, or is older than " + linkMinutes() + ". Create another with: shopwright login-link"}
	}
	return sessionID, err
}

func linkMinutes() string { return fmt.Sprintf("%.0f minutes", store.LoginLinkLifetime.Minutes()) }
