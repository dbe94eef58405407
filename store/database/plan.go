package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// WithDefaultPlan names the plan of teams that were given none.
func WithDefaultPlan(name string) Option { return func(db *DB) { db.defaultPlan = name } }

// DefaultPlan is the name of the plan of teams that were given none.
func (db *DB) DefaultPlan() string { return db.defaultPlan }

const planColumns = `name, label, position, stores, cpu, memory, disk, pods, backup_every, keep_hourly, keep_daily, keep_weekly, keep_monthly, drill_every, updated_at`

func scanPlan(row scanner) (p store.Plan, err error) {
	var updated int64
	err = row.Scan(&p.Name, &p.Label, &p.Position, &p.Stores, &p.CPU, &p.Memory, &p.Disk, &p.Pods,
		&p.BackupEvery, &p.Keep.Hourly, &p.Keep.Daily, &p.Keep.Weekly, &p.Keep.Monthly, &p.DrillEvery, &updated)
	p.UpdatedAt = fromMicros(updated)
	return p, err
}

// Plans returns all plans to an administrator, from small to large.
func (db *DB) Plans(ctx context.Context, actor store.Actor) ([]store.Plan, error) {
	if err := actor.MustAdminister(store.ViewInstallation, "page"); err != nil {
		return nil, err
	}
	return db.UnguardedPlans(ctx)
}

// UnguardedPlans returns all plans, from small to large. It is for the platform's own work.
func (db *DB) UnguardedPlans(ctx context.Context) ([]store.Plan, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+planColumns+` FROM plans ORDER BY position, name`)
	plans, err := collect(rows, err, scanPlan)
	if err != nil {
		return nil, fmt.Errorf("read plans: %w", err)
	}
	return plans, nil
}

// Plan returns the plan of that name to an administrator, or a NotFound error.
func (db *DB) Plan(ctx context.Context, actor store.Actor, name string) (store.Plan, error) {
	if err := actor.MustAdminister(store.ViewInstallation, "plan"); err != nil {
		return store.Plan{}, err
	}
	return db.UnguardedPlan(ctx, name)
}

// UnguardedPlan returns the plan of that name, or a NotFound error. It is for the platform's own work.
func (db *DB) UnguardedPlan(ctx context.Context, name string) (store.Plan, error) {
	return queryPlan(ctx, db.read, `name = $1`, name)
}

// TeamPlan returns the plan of the team's new stores, to an actor who may create one.
func (db *DB) TeamPlan(ctx context.Context, actor store.Actor, teamID string) (store.Plan, error) {
	if err := actor.MayCreate(teamID); err != nil {
		return store.Plan{}, err
	}
	return db.teamPlan(ctx, db.read, teamID)
}

func (db *DB) teamPlan(ctx context.Context, q querier, teamID string) (store.Plan, error) {
	return queryPlan(ctx, q, `name = COALESCE((SELECT plan FROM teams WHERE id = $1), $2)`, teamID, db.defaultPlan)
}

func queryPlan(ctx context.Context, q querier, where string, args ...any) (store.Plan, error) {
	p, err := scanPlan(q.QueryRowContext(ctx, `SELECT `+planColumns+` FROM plans WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Plan{}, store.NoSuch("plan")
	}
	if err != nil {
		return store.Plan{}, fmt.Errorf("read plan: %w", err)
	}
	return p, nil
}

// AddPlan makes a plan, which is the last in lists.
func (db *DB) AddPlan(ctx context.Context, actor store.Actor, p store.Plan) error {
	if err := actor.MustAdminister(store.ManagePlans, "plan"); err != nil {
		return err
	}
	p, err := p.Validate()
	if err != nil {
		return err
	}
	err = db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `
			INSERT INTO plans (`+planColumns+`)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COALESCE(MAX(position), 0) + 1, CAST($3 AS INTEGER), CAST($4 AS INTEGER),
				CAST($5 AS INTEGER), CAST($6 AS INTEGER), CAST($7 AS INTEGER), CAST($8 AS INTEGER), CAST($9 AS INTEGER), CAST($10 AS INTEGER),
				CAST($11 AS INTEGER), CAST($12 AS INTEGER), CAST($13 AS INTEGER), CAST($14 AS BIGINT) FROM plans`,
			p.Name, p.Label, p.Stores, p.CPU, p.Memory, p.Disk, p.Pods, p.BackupEvery, p.Keep.Hourly, p.Keep.Daily, p.Keep.Weekly, p.Keep.Monthly, p.DrillEvery, t.now)
		if err != nil {
			return fmt.Errorf("add plan: %w", err)
		}
		return t.append(ctx, planEvent(actor, store.PlanAdded, p, store.Figures{}))
	})
	if isUniqueViolation(err) {
		return &store.Error{Code: store.Conflict, Field: "name", Message: fmt.Sprintf("The plan %q already exists. Choose another name.", p.Name)}
	}
	return err
}

// SavePlan changes the label and the figures of a plan. Stores that live take the limits on at their
// next change, and are backed up as it says at once.
func (db *DB) SavePlan(ctx context.Context, actor store.Actor, p store.Plan) error {
	if err := actor.MustAdminister(store.ManagePlans, "plan"); err != nil {
		return err
	}
	p, err := p.Validate()
	if err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		before, err := queryPlan(ctx, t, `name = $1`, p.Name)
		if err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `
			UPDATE plans SET label = $2, stores = $3, cpu = $4, memory = $5, disk = $6, pods = $7, backup_every = $8, keep_hourly = $9, keep_daily = $10,
				keep_weekly = $11, keep_monthly = $12, drill_every = $13, updated_at = $14 WHERE name = $1`,
			p.Name, p.Label, p.Stores, p.CPU, p.Memory, p.Disk, p.Pods, p.BackupEvery, p.Keep.Hourly, p.Keep.Daily, p.Keep.Weekly, p.Keep.Monthly, p.DrillEvery, t.now)
		if err != nil {
			return fmt.Errorf("save plan: %w", err)
		}
		if before.Figures() == p.Figures() {
			return nil
		}
		return t.append(ctx, planEvent(actor, store.PlanChanged, p, before.Figures()))
	})
}

func planEvent(actor store.Actor, kind store.Kind, p store.Plan, before store.Figures) store.Event {
	return actor.Sign(store.Event{Kind: kind, Object: p.Name, Data: store.EventData{PlanBefore: before, PlanAfter: p.Figures()}})
}
