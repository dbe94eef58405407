package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// AddMember gives a user a role in a team. Only an owner may add another owner.
func (db *DB) AddMember(ctx context.Context, actor store.Actor, teamID, userID string, role store.Role) error {
	if len(role.Allows()) == 0 {
		return store.Invalidf("role", "There is no role %q.", role)
	}
	if err := actor.MayManage(teamID, role); err != nil {
		return err
	}
	err := db.update(ctx, func(t tx) error {
		var name string
		err := t.QueryRowContext(ctx, `SELECT name FROM users WHERE id = $1`, userID).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			return store.NoSuch("user")
		}
		if err != nil {
			return fmt.Errorf("find user %s: %w", userID, err)
		}
		if err := t.addMember(ctx, teamID, userID, role); err != nil {
			return err
		}
		return t.append(ctx, teamEvent(actor, teamID, store.MemberAdded, name, store.EventData{UserID: userID, After: string(role)}))
	})
	if errors.Is(err, store.ErrStale) {
		return &store.Error{Code: store.Conflict, Message: "This user is already in the team."}
	}
	return err
}

// RemoveMember removes a user from a team and revokes that user's invitations. Everybody may leave; only
// an owner may remove an owner, and the last one stays. Stores stay: they are the team's.
func (db *DB) RemoveMember(ctx context.Context, actor store.Actor, teamID, userID string) error {
	return db.update(ctx, func(t tx) error {
		actor, err := t.lockTeam(ctx, actor, teamID)
		if err != nil {
			return err
		}
		name, role, err := t.member(ctx, teamID, userID)
		if err != nil {
			return err
		}
		leaves := actor.UserID == userID && actor.MayJoin()
		if err := actor.MayManage(teamID, role); err != nil && !leaves {
			return err
		}
		if role == store.Owner {
			if err := t.checkOtherOwner(ctx, teamID, userID); err != nil {
				return err
			}
		}
		return t.removeMember(ctx, actor, teamID, userID, name, role)
	})
}

func (t tx) removeMember(ctx context.Context, actor store.Actor, teamID, userID, name string, role store.Role) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM memberships WHERE team_id = $1 AND user_id = $2`, teamID, userID); err != nil {
		return fmt.Errorf("remove member: %w", err)
	}
	if err := t.revokeInvitationsOf(ctx, actor, teamID, userID, ""); err != nil {
		return err
	}
	return t.append(ctx, teamEvent(actor, teamID, store.MemberRemoved, name, store.EventData{UserID: userID, Before: string(role)}))
}

// ChangeRole gives a member another role. Only an owner may make a member an owner or take that role
// away, and the last owner keeps it.
func (db *DB) ChangeRole(ctx context.Context, actor store.Actor, teamID, userID string, role store.Role) error {
	if len(role.Allows()) == 0 {
		return store.Invalidf("role", "There is no role %q.", role)
	}
	return db.update(ctx, func(t tx) error {
		actor, err := t.lockTeam(ctx, actor, teamID)
		if err != nil {
			return err
		}
		name, before, err := t.member(ctx, teamID, userID)
		if err != nil {
			return err
		}
		for _, r := range []store.Role{before, role} {
			if err := actor.MayManage(teamID, r); err != nil {
				return err
			}
		}
		if before == role {
			return nil
		}
		if before == store.Owner {
			if err := t.checkOtherOwner(ctx, teamID, userID); err != nil {
				return err
			}
		}
		return t.changeRole(ctx, actor, teamID, userID, name, before, role)
	})
}

func (t tx) changeRole(ctx context.Context, actor store.Actor, teamID, userID, name string, before, role store.Role) error {
	if _, err := t.ExecContext(ctx, `UPDATE memberships SET role = $3 WHERE team_id = $1 AND user_id = $2`, teamID, userID, role); err != nil {
		return fmt.Errorf("change role: %w", err)
	}
	if err := t.revokeInvitationsOf(ctx, actor, teamID, userID, role); err != nil {
		return err
	}
	return t.append(ctx, teamEvent(actor, teamID, store.RoleChanged, name, store.EventData{UserID: userID, Before: string(before), After: string(role)}))
}

// lockTeam locks the team and its memberships until the transaction ends, so that two owners cannot
// remove one another at once. It returns the actor with its present role in the team, or an error if the
// actor was removed or disabled meanwhile.
func (t tx) lockTeam(ctx context.Context, actor store.Actor, teamID string) (store.Actor, error) {
	if _, in := actor.Roles[teamID]; !in {
		return actor, store.NoSuch("team")
	}
	if _, err := t.ExecContext(ctx, `UPDATE teams SET name = name WHERE id = $1`, teamID); err != nil {
		return actor, fmt.Errorf("lock team %s: %w", teamID, err)
	}
	var role store.Role
	err := t.QueryRowContext(ctx, `
		SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = $1 AND m.user_id = $2 AND NOT u.disabled`, teamID, actor.UserID).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return actor, store.NoSuch("team")
	}
	if err != nil {
		return actor, fmt.Errorf("find the actor's role: %w", err)
	}
	actor.Roles = map[string]store.Role{teamID: role}
	return actor, nil
}

// lockTeamsOf locks all teams of the user, as lockTeam does with one. Call it before the first event of a
// transaction: others lock a team before they write their events.
func (t tx) lockTeamsOf(ctx context.Context, userID string) error {
	_, err := t.ExecContext(ctx, `UPDATE teams SET name = name WHERE id IN (SELECT team_id FROM memberships WHERE user_id = $1)`, userID)
	if err != nil {
		return fmt.Errorf("lock the teams of user %s: %w", userID, err)
	}
	return nil
}

func (t tx) member(ctx context.Context, teamID, userID string) (name string, role store.Role, err error) {
	err = t.QueryRowContext(ctx, `
		SELECT u.name, m.role FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = $1 AND m.user_id = $2`, teamID, userID).Scan(&name, &role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", store.NoSuch("member")
	}
	if err != nil {
		return "", "", fmt.Errorf("find member: %w", err)
	}
	return name, role, nil
}

// checkOtherOwner returns an error if the user is the team's last owner. Disabled owners do not count.
func (t tx) checkOtherOwner(ctx context.Context, teamID, userID string) error {
	owners, err := t.ownersBeside(ctx, teamID, userID)
	if err != nil {
		return err
	}
	if owners == 0 {
		return &store.Error{Code: store.Conflict, Message: "A team needs an owner. Make someone else an owner first."}
	}
	return nil
}

// ownersBeside counts the owners other than that user who can sign in.
func (t tx) ownersBeside(ctx context.Context, teamID, userID string) (n int, err error) {
	err = t.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = $1 AND m.role = 'owner' AND NOT u.disabled AND u.id <> $2`, teamID, userID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count owners: %w", err)
	}
	return n, nil
}
