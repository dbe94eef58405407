package database_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// oldPoint makes a point that is so old, and returns its id.
func (p points) oldPoint(t *testing.T, url, note string, age time.Duration, result store.CleanupResult) string {
	t.Helper()
	c := p.backUp(t, note)
	if _, _, err := p.db.BeginCleanup(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	p.finish(t, c, result)
	change(t, url, fmt.Sprintf(`UPDATE restore_points SET ended_at = ended_at - %d WHERE id = '%s'`, age.Microseconds(), c.Job.ID))
	return c.Job.ID
}

// finish records the point of a claimed backup.
func (p points) finish(t *testing.T, c store.Claim, result store.CleanupResult) {
	t.Helper()
	if err := errors.Join(p.db.FinishCleanup(t.Context(), c, result), p.db.RecordPoint(t.Context(), c, wholeManifest()), p.db.Release(t.Context(), c)); err != nil {
		t.Fatal(err)
	}
}

// wantListed checks which points are listed, newest first.
func (p points) wantListed(t *testing.T, when string, want ...string) {
	t.Helper()
	var got []string
	for _, point := range p.backups(t).Points {
		got = append(got, point.ID)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s listed are %v, want %v", when, got, want)
	}
}

func (p points) wantCleanup(t *testing.T, c store.Claim, prune bool, want ...string) {
	t.Helper()
	got, snapshots, err := p.db.BeginCleanup(t.Context(), c)
	if err != nil || strings.Join(got.Points, " ") != strings.Join(want, " ") || got.Prune != prune || len(snapshots) != 3*len(want) {
		t.Errorf("to be deleted are %+v and %d snapshots, want %v, %v", got, len(snapshots), want, err)
	}
}

// Points that the plan doesn't keep are not listed from the beginning of the next backup, and are forgotten
// once their snapshots are gone.
func TestPointsThatAreNotKeptAreForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "old")
		elsewhere := p.oldPoint(t, url, "", 9*time.Hour, store.CleanupResult{})
		p.target(t, "off-site")
		change(t, url, `UPDATE plans SET keep_hourly = 1, keep_daily = 0, keep_weekly = 0, keep_monthly = 0`)
		first := p.oldPoint(t, url, "", 8*time.Hour, store.CleanupResult{})
		noted := p.oldPoint(t, url, "before the sale", 7*time.Hour, store.CleanupResult{})
		second := p.oldPoint(t, url, "", 6*time.Hour, store.CleanupResult{Failed: "the first stays"})
		p.wantListed(t, "after the second point", second, noted, elsewhere)

		c := p.backUp(t, "")
		p.wantCleanup(t, c, false, first)
		change(t, url, `UPDATE plans SET keep_hourly = 0`)
		change(t, url, fmt.Sprintf(`UPDATE restore_points SET ended_at = ended_at + %d WHERE id = '%s'`, (90*time.Minute).Microseconds(), noted))
		p.wantCleanup(t, c, false, first) // also for who continues the backup
		p.finish(t, c, store.CleanupResult{Failed: "denied\x00"})
		if got := p.backups(t).Job.Cleanup; got.Forgotten || got.Failed != "denied�" {
			t.Errorf("the cleanup that failed is kept as %+v", got)
		}

		next := p.backUp(t, "")
		p.wantCleanup(t, next, false, first, second)
		p.wantListed(t, "while the next backup runs", c.Job.ID, noted, elsewhere)
		p.finish(t, next, store.CleanupResult{Forgotten: true})
		p.wantListed(t, "after the next backup", next.Job.ID, c.Job.ID, noted, elsewhere)
		if rows := rowsOf(t, raw(t, url), "id", "restore_points"); len(rows) != 4 {
			t.Errorf("there are %d points: %v", len(rows), rows)
		}
		if _, _, err := p.db.BeginCleanup(t.Context(), next); !errors.Is(err, store.ErrStale) {
			t.Errorf("without the claim a cleanup begins with %v", err)
		}
		if err := p.db.FinishCleanup(t.Context(), next, store.CleanupResult{Forgotten: true}); !errors.Is(err, store.ErrStale) {
			t.Errorf("without the claim a cleanup is finished with %v", err)
		}
	})
}

// Unused data is deleted once a week, from a week after the repository was made; what fails is done by the
// next backup.
func TestRepositoryIsPrunedWeekly(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		ago := func(column string, d time.Duration) {
			t.Helper()
			change(t, url, fmt.Sprintf(`UPDATE repositories SET %s = %s - %d`, column, column, d.Microseconds()))
		}
		prunes := func(want bool, result store.CleanupResult) {
			t.Helper()
			c := p.backUp(t, "kept")
			p.wantCleanup(t, c, want)
			p.finish(t, c, result)
		}
		prunes(false, store.CleanupResult{})
		ago("created_at", 8*24*time.Hour)
		prunes(true, store.CleanupResult{Forgotten: true, Failed: "out of time"})
		prunes(true, store.CleanupResult{Forgotten: true, Pruned: true})
		prunes(false, store.CleanupResult{})
		ago("pruned_at", 6*24*time.Hour)
		prunes(false, store.CleanupResult{})
		ago("pruned_at", 25*time.Hour)
		prunes(true, store.CleanupResult{})
	})
}

// One backup deletes so many points that it ends in time.
func TestCleanupIsLimited(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		p.oldPoint(t, url, "", 0, store.CleanupResult{})
		change(t, url, `
			INSERT INTO restore_points (id, store_id, target_id, reason, manifest, began_at, ended_at)
			WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < 150)
			SELECT 'old-' || i, p.store_id, p.target_id, 'scheduled', p.manifest, i, i FROM restore_points p, many`)
		c := p.backUp(t, "")
		got, snapshots, err := p.db.BeginCleanup(t.Context(), c)
		if err != nil || len(got.Points) != 100 || len(snapshots) != 300 || got.Points[0] != "old-1" {
			t.Errorf("%d points are to be deleted from %s on, %v", len(got.Points), got.Points[0], err)
		}
		p.wantListed(t, "of 151 points", p.backups(t).Points[0].ID, "old-150") // the newest of each period
		p.finish(t, c, store.CleanupResult{Forgotten: true})
		if next, _, err := p.db.BeginCleanup(t.Context(), p.backUp(t, "")); err != nil || len(next.Points) != 50 { // with the one of the same hour
			t.Errorf("the next backup deletes %d points, %v", len(next.Points), err)
		}
	})
}
