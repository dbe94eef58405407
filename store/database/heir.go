package database

import (
	"context"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// AppointOwner makes a member of a team its owner where no owner can sign in, which those in
// it cannot mend. Other teams are the business of their owners.
func (db *DB) AppointOwner(ctx context.Context, actor store.Actor, teamID, userID string) error {
	if err := actor.MustAdminister(store.ManageUsers, "team"); err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		if _, _, err := t.lockTeamPlan(ctx, teamID); err != nil {
			return err
		}
		owners, err := t.ownersBeside(ctx, teamID, "")
		if err != nil {
			return err
		}
		if owners > 0 {
			return &store.Error{Code: store.Conflict, Message: "This team has an owner who can sign in. Ask that owner to add another one."}
		}
		name, before, err := t.member(ctx, teamID, userID)
		if err != nil {
			return err
		}
		if t.checkEnabled(ctx, userID) != nil {
			return store.NoSuch("member")
		}
		return t.changeRole(ctx, actor, teamID, userID, name, before, store.Owner)
	})
}

// OwnerlessTeams returns the names of the teams of which the user is an owner and no owner can
// sign in, while others in it can.
func (db *DB) OwnerlessTeams(ctx context.Context, actor store.Actor, userID string) ([]string, error) {
	if err := actor.MustAdminister(store.ManageUsers, "user"); err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT t.name FROM teams t JOIN memberships m ON m.team_id = t.id AND m.user_id = $1 AND m.role = 'owner'
		WHERE `+ownerless+` AND EXISTS (SELECT 1 FROM memberships h JOIN users u ON u.id = h.user_id WHERE h.team_id = t.id AND NOT u.disabled)
		ORDER BY LOWER(t.name), t.id`, userID)
	names, err := collect(rows, err, func(row scanner) (name string, err error) { return name, row.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("read the teams without an owner: %w", err)
	}
	return names, nil
}

// ownerless is the condition that no owner of the team t can sign in.
const ownerless = `NOT EXISTS (
	SELECT 1 FROM memberships o JOIN users w ON w.id = o.user_id WHERE o.team_id = t.id AND o.role = 'owner' AND NOT w.disabled)`

// addHeirs adds to the teams without an owner who can sign in those who can, and so could be
// made owner.
func addHeirs(ctx context.Context, q querier, teams []store.TeamAccount) error {
	ids := make([]string, len(teams))
	for i, team := range teams {
		ids[i] = team.ID
	}
	in, args := inList("t.id", ids, 1)
	type heir struct {
		store.TeamMember
		team string
	}
	rows, err := q.QueryContext(ctx, `
		SELECT t.id, u.id, u.name, u.email, m.role FROM teams t JOIN memberships m ON m.team_id = t.id JOIN users u ON u.id = m.user_id
		WHERE `+in+` AND NOT u.disabled AND `+ownerless+`
		ORDER BY CASE m.role WHEN 'admin' THEN 1 WHEN 'member' THEN 2 ELSE 3 END, LOWER(u.name), u.id`, args...)
	heirs, err := collect(rows, err, func(row scanner) (h heir, err error) {
		return h, row.Scan(&h.team, &h.UserID, &h.Name, &h.Email, &h.Role)
	})
	if err != nil {
		return fmt.Errorf("read who could own teams: %w", err)
	}
	for i := range teams {
		for _, h := range heirs {
			if h.team == teams[i].ID {
				teams[i].Heirs = append(teams[i].Heirs, h.TeamMember)
			}
		}
	}
	return nil
}
