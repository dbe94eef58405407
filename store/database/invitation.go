package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// mostInvitations is how many of a team may be pending.
const mostInvitations = 100

// Invite makes an invitation and returns the secret of its link, of which the database keeps
// only the hash. An address has one that is pending at most.
func (db *DB) Invite(ctx context.Context, actor store.Actor, n store.NewInvitation) (inv store.Invitation, secret string, err error) {
	email, wrong := cleanEmail(n.Email)
	if wrong == nil && len(n.Role.Allows()) == 0 {
		wrong = store.Invalidf("role", "Choose a role.")
	}
	secret = rand.Text()
	err = db.update(ctx, func(t tx) error {
		actor, err := t.lockForInviting(ctx, actor, n.TeamID, n.Role)
		if err != nil {
			return err
		}
		if wrong != nil {
			return wrong
		}
		inv = store.Invitation{ID: store.NewID(), TeamID: n.TeamID, Email: email, Role: n.Role, InviterID: actor.UserID}
		if err := t.checkInvitable(ctx, inv); err != nil {
			return err
		}
		if err := t.insertInvitation(ctx, inv, secret); err != nil {
			return err
		}
		if inv, err = queryInvitation(ctx, t, "i.id = $2", inv.ID); err != nil {
			return err
		}
		return t.append(ctx, invitationEvent(actor, inv, store.MemberInvited))
	})
	if err != nil {
		return store.Invitation{}, "", err
	}
	return inv, secret, nil
}

func cleanEmail(email string) (string, error) {
	email, ok := store.CanonicalEmail(email)
	if email == "" {
		return "", nil
	}
	if !ok {
		return email, store.Invalidf("email", "Enter an address such as mara@example.com, or leave it empty for a link.")
	}
	return email, nil
}

// lockForInviting returns the actor as lockTeam does, if it may give that role in the team.
func (t tx) lockForInviting(ctx context.Context, actor store.Actor, teamID string, role store.Role) (store.Actor, error) {
	actor, err := t.lockTeam(ctx, actor, teamID)
	if err != nil {
		return actor, err
	}
	if err := actor.MayManage(teamID, role); err != nil {
		return actor, err
	}
	personal, err := t.isPersonal(ctx, teamID)
	if err == nil && personal {
		err = &store.Error{Code: store.Conflict, Message: "This is your personal team. Create another team to work with others."}
	}
	return actor, err
}

func (t tx) checkInvitable(ctx context.Context, inv store.Invitation) error {
	var pending, same, members int
	err := t.QueryRowContext(ctx, `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN email = $3 AND email <> '' THEN 1 ELSE 0 END), 0),
			(SELECT COUNT(*) FROM memberships m JOIN identities i ON i.user_id = m.user_id
				WHERE m.team_id = $1 AND $3 <> '' AND i.email = $3 AND i.verified)
		FROM invitations WHERE team_id = $1 AND used_at = 0 AND revoked_at = 0 AND expires_at > $2`,
		inv.TeamID, t.now, inv.Email).Scan(&pending, &same, &members)
	switch {
	case err != nil:
		return fmt.Errorf("count invitations: %w", err)
	case members > 0:
		return &store.Error{Code: store.Conflict, Field: "email", Message: "The person with this address is already in the team."}
	case same > 0:
		return &store.Error{Code: store.Conflict, Field: "email", Message: "This address already has an invitation. Renew it to get another link."}
	case pending >= mostInvitations:
		return &store.Error{Code: store.Limited, Message: fmt.Sprintf("%d invitations are pending, which is the limit. Revoke some first.", pending)}
	}
	return nil
}

