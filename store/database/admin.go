package database

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"shopwright.dev/shopwright/store"
)

// Users returns the users whose name or email has what is searched for, by name, and how
// many there are on all pages.
func (db *DB) Users(ctx context.Context, actor store.Actor, p store.Page) (users []store.Account, total int, err error) {
	if err := actor.MustAdminister(store.ManageUsers, "page"); err != nil {
		return nil, 0, err
	}
	const matches = `u.search LIKE $1 ESCAPE '!'`
	if err := db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM users u WHERE `+matches, contains(p.Search)).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count users: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT u.id, u.name, u.email, u.admin, u.disabled, u.created_at, u.last_seen_at,
			COALESCE((SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id), 0),
			COALESCE((SELECT STRING_AGG(i.provider, ',') FROM identities i WHERE i.user_id = u.id), ''),
			(SELECT COUNT(*) FROM memberships m WHERE m.user_id = u.id),
			(SELECT COUNT(*) FROM stores s JOIN memberships m ON m.team_id = s.team_id
				WHERE s.deleted_at = 0 AND s.purpose = 'shop' AND m.user_id = u.id AND m.role = 'owner')
		FROM users u WHERE `+matches+` ORDER BY u.search, u.id LIMIT $2 OFFSET $3`, contains(p.Search), p.Limit, p.Offset)
	if users, err = collect(rows, err, scanAccount); err != nil {
		return nil, 0, fmt.Errorf("list users: %w", err)
	}
	return users, total, nil
}

func scanAccount(row scanner) (store.Account, error) {
	var (
		a                   store.Account
		created, seen, used int64
		providers           string
	)
	err := row.Scan(&a.ID, &a.Name, &a.Email, &a.Admin, &a.Disabled, &created, &seen, &used, &providers, &a.Teams, &a.Stores)
	if providers != "" {
		a.Providers = strings.Split(providers, ",")
		slices.Sort(a.Providers)
	}
	a.CreatedAt, a.LastSeenAt = fromMicros(created), fromMicros(max(seen, used))
	return a, err
}

// SetDisabled shuts a user out, whose sessions, tokens and invitations end at once, or lets one
// in again.
func (db *DB) SetDisabled(ctx context.Context, actor store.Actor, userID string, disabled bool) error {
	if err := actor.MustAdminister(store.ManageUsers, "user"); err != nil {
		return err
	}
	if disabled && userID == actor.UserID {
		return &store.Error{Code: store.Conflict, Message: "You can’t disable yourself. Ask another administrator."}
	}
	kind := store.UserEnabled
	if disabled {
		kind = store.UserDisabled
	}
	return db.changeUser(ctx, userID, func(t tx, u store.Account) (store.Event, error) {
		if u.Disabled == disabled {
			return store.Event{}, store.ErrUnchanged
		}
		if err := t.checkOtherAdmin(ctx, u, disabled); err != nil {
			return store.Event{}, err
		}
		if err := t.lockTeamsOf(ctx, userID); err != nil {
			return store.Event{}, err
		}
		if _, err := t.ExecContext(ctx, `UPDATE users SET disabled = $2 WHERE id = $1`, userID, disabled); err != nil {
			return store.Event{}, fmt.Errorf("disable user: %w", err)
		}
		if disabled {
			if err := t.endAccess(ctx, actor, userID); err != nil {
				return store.Event{}, err
			}
		}
		return userEvent(actor, kind, u.User, store.EventData{Before: enabledness(u.Disabled), After: enabledness(disabled)}), nil
	})
}

