package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// AddMember gives a user a role in a team. Only an owner makes another one.
func (db *DB) AddMember(ctx context.Context, actor Actor, teamID, userID string, role Role) error {
	if len(role.allows()) == 0 {
		return invalid("role", "There is no role %q.", role)
	}
	if err := actor.mayManage(teamID, role); err != nil {
		return err
	}
	err := db.update(ctx, func(t tx) error {
		var name string
		err := t.QueryRowContext(ctx, `SELECT name FROM users WHERE id = $1`, userID).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			return notFound("user")
		}
		if err != nil {
			return fmt.Errorf("find user %s: %w", userID, err)
		}
		result, err := t.ExecContext(ctx, `
			INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			teamID, userID, role, t.now)
		if err := expectOne(result, err, "add member"); err != nil {
			return err
		}
		return t.append(ctx, memberEvent(actor, teamID, MemberAdded, userID, name, "Added as "+string(role)))
	})
	if errors.Is(err, ErrStale) {
		return &Error{Code: Conflict, Message: "This user is in the team already."}
	}
	return err
}

// RemoveMember takes a user's role in a team away. Everybody may leave; only an owner
// removes an owner, and the last one stays.
func (db *DB) RemoveMember(ctx context.Context, actor Actor, teamID, userID string) error {
	if _, in := actor.Roles[teamID]; !in {
		return notFound("team")
	}
	return db.update(ctx, func(t tx) error {
		name, role, err := t.lockMember(ctx, teamID, userID)
		if err != nil {
			return err
		}
		if err := actor.mayManage(teamID, role); err != nil && actor.UserID != userID {
			return err
		}
		if role == Owner {
			if err := t.checkOtherOwner(ctx, teamID); err != nil {
				return err
			}
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM memberships WHERE team_id = $1 AND user_id = $2`, teamID, userID); err != nil {
			return fmt.Errorf("remove member: %w", err)
		}
		return t.append(ctx, memberEvent(actor, teamID, MemberRemoved, userID, name, "Removed from the team"))
	})
}

// mayManage reports why the actor may not give or take that role in the team, if so.
func (a Actor) mayManage(teamID string, role Role) error {
	switch {
	case a.Roles[teamID] == "":
		return notFound("team")
	case !a.May(ManageMembers, teamID), role == Owner && !a.May(ManageOwners, teamID):
		return &Error{Code: Forbidden, Message: "You may not change who is in this team. Ask one of its owners."}
	}
	return nil
}

// lockMember keeps all memberships of the team as they are until the transaction ends, so
// that two owners cannot remove one another at once.
func (t tx) lockMember(ctx context.Context, teamID, userID string) (name string, role Role, err error) {
	if _, err := t.ExecContext(ctx, `UPDATE teams SET name = name WHERE id = $1`, teamID); err != nil {
		return "", "", fmt.Errorf("lock team %s: %w", teamID, err)
	}
	err = t.QueryRowContext(ctx, `
		SELECT u.name, m.role FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = $1 AND m.user_id = $2`, teamID, userID).Scan(&name, &role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", notFound("member")
	}
	if err != nil {
		return "", "", fmt.Errorf("find member: %w", err)
	}
	return name, role, nil
}

func (t tx) checkOtherOwner(ctx context.Context, teamID string) error {
	var owners int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM memberships WHERE team_id = $1 AND role = 'owner'`, teamID).Scan(&owners)
	if err != nil {
		return fmt.Errorf("count owners: %w", err)
	}
	if owners < 2 {
		return &Error{Code: Conflict, Message: "A team needs an owner. Make somebody else one before the last owner goes."}
	}
	return nil
}

func memberEvent(actor Actor, teamID string, kind Kind, userID, name, message string) Event {
	return actor.sign(Event{TeamID: teamID, Kind: kind, Object: name, Message: message, Data: EventData{UserID: userID}})
}