// insertInvitation takes the place of one for the same address that is too old.
func (t tx) insertInvitation(ctx context.Context, inv store.Invitation, secret string) error {
	_, err := t.ExecContext(ctx, `
		UPDATE invitations SET revoked_at = $3 WHERE team_id = $1 AND email = $2 AND email <> '' AND used_at = 0 AND revoked_at = 0`,
		inv.TeamID, inv.Email, t.now)
	if err != nil {
		return fmt.Errorf("replace an old invitation: %w", err)
	}
	_, err = t.ExecContext(ctx, `
		INSERT INTO invitations (id, team_id, email, role, secret_hash, invited_by, created_at, expires_at, used_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`,
		inv.ID, inv.TeamID, inv.Email, inv.Role, hash(secret), inv.InviterID, t.now, t.now+store.InvitationLifetime.Microseconds())
	if err != nil {
		return fmt.Errorf("make invitation: %w", err)
	}
	return nil
}

// RenewInvitation gives a pending invitation another secret and all its time again. The link
// that it had leads nowhere any more.
func (db *DB) RenewInvitation(ctx context.Context, actor store.Actor, teamID, id string) (inv store.Invitation, secret string, err error) {
	secret = rand.Text()
	err = db.update(ctx, func(t tx) error {
		var by store.Actor
		if inv, by, err = t.lockInvitation(ctx, actor, teamID, id); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `UPDATE invitations SET secret_hash = $2, invited_by = $3, expires_at = $4 WHERE id = $1`,
			id, hash(secret), by.UserID, t.now+store.InvitationLifetime.Microseconds())
		if err != nil {
			return fmt.Errorf("renew invitation: %w", err)
		}
		if inv, err = queryInvitation(ctx, t, "i.id = $2", id); err != nil {
			return err
		}
		return t.append(ctx, invitationEvent(by, inv, store.InvitationAnew))
	})
	if err != nil {
		return store.Invitation{}, "", err
	}
	return inv, secret, nil
}

// RevokeInvitation takes a pending invitation back.
func (db *DB) RevokeInvitation(ctx context.Context, actor store.Actor, teamID, id string) error {
	return db.update(ctx, func(t tx) error {
		inv, actor, err := t.lockInvitation(ctx, actor, teamID, id)
		if err != nil {
			return err
		}
		return t.revoke(ctx, actor, inv)
	})
}

func (t tx) revoke(ctx context.Context, actor store.Actor, inv store.Invitation) error {
	if _, err := t.ExecContext(ctx, `UPDATE invitations SET revoked_at = $2 WHERE id = $1`, inv.ID, t.now); err != nil {
		return fmt.Errorf("revoke invitation: %w", err)
	}
	return t.append(ctx, invitationEvent(actor, inv, store.InvitationEnded))
}

// revokeInvitationsOf revokes those pending invitations of a user that the role doesn't allow, so
// that a removed member can't return through an invitation of their own.
func (t tx) revokeInvitationsOf(ctx context.Context, actor store.Actor, teamID, userID string, role store.Role) error {
	rows, err := t.QueryContext(ctx, invitationQuery+` WHERE i.team_id = $2 AND i.invited_by = $3 AND i.used_at = 0 AND i.revoked_at = 0`, t.now, teamID, userID)
	pending, err := collect(rows, err, scanInvitation)
	if err != nil {
		return fmt.Errorf("read invitations of a user: %w", err)
	}
	inviter := store.Actor{UserID: userID, Roles: map[string]store.Role{teamID: role}}
	for _, inv := range pending {
		if inviter.MayManage(teamID, inv.Role) == nil {
			continue
		}
		if err := t.revoke(ctx, actor, inv); err != nil {
			return err
		}
	}
	return nil
}

// revokeAllInvitationsOf takes back what a user has invited others with, to whichever team. The
// user is disabled already: [tx.lockTeam] lets no other invitation come after.
func (t tx) revokeAllInvitationsOf(ctx context.Context, actor store.Actor, userID string) error {
	rows, err := t.QueryContext(ctx, `SELECT DISTINCT team_id FROM invitations WHERE invited_by = $1 AND used_at = 0 AND revoked_at = 0`, userID)
	teams, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return fmt.Errorf("find where a user has invited: %w", err)
	}
	for _, team := range teams {
		if err := t.revokeInvitationsOf(ctx, actor, team, userID, ""); err != nil {
			return err
		}
	}
	return nil
}

