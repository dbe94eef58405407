package database_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

func (p points) overview(t *testing.T, q store.OverviewQuery) store.BackupOverview {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 25
	}
	o, err := p.db.BackupOverview(t.Context(), p.admin, q)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// shown are the names of the stores on the page.
func shown(o store.BackupOverview) string {
	var names []string
	for _, s := range o.Stores {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

func TestOverviewIsForAdministrators(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		narrow := p.admin
		narrow.Token, narrow.Scopes = "robot", []store.Scope{store.ReadStores, store.WriteStores}
		for who, actor := range map[string]store.Actor{"an owner": p.actor, "a token without the scope": narrow, "nobody": {}} {
			if _, err := p.db.BackupOverview(t.Context(), actor, store.OverviewQuery{}); store.ErrorCode(err) != store.NotFound {
				t.Errorf("%s: %v", who, err)
			}
		}
		if o := p.overview(t, store.OverviewQuery{}); len(o.Targets) != 0 || shown(o) != "Tea & Tonic" || len(o.Next) != 0 || o.Stores[0].NeedsAttention() {
			t.Errorf("without a target there are %+v", o)
		}
	})
}

func TestOverviewOfAStore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		first := p.made(t, wholeManifest())
		p.made(t, wholeManifest())
		change(t, url, `UPDATE restore_points SET expired_at = 1 WHERE id = '`+first.ID+`'`)
		b, o := p.backups(t), p.overview(t, store.OverviewQuery{})
		if len(o.Stores) != 1 || o.Total != 1 || o.Day != 1 || len(o.Next) != 1 || o.Next[0].StoreID != p.ready.ID {
			t.Fatalf("there are %+v", o)
		}
		s := o.Stores[0]
		if s.Name != "Tea & Tonic" || s.Team != "mara" || s.TeamID != p.team || s.Points != 1 || s.Added != 30 || !s.Newest.Equal(b.Points[0].EndedAt) ||
			s.Job.State != store.JobDone || s.Job.ID != b.Job.ID || !s.Next.Equal(b.Next) || s.Plan.BackupEvery != 24 || s.Simulated || s.NeedsAttention() {
			t.Errorf("the store is %+v; its own page says %+v", s, b)
		}
		change(t, url, fmt.Sprintf(`UPDATE restore_points SET ended_at = ended_at - %d`, (25*time.Hour+time.Minute).Microseconds()))
		if o := p.overview(t, store.OverviewQuery{Filter: store.BackupsAttention}); shown(o) != "Tea & Tonic" || !o.Stores[0].Late || o.Counts[store.BackupsFailing] != 0 {
			t.Errorf("with an old point there are %+v", o)
		}
		change(t, url, `UPDATE plans SET backup_every = 48`)
		if o := p.overview(t, store.OverviewQuery{}); o.Stores[0].Late {
			t.Errorf("a plan that asks for less makes it %+v", o.Stores[0])
		}
		c := p.backUp(t, "")
		if s := p.overview(t, store.OverviewQuery{}).Stores[0]; !s.Job.Pending() || !s.Next.IsZero() || s.Failing() {
			t.Errorf("while it is backed up it is %+v", s)
		}
		if err := p.db.FailBackup(t.Context(), c, store.Failure{Code: store.BackupOverdue, Facts: store.Facts{Doing: "upload"}}); err != nil {
			t.Fatal(err)
		}
		o = p.overview(t, store.OverviewQuery{Filter: store.BackupsFailing})
		if shown(o) != "Tea & Tonic" || o.Stores[0].Job.Failure.Code != store.BackupOverdue || o.Stores[0].Job.EndedAt.IsZero() || o.Counts[store.BackupsAttention] != 1 {
			t.Errorf("after a failure there are %+v", o)
		}
		if err := p.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		p.made(t, wholeManifest())
		if o := p.overview(t, store.OverviewQuery{Filter: store.BackupsFailing}); o.Total != 0 || len(o.Stores) != 0 || o.Counts[store.AnyBackups] != 1 {
			t.Errorf("after a success there are %+v", o)
		}
		change(t, url, `UPDATE clusters SET simulated = TRUE`)
		change(t, url, `UPDATE stores SET status = 'failed'`)
		if s := p.overview(t, store.OverviewQuery{}).Stores[0]; !s.Simulated || !s.Next.IsZero() {
			t.Errorf("a simulated store that failed is %+v", s)
		}
		change(t, url, `UPDATE stores SET deleted_at = 1`)
		if o := p.overview(t, store.OverviewQuery{}); o.Total != 0 || o.Targets[0].Points != 2 {
			t.Errorf("of a deleted store there are %+v", o)
		}
	})
}

