package store

import (
	"context"
	"fmt"
	"time"
)

// Limits bound how many stores there may be, beside what the team's plan says, and how fast
// they may be made. Zero means no limit.
type Limits struct {
	Stores        int  // living, of everybody
	StoresPerUser int  // living, in all teams of which the user is an owner
	Creates       Rate // by one user; what was deleted meanwhile counts
}

// Quota is one of the limits that a new store comes under, and how much of it is used.
type Quota struct {
	Of      QuotaOf
	Owner   string // by name, of what is counted for an owner who is somebody else
	Used    int
	Allowed int // zero for no limit
	Refusal string
}

// QuotaOf says whose stores a quota counts.
type QuotaOf string

// What is counted.
const (
	QuotaOfYou          QuotaOf = "you"
	QuotaOfOwner        QuotaOf = "owner"
	QuotaOfTeam         QuotaOf = "team"
	QuotaOfInstallation QuotaOf = "installation"
)

// Full reports whether nothing is left.
func (q Quota) Full() bool { return q.Allowed > 0 && q.Used >= q.Allowed }

// Narrowest returns the quota that is reached first, which is that of the owner as long as
// nothing is limited.
func Narrowest(quotas []Quota) Quota {
	var narrowest Quota
	for i, q := range quotas {
		left := q.Allowed - q.Used
		if i == 0 || q.Allowed > 0 && (narrowest.Allowed == 0 || left < narrowest.Allowed-narrowest.Used) {
			narrowest = q
		}
	}
	return narrowest
}

// Quotas returns what a new store of the team comes under: a store counts for every owner of
// its team, for its team, and for the installation.
func (db *DB) Quotas(ctx context.Context, actor Actor, teamID string, l Limits) ([]Quota, error) {
	if !actor.May(CreateStores, teamID) {
		return nil, notFound("team")
	}
	plan, err := db.TeamPlan(ctx, teamID)
	if err != nil {
		return nil, err
	}
	return quotas(ctx, db.read, actor, teamID, plan, l)
}

func quotas(ctx context.Context, q querier, actor Actor, teamID string, plan Plan, l Limits) ([]Quota, error) {
	all, err := ownerQuotas(ctx, q, actor, teamID, l.StoresPerUser)
	if err != nil {
		return nil, err
	}
	team, installation := Quota{Of: QuotaOfTeam, Allowed: plan.Stores}, Quota{Of: QuotaOfInstallation, Allowed: l.Stores}
	err = q.QueryRowContext(ctx, `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN team_id = $1 THEN 1 ELSE 0 END), 0) FROM stores WHERE deleted_at = 0`, teamID).
		Scan(&installation.Used, &team.Used)
	if err != nil {
		return nil, fmt.Errorf("count stores: %w", err)
	}
	team.Refusal = fmt.Sprintf("This team has %d of %d stores of its plan, %s. Delete one, or ask the administrator for a larger plan.", team.Used, team.Allowed, plan.Label)
	installation.Refusal = fmt.Sprintf("This installation is full: %d of %d stores. Ask the administrator.", installation.Used, installation.Allowed)
	return append(all, team, installation), nil
}

// ownerQuotas count, for each owner of the team, the stores of all teams that he or she owns.
func ownerQuotas(ctx context.Context, q querier, actor Actor, teamID string, allowed int) ([]Quota, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT u.id, u.name, (SELECT COUNT(*) FROM stores s JOIN memberships o ON o.team_id = s.team_id
			WHERE s.deleted_at = 0 AND o.user_id = u.id AND o.role = 'owner')
		FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = $1 AND m.role = 'owner'
		ORDER BY CASE WHEN u.id = $2 THEN 0 ELSE 1 END, u.id`, teamID, actor.UserID)
	all, err := collect(rows, err, func(row scanner) (Quota, error) {
		var id, name string
		quota := Quota{Allowed: allowed}
		if err := row.Scan(&id, &name, &quota.Used); err != nil {
			return Quota{}, err
		}
		if id == actor.UserID {
			quota.Of = QuotaOfYou
			quota.Refusal = fmt.Sprintf("You have %d of %d stores. Delete one first.", quota.Used, allowed)
		} else {
			quota.Of, quota.Owner = QuotaOfOwner, name
			quota.Refusal = fmt.Sprintf("%s, an owner of this team, has %d of %d stores. Delete one first.", name, quota.Used, allowed)
		}
		return quota, nil
	})
	if err != nil {
		return nil, fmt.Errorf("count stores of owners: %w", err)
	}
	return all, nil
}

// checkLimits counts under the lock that claims take too, so that parallel requests cannot
// pass a limit together.
func (t tx) checkLimits(ctx context.Context, actor Actor, teamID string, plan Plan, l Limits) error {
	all, err := quotas(ctx, t, actor, teamID, plan, l)
	if err != nil {
		return err
	}
	for _, q := range all {
		if q.Full() {
			return &Error{Code: Limited, Message: q.Refusal}
		}
	}
	return t.checkRate(ctx, actor, l.Creates)
}

// Pace is how fast somebody creates stores, and may.
type Pace struct {
	Rate Rate
	Used int           // of its times, within its time
	Wait time.Duration // until another can be created; zero if that is now
}

// Refusal says why no other store can be created now, and is empty if one can.
func (p Pace) Refusal() string {
	if p.Wait <= 0 {
		return ""
	}
	return fmt.Sprintf("You created %s, which is the limit. Try again %s.", p.Rate.Of("store"), Wait(p.Wait))
}

// Pace returns how fast the actor creates stores.
func (db *DB) Pace(ctx context.Context, actor Actor, r Rate) (Pace, error) {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return Pace{}, err
	}
	return pace(ctx, db.read, actor, r, now)
}

// pace looks at the stores that the user has made, so that a rate holds over restarts and for
// all processes together.
func pace(ctx context.Context, q querier, actor Actor, r Rate, now int64) (Pace, error) {
	if r.Unlimited() {
		return Pace{}, nil
	}
	rows, err := q.QueryContext(ctx, `
		SELECT created_at FROM stores WHERE created_by = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT $3`,
		actor.UserID, now-r.Within.Microseconds(), r.Times)
	made, err := collect(rows, err, func(row scanner) (at int64, err error) {
		err = row.Scan(&at)
		return at, err
	})
	if err != nil {
		return Pace{}, fmt.Errorf("count stores made lately: %w", err)
	}
	p := Pace{Rate: r, Used: len(made)}
	if p.Used >= r.Times {
		p.Wait = time.Duration(made[r.Times-1]-now)*time.Microsecond + r.Within
	}
	return p, nil
}

func (t tx) checkRate(ctx context.Context, actor Actor, r Rate) error {
	p, err := pace(ctx, t, actor, r, t.now)
	if err != nil || p.Wait <= 0 {
		return err
	}
	return &Error{Code: Limited, RetryAfter: p.Wait, Message: p.Refusal()}
}
