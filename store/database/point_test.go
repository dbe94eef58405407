package database_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

func sealing(t *testing.T, secrets ...byte) database.Option {
	t.Helper()
	var keys [][]byte
	for _, b := range secrets {
		keys = append(keys, bytes.Repeat([]byte{b}, 32))
	}
	sealer, err := store.NewSealer(keys)
	if err != nil {
		t.Fatal(err)
	}
	return database.WithSealer(sealer)
}

// points is a bundle with an administrator, a store that is ready, and a database that can seal.
type points struct {
	bundle
	admin store.Actor
	ready store.Store
}

func setupPoints(t *testing.T, url string) points {
	t.Helper()
	db := storetest.Open(t, url, sealing(t, 1))
	p := points{bundle: bundle{db: db, cluster: storetest.Cluster(t, db)}, admin: storetest.Admin(t, db)}
	p.actor, p.team = storetest.Actor(t, db, "mara")
	p.ready = p.create(t, "Tea & Tonic")
	p.complete(t, p.claim(t, "one"))
	return p
}

func bucketTarget(name string) store.Target {
	return store.Target{Name: name, Endpoint: "https://s3.example.com", Bucket: "shops", Prefix: name, KeyID: "key", Secret: "hidden-" + name, InUse: true}
}

func (p points) target(t *testing.T, name string) store.Target {
	t.Helper()
	target := bucketTarget(name)
	target, err := p.db.AddTarget(t.Context(), p.admin, target)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// backUp asks for a backup and claims it.
func (p points) backUp(t *testing.T, note string) store.Claim {
	t.Helper()
	if _, err := p.db.BackUp(t.Context(), p.actor, p.ready.ID, note); err != nil {
		t.Fatal(err)
	}
	c, ok, err := p.db.Claim(t.Context(), "one", time.Minute, store.Concurrency{Backups: 1})
	if err != nil || !ok || c.Job.Kind != store.BackupJob {
		t.Fatalf("claimed %s %t, %v", c.Job.Kind, ok, err)
	}
	return c
}

func (p points) backups(t *testing.T) store.Backups {
	t.Helper()
	b, err := p.db.Backups(t.Context(), p.actor, p.ready.ID)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// told are the kinds of the store's events that tell of backups.
func (p points) told(t *testing.T) string {
	t.Helper()
	events, err := p.db.StoreEvents(t.Context(), p.actor, p.ready.ID)
	if err != nil {
		t.Fatal(err)
	}
	var of []store.Event
	for _, e := range events {
		if strings.HasPrefix(string(e.Kind), "backup.") {
			of = append(of, e)
		}
	}
	return kinds(of)
}

func wholeManifest() store.Manifest {
	return store.Manifest{
		Generation: 1, Revision: 1, Chart: "1.0.0", Snapshot: "c",
		Database: store.Part{Snapshot: "a", Bytes: 100, Added: 10, Took: time.Second}, Files: store.Part{Snapshot: "b", Files: 3, Bytes: 200, Added: 20},
	}
}

func TestPointIsRecordedOnceItIsWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		target := p.target(t, "off-site")
		c := p.backUp(t, " before  the sale ")
		for _, step := range []store.Step{store.StepRepository, store.StepDatabase, store.StepManifest} {
			if err := p.db.AdvanceBackup(t.Context(), c, step); err != nil {
				t.Fatal(err)
			}
		}
		if b := p.backups(t); len(b.Points) != 0 || b.Job.ID != c.Job.ID || b.Job.Step != store.StepManifest || b.Job.BeganAt.IsZero() || b.Target != "off-site" {
			t.Errorf("while it is made there are %+v", b)
		}
		if err := p.db.RecordPoint(t.Context(), c, store.Manifest{Snapshot: "c"}); err == nil {
			t.Error("half a point is recorded")
		}
		if err := p.db.RecordPoint(t.Context(), c, wholeManifest()); err != nil {
			t.Fatal(err)
		}
		if err := p.db.RecordPoint(t.Context(), c, wholeManifest()); !errors.Is(err, store.ErrStale) {
			t.Errorf("recorded again it is answered with %v", err)
		}
		b := p.backups(t)
		if len(b.Points) != 1 || b.Job.State != store.JobDone {
			t.Fatalf("there are %+v", b)
		}
		got := b.Points[0]
		want := store.RestorePoint{
			ID: c.Job.ID, StoreID: p.ready.ID, TargetID: target.ID, TargetName: "off-site", Reason: store.Manual, Note: "before the sale",
			AskedBy: p.actor.By(), Manifest: wholeManifest(), BeganAt: got.BeganAt, EndedAt: got.EndedAt,
		}
		if got != want || got.BeganAt.IsZero() || got.EndedAt.Before(got.BeganAt) {
			t.Errorf("the point is\n%+v, want\n%+v", got, want)
		}
		if st := p.store(t, p.ready.ID); st.Status != store.Ready || st.Job.Kind == store.BackupJob {
			t.Errorf("the store is %s at %s", st.Status, st.Job.Kind)
		}
		if got := p.told(t); got != "backup.asked/ backup.progressed/repository backup.progressed/database backup.progressed/manifest backup.done/manifest" {
			t.Errorf("told are %s", got)
		}
	})
}

