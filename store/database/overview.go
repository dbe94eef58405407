package database

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"shopwright.dev/shopwright/store"
)

// BackupOverview returns how all stores are backed up, those first that need attention. It takes a few statements,
// however many stores there are: when a backup is due is reckoned from a store's id.
func (db *DB) BackupOverview(ctx context.Context, actor store.Actor, q store.OverviewQuery) (o store.BackupOverview, err error) {
	targets, err := db.Targets(ctx, actor)
	if err != nil {
		return o, err
	}
	kept, err := db.keptPoints(ctx)
	if err != nil {
		return o, err
	}
	if o.Targets, err = db.targetUses(ctx, targets, kept); err != nil {
		return o, err
	}
	all, err := db.backedUpStores(ctx)
	if err != nil {
		return o, err
	}
	us, err := db.clock(ctx, db.read)
	if err != nil {
		return o, err
	}
	var since time.Time
	if err := db.read.QueryRowContext(ctx, `SELECT `+sinceDrills).Scan(at(&since)); err != nil {
		return o, fmt.Errorf("read since when there are drills: %w", err)
	}
	now, wanted, ofStore := fromMicros(us), store.Fold(q.Search), pointsOfStores(kept)
	var stores, found []store.BackedUpStore
	for _, s := range all {
		points := ofStore[s.StoreID]
		s.Points, s.Added, s.Newest = points.points, points.added, points.newest
		s.plan(now, o.Targets)
		s.DrillOverdue = s.Plan.DrillSchedule(s.StoreID).Overdue(now, s.passed, points.first, since)
		stores = append(stores, s.BackedUpStore)
		if strings.Contains(s.search, wanted) {
			found = append(found, s.BackedUpStore)
		}
	}
	o.Schedule(stores, now)
	o.Select(found, q)
	return o, nil
}

// keptPoints are the restore points of a store in a target that are kept.
type keptPoints struct {
	storeID, targetID string
	points            int
	added             int64
	newest, first     time.Time
}