// lockInvitation returns an invitation of the team that is neither used nor taken back, and
// the actor as it is now, if it may manage that.
func (t tx) lockInvitation(ctx context.Context, actor store.Actor, teamID, id string) (store.Invitation, store.Actor, error) {
	actor, err := t.lockTeam(ctx, actor, teamID)
	if err != nil {
		return store.Invitation{}, actor, err
	}
	if err := actor.MayManage(teamID, store.Viewer); err != nil {
		return store.Invitation{}, actor, err
	}
	inv, err := queryInvitation(ctx, t, "i.id = $2", id)
	if err != nil {
		return store.Invitation{}, actor, err
	}
	if inv.TeamID != teamID || !inv.Open {
		return store.Invitation{}, actor, store.NoSuch("invitation")
	}
	return inv, actor, actor.MayManage(teamID, inv.Role)
}

// Invitations returns the pending invitations of the team, the newest first. Those that are
// too old are among them: they can be renewed.
func (db *DB) Invitations(ctx context.Context, actor store.Actor, teamID string) ([]store.Invitation, error) {
	if err := actor.MayManage(teamID, store.Viewer); err != nil {
		return nil, err
	}
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, invitationQuery+`
		WHERE i.team_id = $2 AND i.used_at = 0 AND i.revoked_at = 0 ORDER BY i.created_at DESC, i.id DESC`, now, teamID)
	pending, err := collect(rows, err, scanInvitation)
	if err != nil {
		return nil, fmt.Errorf("read invitations: %w", err)
	}
	return pending, nil
}

// OpenInvitation returns what the invitation with that secret is about, also to somebody who
// has not signed in, or an *Error that says why it cannot be used. It uses nothing up.
func (db *DB) OpenInvitation(ctx context.Context, secret string) (store.Invitation, error) {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return store.Invitation{}, err
	}
	return openInvitation(ctx, db.read, now, secret)
}

func openInvitation(ctx context.Context, q querier, now int64, secret string) (store.Invitation, error) {
	inv, err := scanInvitation(q.QueryRowContext(ctx, invitationQuery+` WHERE i.secret_hash = $2`, now, hash(secret)))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Invitation{}, &store.Error{Code: store.NotFound, Message: "Invitation not found. Check that you copied the whole link, or ask for another."}
	case err != nil:
		return store.Invitation{}, fmt.Errorf("find invitation: %w", err)
	case !inv.Open:
		return store.Invitation{}, &store.Error{Code: store.Conflict, Message: "This invitation was used or revoked. Ask for another."}
	case inv.Expired:
		return store.Invitation{}, &store.Error{Code: store.Conflict, Message: "This invitation has expired after 7 days. Ask for another."}
	}
	return inv, nil
}

// InvitationFor is [DB.OpenInvitation] for a signed-in user. An invitation for an email address
// requires that a provider has verified the address for that user.
func (db *DB) InvitationFor(ctx context.Context, actor store.Actor, secret string) (store.Invitation, error) {
	inv, err := db.OpenInvitation(ctx, secret)
	if err != nil {
		return store.Invitation{}, err
	}
	return inv, checkFor(ctx, db.read, inv, actor.UserID)
}

func checkFor(ctx context.Context, q querier, inv store.Invitation, userID string) error {
	rows, err := q.QueryContext(ctx, `SELECT email FROM identities WHERE user_id = $1 AND verified`, userID)
	verified, err := collect(rows, err, func(row scanner) (email string, err error) { return email, row.Scan(&email) })
	if err != nil {
		return fmt.Errorf("read the addresses of user %s: %w", userID, err)
	}
	return inv.CheckFor(verified...)
}