func TestOverviewOfTargets(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "old")
		p.made(t, wholeManifest())
		old := p.overview(t, store.OverviewQuery{}).Targets[0]
		if old.Target.Name != "old" || old.Target.Secret != "" || old.Points != 1 || old.Stores != 1 || old.Added != 30 || old.Newest.IsZero() || old.Failed != 0 {
			t.Errorf("a target that works is %+v", old)
		}
		p.target(t, "new")
		var failed []store.Claim
		for _, doing := range []string{"repository", "upload"} {
			c := p.backUp(t, "")
			if err := p.db.FailBackup(t.Context(), c, store.Failure{Code: store.BackupStepFailed, Facts: store.Facts{Doing: doing}}); err != nil {
				t.Fatal(err)
			}
			if err := p.db.Release(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			failed = append(failed, c)
		}
		since, _, err := p.db.Backup(t.Context(), p.actor, p.ready.ID, failed[0].Job.ID)
		if err != nil {
			t.Fatal(err)
		}
		cancelled := p.backUp(t, "")
		change(t, url, `UPDATE jobs SET state = 'cancelled', ended_at = asked_at, claim_until = 0 WHERE id = '`+cancelled.Job.ID+`'`)
		targets := p.overview(t, store.OverviewQuery{}).Targets
		old.Target.InUse = false
		if len(targets) != 2 || !reflect.DeepEqual(targets[1], old) {
			t.Fatalf("there are %+v; the old one was %+v", targets, old)
		}
		fresh := targets[0]
		if fresh.Target.Name != "new" || fresh.Points != 0 || !fresh.Newest.IsZero() || fresh.Failed != 2 || fresh.FailedStores != 1 ||
			!fresh.FailedSince.Equal(since.EndedAt) || fresh.Failure.Facts.Doing != "upload" {
			t.Errorf("a target that fails is %+v", fresh)
		}
		p.made(t, wholeManifest())
		if fresh := p.overview(t, store.OverviewQuery{}).Targets[0]; fresh.Points != 1 || fresh.Failed != 0 || !fresh.FailedSince.IsZero() || fresh.Failure.Code != "" {
			t.Errorf("after a success it is %+v", fresh)
		}
	})
}