// EndSessionsOf signs a user out of all browsers. Tokens stay.
func (db *DB) EndSessionsOf(ctx context.Context, actor store.Actor, userID string) error {
	if err := actor.MustAdminister(store.ManageUsers, "user"); err != nil {
		return err
	}
	if userID == actor.UserID {
		return &store.Error{Code: store.Conflict, Message: "These are your own sessions. End them on your account page."}
	}
	return db.changeUser(ctx, userID, func(t tx, u store.Account) (store.Event, error) {
		result, err := t.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = $1`, userID)
		if err != nil {
			return store.Event{}, fmt.Errorf("end sessions: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return store.Event{}, cmp.Or(err, store.ErrUnchanged)
		}
		return userEvent(actor, store.SessionEnded, u.User, store.EventData{}), nil
	})
}

// endAccess ends what a user can come in with, or let others in with.
func (t tx) endAccess(ctx context.Context, actor store.Actor, userID string) error {
	for _, query := range []string{`DELETE FROM sessions WHERE user_id = $1`, `DELETE FROM api_tokens WHERE user_id = $1`} {
		if _, err := t.ExecContext(ctx, query, userID); err != nil {
			return fmt.Errorf("end sessions and tokens: %w", err)
		}
	}
	return t.revokeAllInvitationsOf(ctx, actor, userID)
}

// MakeAdmin makes a user an administrator of the installation.
func (db *DB) MakeAdmin(ctx context.Context, actor store.Actor, userID string) error {
	if err := actor.MustAdminister(store.ManageUsers, "user"); err != nil {
		return err
	}
	return db.changeUser(ctx, userID, func(t tx, u store.Account) (store.Event, error) {
		if u.Admin {
			return store.Event{}, store.ErrUnchanged
		}
		if u.Disabled {
			return store.Event{}, &store.Error{Code: store.Conflict, Message: "This user is disabled. Enable the user first."}
		}
		return t.setAdmin(ctx, actor, u.User, true, madeAdmin{})
	})
}

// RevokeAdmin takes the administration of the installation away from a user. The last
// administrator stays, and so does one whom the rules name: the next sign-in would give the
// role back.
func (db *DB) RevokeAdmin(ctx context.Context, actor store.Actor, userID string, rules store.Admission) error {
	if err := actor.MustAdminister(store.ManageUsers, "user"); err != nil {
		return err
	}
	return db.changeUser(ctx, userID, func(t tx, u store.Account) (store.Event, error) {
		if !u.Admin {
			return store.Event{}, store.ErrUnchanged
		}
		if err := t.checkNotNamed(ctx, u.ID, rules); err != nil {
			return store.Event{}, err
		}
		if err := t.checkOtherAdmin(ctx, u, true); err != nil {
			return store.Event{}, err
		}
		return t.setAdmin(ctx, actor, u.User, false, madeAdmin{})
	})
}

// checkNotNamed refuses to revoke what the settings would give again.
func (t tx) checkNotNamed(ctx context.Context, userID string, rules store.Admission) error {
	rows, err := t.QueryContext(ctx, `SELECT provider, email, verified FROM identities WHERE user_id = $1`, userID)
	known, err := collect(rows, err, func(row scanner) (who store.Identity, err error) {
		return who, row.Scan(&who.Provider, &who.Email, &who.Verified)
	})
	if err != nil {
		return fmt.Errorf("read the addresses of user %s: %w", userID, err)
	}
	for _, who := range known {
		if rules.MakesAdmin(who) {
			return &store.Error{Code: store.Conflict, Message: "SHOPWRIGHT_ADMINS names " + who.Email + ", so this user would become an administrator again at the next sign-in. Remove the address from that setting and restart Shopwright, or disable the user."}
		}
	}
	return nil
}

// setAdmin is the one place where somebody becomes an administrator, or is one no longer. It
// returns the event that tells of it.
func (t tx) setAdmin(ctx context.Context, actor store.Actor, u store.User, admin bool, why madeAdmin) (store.Event, error) {
	if _, err := t.ExecContext(ctx, `UPDATE users SET admin = $2 WHERE id = $1`, u.ID, admin); err != nil {
		return store.Event{}, fmt.Errorf("make administrator: %w", err)
	}
	kind := store.AdminUnmade
	if admin {
		kind = store.AdminMade
	}
	return userEvent(actor, kind, u, store.EventData{
		Before: adminness(u.Admin), After: adminness(admin), How: why.How, Method: why.Method, Email: why.Email,
	}), nil
}

// madeAdmin is why a sign-in makes somebody an administrator. It is empty where a person does.
type madeAdmin struct {
	How    store.How
	Method string // label of the provider, for [ByProvider]
	Email  string // that the settings name, for [BySettings]
}

// makeAdmin makes the user who signs in an administrator. It does nothing, and records no event, if
// the user already is one.
func (t tx) makeAdmin(ctx context.Context, u store.User, why madeAdmin, from store.Browser) error {
	if u.Admin {
		return nil
	}
	event, err := t.setAdmin(ctx, store.Actor{Address: from.Address}, u, true, why)
	if err != nil {
		return err
	}
	return t.append(ctx, event)
}

// changeUser changes one user at a time, so that two administrators cannot remove one
// another at once.
func (db *DB) changeUser(ctx context.Context, userID string, change func(tx, store.Account) (store.Event, error)) error {
	err := db.update(ctx, func(t tx) error {
		if err := t.lockUsers(ctx); err != nil {
			return err
		}
		var u store.Account
		err := t.QueryRowContext(ctx, `SELECT id, name, admin, disabled FROM users WHERE id = $1`, userID).Scan(&u.ID, &u.Name, &u.Admin, &u.Disabled)
		if errors.Is(err, sql.ErrNoRows) {
			return store.NoSuch("user")
		}
		if err != nil {
			return fmt.Errorf("find user %s: %w", userID, err)
		}
		event, err := change(t, u)
		if err != nil {
			return err
		}
		return t.append(ctx, event)
	})
	if errors.Is(err, store.ErrUnchanged) {
		return nil
	}
	return err
}

// checkOtherAdmin refuses to take the last administrator away.
func (t tx) checkOtherAdmin(ctx context.Context, u store.Account, leaves bool) error {
	if !leaves || !u.Admin || u.Disabled {
		return nil
	}
	var others int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE admin AND NOT disabled AND id <> $1`, u.ID).Scan(&others)
	if err != nil {
		return fmt.Errorf("count administrators: %w", err)
	}
	if others == 0 {
		return &store.Error{Code: store.Conflict, Message: "An installation needs an administrator. Make someone else an administrator first."}
	}
	return nil
}

func userEvent(actor store.Actor, kind store.Kind, u store.User, data store.EventData) store.Event {
	data.UserID = u.ID
	return actor.Sign(store.Event{Kind: kind, Object: u.Name, Data: data})
}

func enabledness(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

func adminness(admin bool) string {
	if admin {
		return "administrator"
	}
	return "user"
}

// SignInAsAdministrator is [DB.SignIn] for a provider that vouches for administrators: the user
// becomes one.
func (db *DB) SignInAsAdministrator(ctx context.Context, who store.Identity, from store.Browser) (sessionID string, err error) {
	sessionID = rand.Text()
	err = db.update(ctx, func(t tx) error {
		user, err := t.ensureUser(ctx, who)
		if err != nil {
			return err
		}
		if err := t.openSession(ctx, sessionID, user, store.EventData{Method: who.ProviderName()}, from); err != nil {
			return err
		}
		return t.makeAdmin(ctx, user, madeAdmin{How: store.ByProvider, Method: who.ProviderName()}, from)
	})
	return sessionID, err
}

// AllTeams returns the teams whose name, or an owner's name or email, has what is searched for,
// by name, and how many there are on all pages.
func (db *DB) AllTeams(ctx context.Context, actor store.Actor, p store.Page) (teams []store.TeamAccount, total int, err error) {
	if err := actor.MustAdminister(store.ViewInstallation, "page"); err != nil {
		return nil, 0, err
	}
	const matches = `t.deleted_at = 0 AND (t.search LIKE $1 ESCAPE '!' OR EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = t.id AND m.role = 'owner' AND u.search LIKE $1 ESCAPE '!'))`
	if err := db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM teams t WHERE `+matches, contains(p.Search)).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count teams: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT t.id, t.name, t.personal, COALESCE(t.plan, $4), t.plan IS NOT NULL, t.created_at,
			COALESCE((SELECT STRING_AGG(u.name, CAST($5 AS TEXT)) FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.team_id = t.id AND m.role = 'owner'), ''),
			(SELECT COUNT(*) FROM memberships m WHERE m.team_id = t.id),
			(SELECT COUNT(*) FROM stores s WHERE s.team_id = t.id AND s.deleted_at = 0 AND s.purpose = 'shop')
		FROM teams t WHERE `+matches+` ORDER BY t.search, t.id LIMIT $2 OFFSET $3`, contains(p.Search), p.Limit, p.Offset, db.defaultPlan, "\n")
	teams, err = collect(rows, err, func(row scanner) (store.TeamAccount, error) {
		var (
			t       store.TeamAccount
			created int64
			owners  string
		)
		err := row.Scan(&t.ID, &t.Name, &t.Personal, &t.Plan, &t.Chosen, &created, &owners, &t.Members, &t.Stores)
		if owners != "" {
			t.Owners = strings.Split(owners, "\n")
			slices.Sort(t.Owners)
		}
		t.CreatedAt = fromMicros(created)
		return t, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list teams: %w", err)
	}
	return teams, total, addHeirs(ctx, db.read, teams)
}

// SetTeamPlan gives the team another plan. Its stores that live take it on at their next
// change.
func (db *DB) SetTeamPlan(ctx context.Context, actor store.Actor, teamID, plan string) error {
	if err := actor.MustAdminister(store.ManagePlans, "team"); err != nil {
		return err
	}
	err := db.update(ctx, func(t tx) error {
		if err := t.lockClaims(ctx); err != nil { // a store that is being created gets either plan, and not the old one afterwards
			return err
		}
		name, before, err := t.lockTeamPlan(ctx, teamID)
		if err != nil {
			return err
		}
		if before == plan {
			return store.ErrUnchanged
		}
		if _, err := queryPlan(ctx, t, `name = $1`, plan); store.ErrorCode(err) == store.NotFound {
			return store.Invalidf("plan", "Plan not found. Choose one from the list.")
		} else if err != nil {
			return err
		}
		if err := t.setPlan(ctx, teamID, plan); err != nil {
			return err
		}
		return t.append(ctx, actor.Sign(store.Event{
			TeamID: teamID, Kind: store.TeamPlanSet, Object: name, Data: store.EventData{Before: before, After: plan},
		}))
	})
	if errors.Is(err, store.ErrUnchanged) {
		return nil
	}
	return err
}

// lockTeamPlan returns the plan that somebody gave the team, empty for none.
func (t tx) lockTeamPlan(ctx context.Context, teamID string) (name, plan string, err error) {
	err = t.QueryRowContext(ctx, `UPDATE teams SET name = name WHERE id = $1 AND deleted_at = 0 RETURNING name, COALESCE(plan, '')`, teamID).Scan(&name, &plan)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", store.NoSuch("team")
	}
	if err != nil {
		return "", "", fmt.Errorf("find team %s: %w", teamID, err)
	}
	return name, plan, nil
}

func (t tx) setPlan(ctx context.Context, teamID, plan string) error {
	for _, query := range []string{`UPDATE teams SET plan = $2 WHERE id = $1`, `UPDATE stores SET plan = $2 WHERE team_id = $1 AND deleted_at = 0`} {
		if _, err := t.ExecContext(ctx, query, teamID, plan); err != nil {
			return fmt.Errorf("set plan of team %s: %w", teamID, err)
		}
	}
	return nil
}