// AcceptInvitation makes the actor a member of the team, and the invitation is used up. It is
// for whom [DB.InvitationFor] shows it to.
func (db *DB) AcceptInvitation(ctx context.Context, actor store.Actor, secret string) (store.Team, error) {
	if !actor.MayJoin() {
		return store.Team{}, &store.Error{Code: store.Forbidden, Message: "This token can’t join teams. Use one with the scope " + string(store.WriteTeam) + "."}
	}
	var team store.Team
	err := db.update(ctx, func(t tx) error {
		inv, err := t.claimInvitation(ctx, actor, secret)
		if err != nil {
			return err
		}
		team = store.Team{ID: inv.TeamID, Name: inv.Team, Role: inv.Role}
		err = t.addMember(ctx, inv.TeamID, actor.UserID, inv.Role)
		if errors.Is(err, store.ErrStale) {
			return &store.Error{Code: store.Conflict, Message: "You are already in the team “" + inv.Team + "”. Leave the link to someone else."}
		}
		if err != nil {
			return err
		}
		return t.append(ctx, teamEvent(actor, inv.TeamID, store.MemberJoined, actor.Name, store.EventData{
			UserID: actor.UserID, After: string(inv.Role), InvitedBy: inv.InvitedBy,
		}))
	})
	return team, err
}

// claimInvitation uses the invitation up. The statement that does so lets only one of many
// at once go on, and it locks the team before, as those do who take invitations back.
func (t tx) claimInvitation(ctx context.Context, actor store.Actor, secret string) (store.Invitation, error) {
	_, err := t.ExecContext(ctx, `UPDATE teams SET name = name WHERE id = (SELECT team_id FROM invitations WHERE secret_hash = $1)`, hash(secret))
	if err != nil {
		return store.Invitation{}, fmt.Errorf("lock the invitation's team: %w", err)
	}
	inv, err := openInvitation(ctx, t, t.now, secret)
	if err != nil {
		return store.Invitation{}, err
	}
	if err := checkFor(ctx, t, inv, actor.UserID); err != nil {
		return store.Invitation{}, err
	}
	if err := t.checkTeam(ctx, inv.TeamID); err != nil {
		return store.Invitation{}, err
	}
	result, err := t.ExecContext(ctx, `UPDATE invitations SET used_at = $2 WHERE id = $1 AND used_at = 0 AND revoked_at = 0`, inv.ID, t.now)
	return inv, expectOne(result, err, "use invitation")
}

const invitationQuery = `
	SELECT i.id, i.team_id, t.name, i.email, i.role, i.invited_by, u.name, i.created_at, i.expires_at,
		i.expires_at <= $1, i.used_at = 0 AND i.revoked_at = 0
	FROM invitations i JOIN teams t ON t.id = i.team_id JOIN users u ON u.id = i.invited_by`

func scanInvitation(row scanner) (store.Invitation, error) {
	var (
		inv              store.Invitation
		created, expires int64
	)
	err := row.Scan(&inv.ID, &inv.TeamID, &inv.Team, &inv.Email, &inv.Role, &inv.InviterID, &inv.InvitedBy, &created, &expires, &inv.Expired, &inv.Open)
	inv.CreatedAt, inv.ExpiresAt = fromMicros(created), fromMicros(expires)
	return inv, err
}

func queryInvitation(ctx context.Context, t tx, where string, arg any) (store.Invitation, error) {
	inv, err := scanInvitation(t.QueryRowContext(ctx, invitationQuery+` WHERE `+where, t.now, arg))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Invitation{}, store.NoSuch("invitation")
	}
	if err != nil {
		return store.Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	return inv, nil
}

func invitationEvent(actor store.Actor, inv store.Invitation, kind store.Kind) store.Event {
	return teamEvent(actor, inv.TeamID, kind, inv.Email, store.EventData{After: string(inv.Role), Anyone: inv.Email == ""})
}