func TestOverviewOfManyStores(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		target := p.target(t, "off-site")
		fill(t, url, p.bundle, 1000)
		now := time.Now().UnixMicro()
		hour := time.Hour.Microseconds()
		_, err := raw(t, url).ExecContext(t.Context(), `
			INSERT INTO restore_points (id, store_id, target_id, reason, manifest, began_at, ended_at)
			WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < 30)
			SELECT s.id || '-' || i, s.id, CAST($1 AS TEXT), 'scheduled', CAST($2 AS TEXT), 0, CAST($3 AS BIGINT) - i * CAST($4 AS BIGINT) FROM stores s, many`,
			target.ID, `{"database":{"snapshot":"a","bytes":100,"added":10},"files":{"snapshot":"b","bytes":200,"added":20}}`, now, hour)
		if err != nil {
			t.Fatal(err)
		}
		change(t, url, `DELETE FROM restore_points WHERE store_id IN ('store-7', 'store-8')`)
		change(t, url, fmt.Sprintf(`UPDATE restore_points SET ended_at = ended_at - %d WHERE store_id = 'store-500'`, 100*hour))
		change(t, url, `
			INSERT INTO jobs (id, store_id, cluster_id, kind, exclusive, state, priority, due, args, step, note, result, attempt, worked, asked_by, asked_by_name, asked_at, began_at, ended_at)
			SELECT 'backup-' || id, id, cluster_id, 'backup', FALSE, 'failed', 0, 0, '{}', '', '{}', '{}', 1, 0, '', '', 1, 1, 1 FROM stores WHERE id = 'store-300'`)
		o := p.overview(t, store.OverviewQuery{})
		if o.Total != 1001 || len(o.Stores) != 25 || !strings.HasPrefix(shown(o), "Shop number 7, Shop number 8, Shop number 500, Shop number 300, Shop number 1, ") {
			t.Errorf("of %d the first are %s", o.Total, shown(o))
		}
		if o.Counts[store.AnyBackups] != 1001 || o.Counts[store.BackupsAttention] != 4 || o.Counts[store.BackupsFailing] != 1 {
			t.Errorf("counted are %v", o.Counts)
		}
		if u := o.Targets[0]; u.Points != 999*30 || u.Stores != 999 || u.Added != 999*30*30 {
			t.Errorf("the target holds %+v", u)
		}
		if len(o.Next) != 3 || o.Next[0].Next.After(o.Next[2].Next) || o.Day != 901 {
			t.Errorf("%d are due within a day, the next are %+v", o.Day, o.Next)
		}
		last := p.overview(t, store.OverviewQuery{Page: store.Page{Offset: 1000, Limit: 25}})
		if len(last.Stores) != 1 || last.Total != 1001 {
			t.Errorf("on the last page there are %s", shown(last))
		}
		found := p.overview(t, store.OverviewQuery{Page: store.Page{Search: "NUMBER 50"}, Filter: store.BackupsAttention})
		if shown(found) != "Shop number 500" || found.Counts[store.AnyBackups] != 11 || len(found.Next) != 3 || found.Day != 901 {
			t.Errorf("found are %s, counted %v", shown(found), found.Counts)
		}
		if o := p.overview(t, store.OverviewQuery{Page: store.Page{Search: "mara"}}); o.Total != 1001 {
			t.Errorf("of the team are %d", o.Total)
		}
	})
}

func TestOverviewOfDrills(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		change(t, url, `UPDATE restore_points SET ended_at = ended_at - 1000000`)
		p.drill(t)
		if o := p.overview(t, store.OverviewQuery{}); shown(o) != "Tea & Tonic" || o.Stores[0].Drill.ID != "" || o.Stores[0].DrillOverdue {
			t.Errorf("during a drill there are %+v", o)
		}
		p.passDrill(t)
		last := p.drills(t).Last()
		s := p.overview(t, store.OverviewQuery{}).Stores[0]
		if s.Drill.ID != last.ID || s.Drill.PointID != last.PointID || s.Drill.Order != "7" || s.Drill.Took() != last.Took() || !s.Drill.Passed() || s.DrillOverdue || s.NeedsAttention() {
			t.Errorf("after a drill that passed the store is %+v, want %+v", s, last)
		}
		old := fmt.Sprint((9 * 24 * time.Hour).Microseconds())
		change(t, url, `UPDATE drills SET began_at = began_at - `+old+`, ended_at = ended_at - `+old)
		if s := p.overview(t, store.OverviewQuery{}).Stores[0]; s.DrillOverdue {
			t.Errorf("with a new point alone a drill is overdue: %+v", s)
		}
		change(t, url, `UPDATE restore_points SET ended_at = ended_at - `+old)
		change(t, url, `UPDATE plans SET backup_every = 0`)
		if o := p.overview(t, store.OverviewQuery{}); o.Stores[0].DrillOverdue {
			t.Errorf("before drills were made by schedule one is overdue: %+v", o.Stores[0])
		}
		change(t, url, `INSERT INTO counters (name, value) VALUES ('drills', 1)`)
		if o := p.overview(t, store.OverviewQuery{Filter: store.BackupsAttention}); o.Total != 1 || !o.Stores[0].DrillOverdue || o.Counts[store.BackupsFailing] != 0 {
			t.Errorf("long after a drill there are %+v", o)
		}
		drill := p.drill(t)
		change(t, url, fmt.Sprintf(`UPDATE drills SET ended_at = %d, simulated = TRUE, failure = '{"code":"point_gone"}' WHERE id = '%s'`, time.Now().UnixMicro(), drill.ID))
		if o := p.overview(t, store.OverviewQuery{Filter: store.BackupsFailing}); o.Total != 1 || !o.Stores[0].DrillOverdue || !o.Stores[0].Drill.Simulated || o.Stores[0].Drill.Failure.Code != store.PointGone {
			t.Errorf("after a drill that failed there are %+v", o)
		}
	})
}
