package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Why a person whom a provider knows is not let in.
var (
	ErrDisabled = &Error{Code: Forbidden, Message: "Your account is disabled. Ask an administrator to enable it."}
	ErrStranger = &Error{Code: Forbidden, Message: "You don’t have an account here. Ask a member to invite you."}
	// ErrAddressTaken keeps one provider from becoming a user whom another one vouches for.
	ErrAddressTaken = &Error{Code: Conflict, Message: "An account with your address exists. Sign in the way you did before, then add this sign-in method on your account page."}
	// ErrMethodKnown and ErrMethodTaken refuse to add a sign-in method, and ErrOnlyMethod to
	// remove one.
	ErrMethodKnown = &Error{Code: Conflict, Message: "This sign-in method is already on your account."}
	ErrMethodTaken = &Error{Code: Conflict, Message: "Another user signs in with this account. Sign in with it and remove it there first."}
	ErrOnlyMethod  = &Error{Code: Conflict, Message: "This is your only sign-in method. Add another one first."}
)

// Everybody stands among the domains of an [Admission] for everybody whom a provider knows.
const Everybody = "*"

// Admission says whom a sign-in with a provider lets in: who was here before, and of the
// others those whose verified address is named, and who was invited.
type Admission struct {
	Admins      []string // addresses whose owners administrate the installation
	Authorities []string // providers whose word on such an address counts
	Domains     []string // domains of addresses whose owners may come
	Invited     bool     // whether this person holds an invitation that is still good
}

