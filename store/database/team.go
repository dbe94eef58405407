package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"shopwright.dev/shopwright/store"
)

// mostTeams limits how many teams one user may own.
const mostTeams = 50

// CreateTeam makes a team that the actor owns.
func (db *DB) CreateTeam(ctx context.Context, actor store.Actor, name string) (store.Team, error) {
	team, err := newTeam(actor, name)
	if err != nil {
		return store.Team{}, err
	}
	return team, db.update(ctx, func(t tx) error { return t.createTeam(ctx, actor, team) })
}

// newTeam is the team of that name, if the actor may make one.
func newTeam(actor store.Actor, name string) (store.Team, error) {
	if !actor.MayJoin() {
		return store.Team{}, &store.Error{Code: store.Forbidden, Message: "This token can’t create teams. Use one with the scope " + string(store.WriteTeam) + "."}
	}
	name, err := cleanTeamName(name)
	return store.Team{ID: store.NewID(), Name: name, Role: store.Owner}, err
}

func (t tx) createTeam(ctx context.Context, actor store.Actor, team store.Team) error {
	if err := t.checkOwned(ctx, actor.UserID); err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO teams (id, name, search, personal, created_at) VALUES ($1, $2, $3, $4, $5)`, team.ID, team.Name, store.Fold(team.Name), false, t.now); err != nil {
		return fmt.Errorf("create team: %w", err)
	}
	if err := t.addMember(ctx, team.ID, actor.UserID, store.Owner); err != nil {
		return err
	}
	return t.append(ctx, teamEvent(actor, team.ID, store.TeamCreated, team.Name, store.EventData{UserID: actor.UserID}))
}

func cleanTeamName(name string) (string, error) {
	name, err := store.CleanName(name)
	if name == "" {
		return "", store.Invalidf("name", "Enter a name for the team.")
	}
	return name, err
}

// checkOwned locks the user, so that parallel requests cannot pass the limit together.
func (t tx) checkOwned(ctx context.Context, userID string) error {
	if _, err := t.ExecContext(ctx, `UPDATE users SET name = name WHERE id = $1`, userID); err != nil {
		return fmt.Errorf("lock user %s: %w", userID, err)
	}
	var owned int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM memberships WHERE user_id = $1 AND role = 'owner'`, userID).Scan(&owned)
	if err != nil {
		return fmt.Errorf("count teams: %w", err)
	}
	if owned >= mostTeams {
		return &store.Error{Code: store.Limited, Message: fmt.Sprintf("You own %d teams, which is the limit. Delete one first.", owned)}
	}
	return nil
}

// addMember returns ErrStale when the user is in the team already.
func (t tx) addMember(ctx context.Context, teamID, userID string, role store.Role) error {
	result, err := t.ExecContext(ctx, `
		INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		teamID, userID, role, t.now)
	return expectOne(result, err, "add member")
}

// RenameTeam gives a team another name.
func (db *DB) RenameTeam(ctx context.Context, actor store.Actor, teamID, name string) error {
	name, wrong := cleanTeamName(name)
	return db.update(ctx, func(t tx) error {
		actor, err := t.lockTeam(ctx, actor, teamID)
		if err != nil {
			return err
		}
		if !actor.May(store.RenameTeam, teamID) {
			return &store.Error{Code: store.Forbidden, Message: "You can’t rename this team. Ask a team owner."}
		}
		if wrong != nil {
			return wrong
		}
		before, err := t.teamName(ctx, teamID)
		if err != nil || before == name {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE teams SET name = $2, search = $3 WHERE id = $1`, teamID, name, store.Fold(name)); err != nil {
			return fmt.Errorf("rename team: %w", err)
		}
		return t.append(ctx, teamEvent(actor, teamID, store.TeamRenamed, name, store.EventData{Before: before, After: name}))
	})
}