func TestFailedBackupLeavesNoPoint(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		c := p.backUp(t, "")
		if err := p.db.FailBackup(t.Context(), c, store.Failure{Code: store.BackupStepFailed, Facts: store.Facts{Doing: "database", ExitCode: 1, Quote: "gone\x00"}}); err != nil {
			t.Fatal(err)
		}
		b := p.backups(t)
		if len(b.Points) != 0 || b.Job.State != store.JobFailed || b.Job.Failure.Code != store.BackupStepFailed || b.Job.Failure.At.IsZero() {
			t.Errorf("there are %+v", b)
		}
		if p.store(t, p.ready.ID).Status != store.Ready {
			t.Error("the store is not ready any more")
		}
		if err := p.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		p.backUp(t, "") // another one can be asked for
	})
}

// A store has one backup at a time, only while it is ready, and only if there is a target.
func TestBackupIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		want := func(why string, actor store.Actor, id, note string, code store.Code) {
			t.Helper()
			if _, err := p.db.BackUp(t.Context(), actor, id, note); store.ErrorCode(err) != code {
				t.Errorf("%s is answered with %v", why, err)
			}
		}
		want("no target", p.actor, p.ready.ID, "", store.Conflict)
		p.target(t, "off-site")
		stranger, _ := storetest.Actor(t, p.db, "noor")
		viewer := store.Actor{UserID: "viewer", Roles: map[string]store.Role{p.team: store.Viewer}}
		want("a stranger", stranger, p.ready.ID, "", store.NotFound)
		want("a viewer", viewer, p.ready.ID, "", store.Forbidden)
		want("a long note", p.actor, p.ready.ID, strings.Repeat("n", 201), store.Invalid)
		p.backUp(t, "")
		want("a second one", p.actor, p.ready.ID, "", store.Conflict)
		want("a store that is not ready", p.actor, p.create(t, "New").ID, "", store.Conflict)
		if _, err := p.db.Backups(t.Context(), stranger, p.ready.ID); store.ErrorCode(err) != store.NotFound {
			t.Errorf("a stranger who looks is answered with %v", err)
		}
	})
}

