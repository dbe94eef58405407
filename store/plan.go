package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Plan is how many stores a team may have, and how much of its cluster each of them may take.
type Plan struct {
	Name      string // in records and settings; never changes
	Label     string // for people
	Position  int    // in lists, from small to large
	Stores    int    // living, of one team; zero for no limit of the plan's own
	CPU       int    // thousandths of a processor
	Memory    int    // MiB
	Disk      int    // MiB
	Pods      int
	UpdatedAt time.Time
}

// StandardPlan is the plan of teams that were given none, unless the installation names
// another.
const StandardPlan = "standard"

// WithDefaultPlan names the plan of teams that were given none.
func WithDefaultPlan(name string) Option { return func(db *DB) { db.defaultPlan = name } }

// DefaultPlan is the name of the plan of teams that were given none.
func (db *DB) DefaultPlan() string { return db.defaultPlan }

const planColumns = `name, label, position, stores, cpu, memory, disk, pods, updated_at`

func scanPlan(row scanner) (p Plan, err error) {
	var updated int64
	err = row.Scan(&p.Name, &p.Label, &p.Position, &p.Stores, &p.CPU, &p.Memory, &p.Disk, &p.Pods, &updated)
	p.UpdatedAt = fromMicros(updated)
	return p, err
}

// Plans returns all plans, from small to large. What an installation offers is no secret.
func (db *DB) Plans(ctx context.Context) ([]Plan, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+planColumns+` FROM plans ORDER BY position, name`)
	plans, err := collect(rows, err, scanPlan)
	if err != nil {
		return nil, fmt.Errorf("read plans: %w", err)
	}
	return plans, nil
}

// Plan returns the plan of that name, or a NotFound error.
func (db *DB) Plan(ctx context.Context, name string) (Plan, error) {
	return queryPlan(ctx, db.read, `name = $1`, name)
}

// TeamPlan returns the plan of the team's new stores.
func (db *DB) TeamPlan(ctx context.Context, teamID string) (Plan, error) {
	return db.teamPlan(ctx, db.read, teamID)
}

func (db *DB) teamPlan(ctx context.Context, q querier, teamID string) (Plan, error) {
	return queryPlan(ctx, q, `name = COALESCE((SELECT plan FROM teams WHERE id = $1), $2)`, teamID, db.defaultPlan)
}

func queryPlan(ctx context.Context, q querier, where string, args ...any) (Plan, error) {
	p, err := scanPlan(q.QueryRowContext(ctx, `SELECT `+planColumns+` FROM plans WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Plan{}, notFound("plan")
	}
	if err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	return p, nil
}

// AddPlan makes a plan, which is the last in lists.
func (db *DB) AddPlan(ctx context.Context, actor Actor, p Plan) error {
	if err := actor.mayAdminister(ManagePlans, "plan"); err != nil {
		return err
	}
	p, err := p.clean()
	if err != nil {
		return err
	}
	err = db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `
			INSERT INTO plans (`+planColumns+`)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COALESCE(MAX(position), 0) + 1, CAST($3 AS INTEGER), CAST($4 AS INTEGER),
				CAST($5 AS INTEGER), CAST($6 AS INTEGER), CAST($7 AS INTEGER), CAST($8 AS BIGINT) FROM plans`,
			p.Name, p.Label, p.Stores, p.CPU, p.Memory, p.Disk, p.Pods, t.now)
		if err != nil {
			return fmt.Errorf("add plan: %w", err)
		}
		return t.append(ctx, planEvent(actor, PlanAdded, p, Figures{}))
	})
	if isUniqueViolation(err) {
		return &Error{Code: Conflict, Field: "name", Message: fmt.Sprintf("The plan %q already exists. Choose another name.", p.Name)}
	}
	return err
}

// SavePlan changes the label and the figures of a plan. Stores that live take them on at
// their next change.
func (db *DB) SavePlan(ctx context.Context, actor Actor, p Plan) error {
	if err := actor.mayAdminister(ManagePlans, "plan"); err != nil {
		return err
	}
	p, err := p.clean()
	if err != nil {
		return err
	}
	return db.update(ctx, func(t tx) error {
		before, err := queryPlan(ctx, t, `name = $1`, p.Name)
		if err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `
			UPDATE plans SET label = $2, stores = $3, cpu = $4, memory = $5, disk = $6, pods = $7, updated_at = $8 WHERE name = $1`,
			p.Name, p.Label, p.Stores, p.CPU, p.Memory, p.Disk, p.Pods, t.now)
		if err != nil {
			return fmt.Errorf("save plan: %w", err)
		}
		if before.figures() == p.figures() {
			return nil
		}
		return t.append(ctx, planEvent(actor, PlanChanged, p, before.figures()))
	})
}

var planName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// The most that a figure of a plan may be: far beyond what a cluster has, and far below what
// Kubernetes cannot reckon with.
const (
	mostStores = 1_000_000
	mostCPU    = 1_000_000        // a thousand processors
	mostMemory = 16 * 1024 * 1024 // 16 TiB
	mostDisk   = 1024 * 1024 * 1024
	mostPods   = 10_000
)

// clean refuses what no store could live in, at the field.
func (p Plan) clean() (Plan, error) {
	p.Label = strings.Join(strings.Fields(p.Label), " ")
	switch {
	case !planName.MatchString(p.Name):
		return p, invalid("name", "Use lowercase letters, digits and dashes, at most 40, for example large.")
	case p.Label == "" || len([]rune(p.Label)) > 40:
		return p, invalid("label", "Enter a label with at most 40 characters.")
	case p.Stores < 0 || p.Stores > mostStores:
		return p, invalid("stores", "Enter a number of stores from 0 (no limit) to %d.", mostStores)
	case p.CPU < 1 || p.CPU > mostCPU:
		return p, invalid("cpu", "Enter a number of CPUs, such as 2 or 0.5, up to %d.", mostCPU/1000)
	case p.Memory < 1 || p.Memory > mostMemory:
		return p, invalid("memory", "Enter the memory in GiB, such as 8 or 0.5, up to %d.", mostMemory/1024)
	case p.Disk < 1 || p.Disk > mostDisk:
		return p, invalid("disk", "Enter the disk in GiB, such as 20 or 0.5, up to %d.", mostDisk/1024)
	case p.Pods < 1 || p.Pods > mostPods:
		return p, invalid("pods", "Enter a number of pods from 1 to %d.", mostPods)
	}
	return p, nil
}

// Figures are what the audit log keeps of a plan, in the units of a [Plan].
type Figures struct {
	Label  string `json:"label"`
	Stores int    `json:"stores"`
	CPU    int    `json:"cpu"`
	Memory int    `json:"memory"`
	Disk   int    `json:"disk"`
	Pods   int    `json:"pods"`
}

func (p Plan) figures() Figures {
	return Figures{Label: p.Label, Stores: p.Stores, CPU: p.CPU, Memory: p.Memory, Disk: p.Disk, Pods: p.Pods}
}

func planEvent(actor Actor, kind Kind, p Plan, before Figures) Event {
	return actor.sign(Event{Kind: kind, Object: p.Name, Data: EventData{PlanBefore: before, PlanAfter: p.figures()}})
}