// DeleteTeam ends a team that has no stores, and all memberships and invitations of it. The
// personal team stays. What happened in it stays in the audit log.
func (db *DB) DeleteTeam(ctx context.Context, actor store.Actor, teamID string) error {
	return db.update(ctx, func(t tx) error {
		if err := t.lockClaims(ctx); err != nil { // so that no store is created meanwhile
			return err
		}
		actor, err := t.lockTeam(ctx, actor, teamID)
		if err != nil {
			return err
		}
		if !actor.May(store.ManageOwners, teamID) {
			return &store.Error{Code: store.Forbidden, Message: "You can’t delete this team. Ask a team owner."}
		}
		if err := t.checkDeletable(ctx, teamID); err != nil {
			return err
		}
		return t.deleteTeam(ctx, actor, teamID)
	})
}

func (t tx) checkDeletable(ctx context.Context, teamID string) error {
	var (
		personal bool
		stores   int
	)
	err := t.QueryRowContext(ctx, `
		SELECT personal, (SELECT COUNT(*) FROM stores s WHERE s.team_id = t.id AND s.deleted_at = 0 AND s.purpose = 'shop') FROM teams t WHERE id = $1`, teamID).
		Scan(&personal, &stores)
	switch {
	case err != nil:
		return fmt.Errorf("look into team %s: %w", teamID, err)
	case personal:
		return &store.Error{Code: store.Conflict, Message: "This is your personal team; it stays as long as your account. Delete its stores instead."}
	case stores > 0:
		return &store.Error{Code: store.Conflict, Message: "The team still has " + number(stores, "store", "stores") + ". Delete them first, and wait until they are gone."}
	}
	return nil
}

func (t tx) deleteTeam(ctx context.Context, actor store.Actor, teamID string) error {
	name, err := t.teamName(ctx, teamID)
	if err != nil {
		return err
	}
	members, err := queryMembers(ctx, t, teamID)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `UPDATE teams SET deleted_at = $2 WHERE id = $1`, teamID, t.now); err != nil {
		return fmt.Errorf("delete team: %w", err)
	}
	for _, m := range members { // each has an event, which ends what that member has open
		if err := t.removeMember(ctx, actor, teamID, m.UserID, m.Name, m.Role); err != nil {
			return err
		}
	}
	return t.append(ctx, teamEvent(actor, teamID, store.TeamDeleted, name, store.EventData{}))
}

func (t tx) teamName(ctx context.Context, teamID string) (name string, err error) {
	if err := t.QueryRowContext(ctx, `SELECT name FROM teams WHERE id = $1`, teamID).Scan(&name); err != nil {
		return "", fmt.Errorf("read team %s: %w", teamID, err)
	}
	return name, nil
}