// A change takes the place of a backup: half of it would be of the time before. The change is done once
// the backup's holder has let go.
func TestChangeCancelsBackup(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		c := p.backUp(t, "")
		if _, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		if err := p.db.RecordPoint(t.Context(), c, wholeManifest()); !errors.Is(err, store.ErrStale) {
			t.Errorf("the point is recorded nevertheless: %v", err)
		}
		limit := store.Concurrency{Removals: 1, Backups: 1}
		if other, ok, err := p.db.Claim(t.Context(), "two", time.Minute, limit); ok || err != nil {
			t.Errorf("%s is claimed while the backup is held, %v", other.Job.Kind, err)
		}
		if err := p.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if next, ok, err := p.db.Claim(t.Context(), "two", time.Minute, limit); !ok || err != nil || next.Job.Kind != store.RemoveJob {
			t.Errorf("%s is claimed afterwards: %t, %v", next.Job.Kind, ok, err)
		}
		if got := p.told(t); got != "backup.asked/ backup.cancelled/" {
			t.Errorf("told are %s", got)
		}
	})
}

// Backups and checks of one store exclude each other; so many are made at once as the limit says.
func TestBackupsAreLimited(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		other := p.create(t, "Other")
		p.complete(t, p.claim(t, "one"))
		p.backUp(t, "")
		if _, err := p.db.BackUp(t.Context(), p.actor, other.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := p.db.CheckNow(t.Context(), p.actor, p.ready.ID); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []store.Concurrency{{Checks: 1, Backups: 1}, {Checks: 1}} {
			if c, ok, err := p.db.Claim(t.Context(), "two", time.Minute, limit); ok || err != nil {
				t.Errorf("%s of %s is claimed, %v", c.Job.Kind, c.Store.Name, err)
			}
		}
		if c, ok, err := p.db.Claim(t.Context(), "two", time.Minute, store.Concurrency{Backups: 2}); !ok || err != nil || c.Store.ID != other.ID {
			t.Errorf("%s of %s is claimed, %v", c.Job.Kind, c.Store.Name, err)
		}
	})
}

// Secrets are in no row in clear, and come back for the holder of a claim.
func TestSecretsOfBackupsAreSealed(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		c := p.backUp(t, "")
		r, err := p.db.RepositoryOf(t.Context(), c)
		if err != nil || r.Target.Secret != "hidden-off-site" || len(r.Password) < 40 || r.URL() != "s3:https://s3.example.com/shops/off-site/"+p.ready.ID {
			t.Fatalf("the repository is %+v, %v", r, err)
		}
		db := raw(t, url)
		for name, columns := range map[string]string{
			"backup_targets": "key_id, secret", "repositories": "store_id, password", "jobs": "args, note, result", "events": "object, data",
		} {
			for row := range rowsOf(t, db, columns, name) {
				if strings.Contains(row, "hidden-off-site") || strings.Contains(row, r.Password) {
					t.Errorf("a row of %s has a secret in clear", name)
				}
			}
		}
		listed, err := p.db.Targets(t.Context(), p.admin)
		if err != nil || len(listed) != 1 || listed[0].Secret != "" || listed[0].KeyID != "key" {
			t.Errorf("listed are %+v, %v", listed, err)
		}
		opened, err := p.db.OpenTarget(t.Context(), p.admin, listed[0].ID)
		if err != nil || opened.Secret != "hidden-off-site" {
			t.Errorf("opened it is %+v, %v", opened, err)
		}
	})
}

// The command line of the server shows where the points of a store are, and the audit log tells so.
func TestRepositoriesAreShownOnTheServer(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		if _, err := p.db.UnguardedRepositories(t.Context(), "none"); store.ErrorCode(err) != store.NotFound {
			t.Errorf("an unknown store is answered with %v", err)
		}
		if all, err := p.db.UnguardedRepositories(t.Context(), p.ready.Slug); len(all) != 0 || err != nil {
			t.Errorf("without points there are %+v, %v", all, err)
		}
		c := p.backUp(t, "")
		if err := p.db.RecordPoint(t.Context(), c, wholeManifest()); err != nil {
			t.Fatal(err)
		}
		want, err := p.db.RepositoryOf(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{p.ready.Slug, p.ready.ID} {
			if all, err := p.db.UnguardedRepositories(t.Context(), name); len(all) != 1 || err != nil || all[0] != want {
				t.Errorf("of %s there are %+v, %v", name, all, err)
			}
		}
		if got := p.told(t); strings.Count(got, "backup.repository_shown") != 2 {
			t.Errorf("told are %s", got)
		}
	})
}

