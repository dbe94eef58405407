package database

import (
	"context"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// Quotas returns what a new store of the team comes under: a store counts for every owner of
// its team, for its team, and for the installation.
func (db *DB) Quotas(ctx context.Context, actor store.Actor, teamID string, l store.Limits) ([]store.Quota, error) {
	if !actor.May(store.CreateStores, teamID) {
		return nil, store.NoSuch("team")
	}
	plan, err := db.teamPlan(ctx, db.read, teamID)
	if err != nil {
		return nil, err
	}
	return quotas(ctx, db.read, actor, teamID, plan, l)
}

func quotas(ctx context.Context, q querier, actor store.Actor, teamID string, plan store.Plan, l store.Limits) ([]store.Quota, error) {
	all, err := ownerQuotas(ctx, q, actor, teamID, l.StoresPerUser)
	if err != nil {
		return nil, err
	}
	team, installation := store.Quota{Of: store.QuotaOfTeam, Allowed: plan.Stores}, store.Quota{Of: store.QuotaOfInstallation, Allowed: l.Stores}
	err = q.QueryRowContext(ctx, `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN team_id = $1 THEN 1 ELSE 0 END), 0) FROM stores
		WHERE deleted_at = 0 AND purpose = 'shop'`, teamID).
		Scan(&installation.Used, &team.Used)
	if err != nil {
		return nil, fmt.Errorf("count stores: %w", err)
	}
	team.Refusal = fmt.Sprintf("This team has %d of %d stores of its plan, %s. Delete one, or ask the administrator for a larger plan.", team.Used, team.Allowed, plan.Label)
	installation.Refusal = fmt.Sprintf("This installation is full: %d of %d stores. Ask the administrator.", installation.Used, installation.Allowed)
	return append(all, team, installation), nil
}

// ownerQuotas count, for each owner of the team, the stores of all teams that he or she owns.
func ownerQuotas(ctx context.Context, q querier, actor store.Actor, teamID string, allowed int) ([]store.Quota, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT u.id, u.name, (SELECT COUNT(*) FROM stores s JOIN memberships o ON o.team_id = s.team_id
			WHERE s.deleted_at = 0 AND s.purpose = 'shop' AND o.user_id = u.id AND o.role = 'owner')
		FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = $1 AND m.role = 'owner'
		ORDER BY CASE WHEN u.id = $2 THEN 0 ELSE 1 END, u.id`, teamID, actor.UserID)
	all, err := collect(rows, err, func(row scanner) (store.Quota, error) {
		var id, name string
		quota := store.Quota{Allowed: allowed}
		if err := row.Scan(&id, &name, &quota.Used); err != nil {
			return store.Quota{}, err
		}
		if id == actor.UserID {
			quota.Of = store.QuotaOfYou
			quota.Refusal = fmt.Sprintf("You have %d of %d stores. Delete one first.", quota.Used, allowed)
		} else {
			quota.Of, quota.Owner = store.QuotaOfOwner, name
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
func (t tx) checkLimits(ctx context.Context, actor store.Actor, teamID string, plan store.Plan, l store.Limits) error {
	all, err := quotas(ctx, t, actor, teamID, plan, l)
	if err != nil {
		return err
	}
	for _, q := range all {
		if q.Full() {
			return &store.Error{Code: store.Limited, Message: q.Refusal}
		}
	}
	return t.checkRate(ctx, actor, l.Creates)
}

// Pace returns how fast the actor creates stores.
func (db *DB) Pace(ctx context.Context, actor store.Actor, r store.Rate) (store.Pace, error) {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return store.Pace{}, err
	}
	return pace(ctx, db.read, actor, r, now)
}

// pace looks at the stores that the user has made, so that a rate holds over restarts and for
// all processes together.
func pace(ctx context.Context, q querier, actor store.Actor, r store.Rate, now int64) (store.Pace, error) {
	if r.Unlimited() {
		return store.Pace{}, nil
	}
	rows, err := q.QueryContext(ctx, `
		SELECT created_at FROM stores WHERE created_by = $1 AND created_at > $2 AND purpose = 'shop' ORDER BY created_at DESC LIMIT $3`,
		actor.UserID, now-r.Within.Microseconds(), r.Times)
	made, err := collect(rows, err, func(row scanner) (at int64, err error) {
		err = row.Scan(&at)
		return at, err
	})
	if err != nil {
		return store.Pace{}, fmt.Errorf("count stores made lately: %w", err)
	}
	p := store.Pace{Rate: r, Used: len(made)}
	if p.Used >= r.Times {
		p.Wait = time.Duration(made[r.Times-1]-now)*time.Microsecond + r.Within
	}
	return p, nil
}

func (t tx) checkRate(ctx context.Context, actor store.Actor, r store.Rate) error {
	p, err := pace(ctx, t, actor, r, t.now)
	if err != nil || p.Wait <= 0 {
		return err
	}
	return &store.Error{Code: store.Limited, RetryAfter: p.Wait, Message: p.Refusal()}
}