// keptPoints counts the points of all stores, deleted ones as well.
func (db *DB) keptPoints(ctx context.Context) ([]keptPoints, error) {
	added := `COALESCE(manifest ->> '$.database.added', 0) + COALESCE(manifest ->> '$.files.added', 0)`
	if db.postgres != nil {
		added = `COALESCE(CAST(CAST(manifest AS JSON) #>> '{database,added}' AS BIGINT), 0) + COALESCE(CAST(CAST(manifest AS JSON) #>> '{files,added}' AS BIGINT), 0)`
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT store_id, target_id, COUNT(*), MAX(ended_at), MIN(ended_at), CAST(SUM(`+added+`) AS BIGINT)
		FROM restore_points WHERE expired_at = 0 GROUP BY store_id, target_id`)
	kept, err := collect(rows, err, func(row scanner) (k keptPoints, err error) {
		return k, row.Scan(&k.storeID, &k.targetID, &k.points, at(&k.newest), at(&k.first), &k.added)
	})
	if err != nil {
		return nil, fmt.Errorf("count the restore points: %w", err)
	}
	return kept, nil
}

// pointsOfStores adds up the points of each store, whichever target they are in.
func pointsOfStores(kept []keptPoints) map[string]keptPoints {
	all := map[string]keptPoints{}
	for _, k := range kept {
		sum := all[k.storeID]
		sum.points, sum.added = sum.points+k.points, sum.added+k.added
		if k.newest.After(sum.newest) {
			sum.newest = k.newest
		}
		if sum.first.IsZero() || k.first.Before(sum.first) {
			sum.first = k.first
		}
		all[k.storeID] = sum
	}
	return all
}

// targetUses says what the targets hold, the one in use first. Backups that fail are told of that one only: nothing
// is written to the others.
func (db *DB) targetUses(ctx context.Context, targets []store.Target, kept []keptPoints) ([]store.TargetUse, error) {
	var all []store.TargetUse
	for _, target := range targets {
		u := store.TargetUse{Target: target}
		for _, k := range kept {
			if k.targetID != target.ID {
				continue
			}
			u.Points, u.Stores, u.Added = u.Points+k.points, u.Stores+1, u.Added+k.added
			if k.newest.After(u.Newest) {
				u.Newest = k.newest
			}
		}
		if !target.InUse {
			all = append(all, u)
			continue
		}
		if err := db.addFailures(ctx, &u); err != nil {
			return nil, err
		}
		all = slices.Insert(all, 0, u)
	}
	return all, nil
}

// addFailures adds to a target which backups to it have failed since its newest point was made.
func (db *DB) addFailures(ctx context.Context, u *store.TargetUse) error {
	since := max(micros(u.Newest), micros(u.Target.CreatedAt))
	var result store.Result
	err := db.read.QueryRowContext(ctx, `
		WITH failed AS (
			SELECT store_id, ended_at, result FROM jobs
			WHERE ended_at > 0 AND ended_at > $1 AND kind = 'backup' AND state = 'failed' AND args LIKE '%"target":"' || $2 || '"%'
		)
		SELECT COUNT(*), COUNT(DISTINCT store_id), COALESCE(MIN(ended_at), 0), COALESCE((SELECT result FROM failed ORDER BY ended_at DESC LIMIT 1), '{}')
		FROM failed`, since, u.Target.ID).Scan(&u.Failed, &u.FailedStores, at(&u.FailedSince), document{&result})
	if err != nil {
		return fmt.Errorf("read which backups to a target have failed: %w", err)
	}
	u.Failure = result.Failure
	return nil
}

// overviewRow is a store in the overview, before it is reckoned when its backups are due.
type overviewRow struct {
	store.BackedUpStore
	search string    // folded: what it is found by
	tried  time.Time // when a scheduled backup was begun last; zero for never
	passed time.Time // when the newest drill that passed ended; zero for none
}

// backedUpStores reads all living stores in order of their names, each with its newest backup and the newest drill that
// has ended: ids of jobs are in order of time, and of each store a few drills are kept.
func (db *DB) backedUpStores(ctx context.Context) ([]overviewRow, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT s.id, s.name, s.team_id, t.name, s.status, s.desired, c.simulated, s.ready_at, s.search || ' ' || t.search,
			p.name, p.label, p.backup_every, p.drill_every, COALESCE(r.scheduled_at, 0),
			COALESCE(j.id, ''), COALESCE(j.state, ''), COALESCE(j.began_at, 0), COALESCE(j.ended_at, 0), COALESCE(j.result, '{}'),
			COALESCE(d.id, ''), COALESCE(d.point_id, ''), COALESCE(d.began_at, 0), COALESCE(d.ended_at, 0), COALESCE(d.order_number, ''),
			COALESCE(d.simulated, FALSE), COALESCE(d.failure, '{}'), COALESCE(passed.at, 0)
		FROM stores s JOIN teams t ON t.id = s.team_id JOIN clusters c ON c.id = s.cluster_id JOIN plans p ON p.name = s.plan
		LEFT JOIN repositories r ON r.store_id = s.id
		LEFT JOIN (SELECT store_id, MAX(id) AS newest FROM jobs WHERE kind = 'backup' GROUP BY store_id) b ON b.store_id = s.id
		LEFT JOIN jobs j ON j.id = b.newest
		LEFT JOIN drills d ON d.id = (SELECT n.id FROM drills n WHERE n.store_id = s.id AND n.ended_at > 0 ORDER BY n.began_at DESC, n.id DESC LIMIT 1)
		LEFT JOIN (SELECT store_id, MAX(ended_at) AS at FROM drills WHERE ended_at > 0 AND failure = '{}' GROUP BY store_id) passed ON passed.store_id = s.id
		WHERE s.deleted_at = 0 AND s.purpose = 'shop' ORDER BY s.search, s.id`)
	stores, err := collect(rows, err, func(row scanner) (s overviewRow, err error) {
		return s, row.Scan(&s.StoreID, &s.Name, &s.TeamID, &s.Team, &s.Status, &s.Desired, &s.Simulated, at(&s.ReadyAt), &s.search,
			&s.Plan.Name, &s.Plan.Label, &s.Plan.BackupEvery, &s.Plan.DrillEvery, at(&s.tried),
			&s.Job.ID, &s.Job.State, at(&s.Job.BeganAt), at(&s.Job.EndedAt), document{&s.Job.Result},
			&s.Drill.ID, &s.Drill.PointID, at(&s.Drill.BeganAt), at(&s.Drill.EndedAt), &s.Drill.Order,
			&s.Drill.Simulated, document{&s.Drill.Failure}, at(&s.passed))
	})
	if err != nil {
		return nil, fmt.Errorf("read how the stores are backed up: %w", err)
	}
	return stores, nil
}

// plan adds whether the store's newest point is too old, and when the next scheduled backup is due to the target in use.
func (s *overviewRow) plan(now time.Time, targets []store.TargetUse) {
	s.Late = s.IsLate(now)
	if len(targets) == 0 || !targets[0].Target.InUse || !s.CanBackUp() || s.Job.Pending() {
		return
	}
	scheduled := scheduledStore{id: s.StoreID, plan: s.Plan, tried: s.tried, ready: s.ReadyAt}
	s.Next = s.Plan.PointSchedule(s.StoreID).Next(now, scheduled.last(targets[0].Target))
}