// A secret key can be retired once everything is sealed with the one before it in the setting.
func TestSecretKeyCanBeReplaced(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		target := p.target(t, "off-site")
		c := p.backUp(t, "")
		first, err := p.db.RepositoryOf(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		without := storetest.Open(t, url, sealing(t, 2))
		if n, err := without.Reseal(t.Context()); n != 2 || err != nil {
			t.Errorf("%d values are unreadable, %v", n, err)
		}
		if _, err := without.RepositoryOf(t.Context(), c); !errors.Is(err, store.ErrSealed) {
			t.Errorf("without its key it is answered with %v", err)
		}
		if _, err := without.OpenTarget(t.Context(), p.admin, target.ID); store.ErrorCode(err) != store.Conflict {
			t.Errorf("without its key the target is answered with %v", err)
		}
		if n, err := storetest.Open(t, url, sealing(t, 2, 1)).Reseal(t.Context()); n != 0 || err != nil {
			t.Errorf("%d values are unreadable, %v", n, err)
		}
		if again, err := without.RepositoryOf(t.Context(), c); err != nil || again != first {
			t.Errorf("afterwards the new key opens %+v, %v", again, err)
		}
		none := storetest.Open(t, url)
		if _, err := none.RepositoryOf(t.Context(), c); err == nil {
			t.Error("a database without a sealer opens secrets")
		}
	})
}

func TestTargets(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		first := p.target(t, "first")
		second := p.target(t, "second")
		inUse := func() (names string) {
			t.Helper()
			targets, err := p.db.Targets(t.Context(), p.admin)
			if err != nil {
				t.Fatal(err)
			}
			for _, target := range targets {
				if target.InUse {
					names += target.Name
				}
			}
			return names
		}
		if got := inUse(); got != "second" {
			t.Errorf("in use is %q", got)
		}
		first.InUse, first.KeyID = true, "another"
		if _, err := p.db.SaveTarget(t.Context(), p.admin, first); err != nil {
			t.Fatal(err)
		}
		if opened, err := p.db.OpenTarget(t.Context(), p.admin, first.ID); err != nil || opened.Secret != "hidden-first" || opened.KeyID != "another" || inUse() != "first" {
			t.Errorf("saved without a secret it is %+v, %v", opened, err)
		}
		second.Name = "first"
		if _, err := p.db.SaveTarget(t.Context(), p.admin, second); store.ErrorCode(err) != store.Conflict {
			t.Errorf("a name twice is answered with %v", err)
		}
		first.Bucket = "elsewhere"
		first, err := p.db.SaveTarget(t.Context(), p.admin, first)
		if err != nil {
			t.Errorf("an empty target is not moved: %v", err)
		}
		p.backUp(t, "")
		first.Prefix = "moved"
		if _, err := p.db.SaveTarget(t.Context(), p.admin, first); store.ErrorCode(err) != store.Conflict {
			t.Errorf("a target that is moved under a backup is answered with %v", err)
		}
		for name, err := range map[string]error{
			"list": errOf(p.db.Targets(t.Context(), p.actor)), "read": errOf(p.db.Target(t.Context(), p.actor, first.ID)),
			"open": errOf(p.db.OpenTarget(t.Context(), p.actor, first.ID)), "add": errOf(p.db.AddTarget(t.Context(), p.actor, bucketTarget("x"))),
			"save": errOf(p.db.SaveTarget(t.Context(), p.actor, first)),
		} {
			if store.ErrorCode(err) != store.NotFound {
				t.Errorf("to %s as a member is answered with %v", name, err)
			}
		}
	})
}

// errOf is the error of a call.
func errOf[T any](_ T, err error) error { return err }