// checkTeam makes sure that the team has not been deleted.
func (t tx) checkTeam(ctx context.Context, teamID string) error {
	var lives bool
	err := t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM teams WHERE id = $1 AND deleted_at = 0)`, teamID).Scan(&lives)
	if err != nil {
		return fmt.Errorf("look for team %s: %w", teamID, err)
	}
	if !lives {
		return store.NoSuch("team")
	}
	return nil
}

// ListTeams returns the actor's teams, the personal one first, then by name.
func (db *DB) ListTeams(ctx context.Context, actor store.Actor) ([]store.TeamInfo, error) {
	return db.teams(ctx, actor, actor.Teams(store.ViewMembers))
}

// FindTeam returns the team if the actor is in it, and NotFound otherwise, whether it exists
// or not.
func (db *DB) FindTeam(ctx context.Context, actor store.Actor, teamID string) (store.TeamInfo, error) {
	if !actor.May(store.ViewMembers, teamID) {
		return store.TeamInfo{}, store.NoSuch("team")
	}
	found, err := db.teams(ctx, actor, []string{teamID})
	if err != nil {
		return store.TeamInfo{}, err
	}
	if len(found) == 0 {
		return store.TeamInfo{}, store.NoSuch("team")
	}
	return found[0], nil
}

func (db *DB) teams(ctx context.Context, actor store.Actor, ids []string) ([]store.TeamInfo, error) {
	in, args := inList("t.id", ids, 1)
	rows, err := db.read.QueryContext(ctx, `
		SELECT t.id, t.name, t.personal, t.created_at,
			(SELECT COUNT(*) FROM memberships m WHERE m.team_id = t.id),
			(SELECT COUNT(*) FROM stores s WHERE s.team_id = t.id AND s.deleted_at = 0 AND s.purpose = 'shop')
		FROM teams t WHERE t.deleted_at = 0 AND `+in+` ORDER BY t.personal DESC, LOWER(t.name), t.id`, args...)
	teams, err := collect(rows, err, func(row scanner) (store.TeamInfo, error) {
		var (
			info    store.TeamInfo
			created int64
		)
		err := row.Scan(&info.ID, &info.Name, &info.Personal, &created, &info.Members, &info.Stores)
		info.CreatedAt, info.Role = fromMicros(created), actor.Roles[info.ID]
		return info, err
	})
	if err != nil {
		return nil, fmt.Errorf("read teams: %w", err)
	}
	return teams, nil
}

// TeamNames returns the names of those of the teams that the actor is in, by their ids. Who may read
// the whole audit log gets the names of all of them, also of deleted ones.
func (db *DB) TeamNames(ctx context.Context, actor store.Actor, ids []string) (map[string]string, error) {
	if !actor.May(store.ViewAllAudit, store.Installation) {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return actor.Roles[id] == "" })
	}
	names := map[string]string{}
	if len(ids) == 0 {
		return names, nil
	}
	in, args := inList("id", ids, 1)
	rows, err := db.read.QueryContext(ctx, `SELECT id, name FROM teams WHERE `+in, args...)
	_, err = collect(rows, err, func(row scanner) (id string, err error) {
		var name string
		err = row.Scan(&id, &name)
		names[id] = name
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the names of teams: %w", err)
	}
	return names, nil
}

// Members returns who is in the team, from most to least powerful, then by name. Addresses
// are for those who manage members.
func (db *DB) Members(ctx context.Context, actor store.Actor, teamID string) ([]store.TeamMember, error) {
	if !actor.May(store.ViewMembers, teamID) {
		return nil, store.NoSuch("team")
	}
	members, err := queryMembers(ctx, db.read, teamID)
	if err != nil {
		return nil, err
	}
	if !actor.May(store.ManageMembers, teamID) {
		for i := range members {
			members[i].Email = ""
		}
	}
	return members, nil
}

func queryMembers(ctx context.Context, q querier, teamID string) ([]store.TeamMember, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT u.id, u.name, u.email, m.role, m.created_at FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = $1
		ORDER BY CASE m.role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 WHEN 'member' THEN 3 ELSE 4 END, LOWER(u.name), u.id`, teamID)
	members, err := collect(rows, err, func(row scanner) (store.TeamMember, error) {
		var (
			m     store.TeamMember
			since int64
		)
		err := row.Scan(&m.UserID, &m.Name, &m.Email, &m.Role, &since)
		m.Since = fromMicros(since)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read members of team %s: %w", teamID, err)
	}
	return members, nil
}

// isPersonal reports whether the team is a personal one, which has no other members.
func (t tx) isPersonal(ctx context.Context, teamID string) (personal bool, err error) {
	err = t.QueryRowContext(ctx, `SELECT personal FROM teams WHERE id = $1`, teamID).Scan(&personal)
	if errors.Is(err, sql.ErrNoRows) {
		return false, store.NoSuch("team")
	}
	return personal, err
}

func teamEvent(actor store.Actor, teamID string, kind store.Kind, object string, data store.EventData) store.Event {
	return actor.Sign(store.Event{TeamID: teamID, Kind: kind, Object: object, Data: data})
}

func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