// SignInWith opens a session for a person whom a provider vouches for, as [DB.SignIn] does,
// if the rules let that person in. An unknown identity with the verified address of an
// existing user is linked to that user only if its provider owns the address's domain, and
// is refused otherwise. Where nobody is named as administrator, the first user of all is one.
func (db *DB) SignInWith(ctx context.Context, who Identity, from Browser, rules Admission) (sessionID string, err error) {
	sessionID = rand.Text()
	err = db.update(ctx, func(t tx) error {
		if err := t.lockUsers(ctx); err != nil {
			return err
		}
		user, how, err := t.admit(ctx, who, rules)
		if err != nil {
			return err
		}
		if err := t.openSession(ctx, sessionID, user, EventData{Method: who.label(), Email: how.known, How: how.admin.How}, from); err != nil {
			return err
		}
		if how.known != "" {
			if err := t.recordSign(ctx, IdentityLinked, user, from.Address, EventData{Method: who.label(), Email: how.known, How: ByAddress}); err != nil {
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

// wayIn is what else there is to say of how somebody was let in.
type wayIn struct {
	known string    // the address by which a person was recognised for whom another provider vouched before
	admin madeAdmin // why this person administrates the installation from now on; empty if not
}

// admit finds or makes the user.
func (t tx) admit(ctx context.Context, who Identity, rules Admission) (user User, how wayIn, err error) {
	user, err = t.userOf(ctx, who)
	if errors.Is(err, sql.ErrNoRows) {
		user, how, err = t.admitNew(ctx, who, rules)
	}
	if err != nil {
		return User{}, wayIn{}, err
	}
	if !user.Admin && rules.makesAdmin(who) {
		how.admin = madeAdmin{How: BySettings, Email: who.Email}
	}
	user, err = t.updateUser(ctx, user, who)
	return user, how, err
}

func (t tx) admitNew(ctx context.Context, who Identity, rules Admission) (user User, how wayIn, err error) {
	same, err := t.usersOfAddress(ctx, who)
	switch {
	case err != nil:
		return User{}, wayIn{}, err
	case len(same) == 1 && who.OwnsDomain:
		return same[0], wayIn{known: who.Email}, t.link(ctx, same[0], who)
	case len(same) > 0:
		return User{}, wayIn{}, ErrAddressTaken
	case !rules.letsIn(who):
		return User{}, wayIn{}, ErrStranger
	}
	first, err := t.nobodyKnown(ctx)
	if err != nil {
		return User{}, wayIn{}, err
	}
	if first && len(rules.Admins) == 0 {
		how.admin = madeAdmin{How: ByFirstUser}
	}
	user, err = t.createUser(ctx, who)
	return user, how, err
}

// names reports whether the settings name the address as an administrator's.
func (r Admission) names(email string) bool {
	return slices.ContainsFunc(r.Admins, func(admin string) bool { return canonical(admin) == canonical(email) })
}

// makesAdmin reports whether the settings name the person as an administrator.
func (r Admission) makesAdmin(who Identity) bool {
	return who.Verified && slices.Contains(r.Authorities, who.Provider) && r.names(who.Email)
}

// letsIn reports whether somebody who has no account may get one.
func (r Admission) letsIn(who Identity) bool {
	return r.Invited || slices.Contains(r.Domains, Everybody) || r.makesAdmin(who) || who.Verified && who.InDomain(r.Domains)
}

// WhyStranger says for the log why the rules do not let the person in.
func (r Admission) WhyStranger(who Identity) string {
	switch {
	case who.Email == "":
		return "the provider returns no email address"
	case !who.Verified:
		return cmp.Or(who.Doubt, "the provider has not verified the address")
	case r.names(who.Email):
		return "SHOPWRIGHT_ADMINS has the address, but this provider has no domains in SHOPWRIGHT_OIDC"
	default:
		return "the address is in none of SHOPWRIGHT_ALLOWED_DOMAINS, and there is no invitation"
	}
}

// InDomain reports whether the address is in one of the domains.
func (who Identity) InDomain(domains []string) bool {
	_, domain, _ := strings.Cut(canonical(who.Email), "@")
	return slices.ContainsFunc(domains, func(d string) bool { return canonical(d) == domain })
}

// label is the provider's name for people.
func (who Identity) label() string {
	if who.Label != "" {
		return who.Label
	}
	return who.Provider
}

// canonical is the form in which addresses and domains are compared. Only ASCII letters
// lose their case: others would make different addresses equal, such as one with a Kelvin
// sign and one with a k.
func canonical(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, address)
}

func (t tx) userOf(ctx context.Context, who Identity) (u User, err error) {
	err = t.QueryRowContext(ctx, `
		SELECT u.id, u.name, u.email, u.admin FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.provider = $1 AND i.subject = $2`, who.Provider, who.Subject).Scan(&u.ID, &u.Name, &u.Email, &u.Admin)
	if err != nil {
		return User{}, fmt.Errorf("find user: %w", err)
	}
	return u, nil
}

// usersOfAddress finds up to two users for whom another provider has verified the same
// address. A user with another account of the same provider is somebody else: addresses are
// given away again.
func (t tx) usersOfAddress(ctx context.Context, who Identity) ([]User, error) {
	if !who.Verified || who.Email == "" {
		return nil, nil
	}
	rows, err := t.QueryContext(ctx, `
		SELECT DISTINCT u.id, u.name, u.email, u.admin FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.email = $1 AND i.verified
			AND NOT EXISTS (SELECT 1 FROM identities o WHERE o.user_id = u.id AND o.provider = $2) LIMIT 2`, canonical(who.Email), who.Provider)
	users, err := collect(rows, err, func(row scanner) (User, error) {
		var u User
		return u, row.Scan(&u.ID, &u.Name, &u.Email, &u.Admin)
	})
	if err != nil {
		return nil, fmt.Errorf("find users by address: %w", err)
	}
	return users, nil
}

const insertIdentity = `
	INSERT INTO identities (provider, subject, user_id, email, verified, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`

func (t tx) link(ctx context.Context, u User, who Identity) error {
	_, err := t.ExecContext(ctx, insertIdentity, who.Provider, who.Subject, u.ID, canonical(who.Email), who.Verified, t.now)
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

// updateUser takes over what the provider says now. An address that nobody has verified
// does not replace one that somebody has.
func (t tx) updateUser(ctx context.Context, u User, who Identity) (User, error) {
	_, err := t.ExecContext(ctx, `UPDATE identities SET email = $3, verified = $4, used_at = $5 WHERE provider = $1 AND subject = $2`,
		who.Provider, who.Subject, canonical(who.Email), who.Verified, t.now)
	if err != nil {
		return User{}, fmt.Errorf("update identity: %w", err)
	}
	var vouched bool
	err = t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM identities WHERE user_id = $1 AND verified)`, u.ID).Scan(&vouched)
	if err != nil {
		return User{}, fmt.Errorf("look for a verified address: %w", err)
	}
	if who.Verified || !vouched {
		u.Email = who.Email
	}
	u.Name = who.Name
	_, err = t.ExecContext(ctx, `UPDATE users SET name = $2, email = $3, search = $4, last_seen_at = $5 WHERE id = $1`, u.ID, u.Name, u.Email, u.search(), t.now)
	if err != nil {
		return User{}, fmt.Errorf("update user: %w", err)
	}
	return u, nil
}

// UseState uses up the state of a sign-in, which is nobody's before it comes back from a
// provider. Each can be used once, by one process of all, within the lifetime.
func (db *DB) UseState(ctx context.Context, state string, lifetime time.Duration) error {
	err := db.update(ctx, func(t tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM used_states WHERE expires_at <= $1`, t.now); err != nil {
			return fmt.Errorf("forget old states: %w", err)
		}
		result, err := t.ExecContext(ctx, `INSERT INTO used_states (state_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			hash(state), t.now+lifetime.Microseconds())
		return expectOne(result, err, "use state")
	})
	if errors.Is(err, ErrStale) {
		return &Error{Code: Conflict, Message: "This sign-in was already used. Sign in again."}
	}
	return err
}
