package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

const hiddenSecret = "hidden-secret"

// offSite makes sure that there is a backup target in use.
func (s site) offSite() {
	s.t.Helper()
	admin := storetest.Admin(s.t, s.db)
	targets, err := s.db.Targets(s.t.Context(), admin)
	if err != nil {
		s.t.Fatal(err)
	}
	if slices.ContainsFunc(targets, func(t store.Target) bool { return t.InUse }) {
		return
	}
	target := store.Target{Name: "Off-site", Endpoint: "https://s3.example.com", Bucket: "shops", KeyID: "key", Secret: hiddenSecret, InUse: true}
	if _, err := s.db.AddTarget(s.t.Context(), admin, target); err != nil {
		s.t.Fatal(err)
	}
}

// makeReady has the store be ready, which nothing else makes it here.
func (s site) makeReady(storeID string) {
	s.t.Helper()
	s.change(`UPDATE stores SET status = 'ready', observed_generation = generation WHERE id = $1`, storeID)
	s.change(`UPDATE jobs SET state = 'done', ended_at = asked_at WHERE store_id = $1`, storeID)
}

const pointManifest = `{"chart":"0.1.0","revision":3,"generation":4,"version":"11.0.1","locked_tables":2,"contents":{"counted":true,"orders":1204,"products":310,"customers":1},"snapshot":"c","database":{"snapshot":"a","bytes":100000000,"added":900000,"took":2500000000},"files":{"snapshot":"b","files":7,"bytes":154000000,"took":500000000}}`

const insertPoint = `
	INSERT INTO restore_points (id, store_id, target_id, reason, note, asked_by, asked_by_name, manifest, began_at, ended_at)
	SELECT j.id, j.store_id, t.id, 'manual', 'before the <sale>', '', 'Mara', $2, 1000000, 4500000 FROM jobs j, backup_targets t WHERE j.id = $1 AND t.in_use`

// pointFrom records the restore point that a backup was to make.
func (s site) pointFrom(backup string) {
	s.t.Helper()
	s.change(insertPoint, backup, pointManifest)
	s.change(`UPDATE jobs SET state = 'done', step = 'manifest', began_at = asked_at, ended_at = asked_at WHERE id = $1`, backup)
}

// pointOf is a new store of the team and a restore point of it.
func (s site) pointOf(team string) (storeID, point string) {
	s.t.Helper()
	s.offSite()
	storeID = s.storeOf(team)
	s.makeReady(storeID)
	job, err := s.db.BackUp(s.t.Context(), s.ownerOf(team), storeID, "tried")
	if err != nil {
		s.t.Fatal(err)
	}
	s.pointFrom(job.ID)
	return storeID, job.ID
}

func TestProgramsBackUpStores(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Tea & Tonic")
	one := "/stores/" + st.ID
	if list := read[v1.PointList](t, p.call("GET", one+"/points", nil), 200); list.Points == nil || len(list.Points) != 0 || list.Backup != nil || list.Target != "" {
		t.Errorf("at first there are %+v", list)
	}
	s.makeReady(st.ID)
	p.wantProblem(p.call("POST", one+"/backups", nil), 409, "conflict")
	s.offSite()
	if shown := read[v1.Store](t, p.call("GET", one, nil), 200); !slices.Contains(shown.Can, "backup") {
		t.Errorf("what can be done is %v", shown.Can)
	}
	long := p.wantProblem(p.call("POST", one+"/backups", `{"note": "`+strings.Repeat("n", 201)+`"}`), 422, "invalid")
	if len(long.Errors) != 1 || long.Errors[0].Pointer != "#/note" {
		t.Errorf("a long note is told at %+v", long.Errors)
	}
	got := p.call("POST", one+"/backups", `{"note": " before  the <sale> "}`)
	asked := read[v1.Backup](t, got, 202)
	if asked.State != store.JobPending || asked.Store != st.ID || asked.Note != "before the <sale>" || asked.Actor != "Developer" || asked.BeganAt != nil ||
		got.location != v1.Prefix+one+"/backups/"+asked.ID {
		t.Errorf("asked for %+v at %s", asked, got.location)
	}
	if again := p.wantProblem(p.call("POST", one+"/backups", nil), 409, "conflict"); again.Detail != "A backup of this store is already in progress." {
		t.Errorf("a second one is told %+v", again)
	}
	list := read[v1.PointList](t, p.call("GET", one+"/points", nil), 200)
	if len(list.Points) != 0 || list.Backup == nil || list.Backup.ID != asked.ID || list.Backup.State != store.JobPending || list.Target != "Off-site" {
		t.Errorf("meanwhile there are %+v", list)
	}
	detail := read[v1.BackupDetail](t, p.call("GET", one+"/backups/"+asked.ID, nil), 200)
	if !detail.Work.Running || detail.Work.Title != "Backing up the store" || len(detail.Work.Steps) != len(store.BackupSteps()) || detail.Work.Steps[0].State != "running" {
		t.Errorf("the backup is %+v", detail)
	}
	s.pointFrom(asked.ID)
	point := read[v1.Point](t, p.call("GET", one+"/points/"+asked.ID, nil), 200)
	if point.Bytes != 254_000_000 || point.Added != 900_000 || point.Locked != 2 || point.Seconds != 3.5 || point.Target != "Off-site" || point.Reason != store.Manual ||
		point.Note != "before the <sale>" || point.Actor != "Mara" || point.Chart != "0.1.0" || point.Revision != 3 || point.Generation != 4 || point.Simulated ||
		point.Manifest != "c" || *point.Database != (v1.PointPart{Snapshot: "a", Bytes: 100_000_000, Added: 900_000, Seconds: 2.5}) || point.Files.Files != 7 || point.Version != "11.0.1" ||
		point.Contents == nil || *point.Contents != (v1.PointContents{Orders: 1204, Products: 310, Customers: 1}) {
		t.Errorf("the point is %+v", point)
	}
	if list := p.call("GET", one+"/points", nil); strings.Contains(list.body, hiddenSecret) || len(read[v1.PointList](t, list, 200).Points) != 1 {
		t.Errorf("afterwards there are %s", list.body)
	}
}

func TestProgramsAreToldWhyABackupFailed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Tea & Tonic")
	s.makeReady(st.ID)
	s.offSite()
	asked := read[v1.Backup](t, p.call("POST", "/stores/"+st.ID+"/backups", nil), 202)
	s.change(`UPDATE jobs SET state = 'failed', ended_at = asked_at, result = '{"failure":{"code":"repository_foreign","facts":{"name":"Off-site"}}}' WHERE id = $1`, asked.ID)
	newest := read[v1.PointList](t, p.call("GET", "/stores/"+st.ID+"/points", nil), 200).Backup
	if newest == nil || newest.State != store.JobFailed || newest.Failure == nil || newest.Failure.Code != "repository_foreign" ||
		newest.Failure.Title != "The repository has another password" || !strings.Contains(newest.Failure.Next, "prefix") || newest.EndedAt == nil {
		t.Errorf("the newest backup is %+v", newest)
	}
	if shown := read[v1.StoreDetail](t, p.call("GET", "/stores/"+st.ID, nil), 200); shown.Failure != nil || shown.Status != store.Ready {
		t.Errorf("the store is %+v", shown.Store)
	}
	p.wantProblem(p.call("GET", "/stores/"+st.ID+"/points/"+asked.ID, nil), 404, "not_found")
}

func TestOneKeyAsksForOneBackup(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Once")
	s.makeReady(st.ID)
	s.offSite()
	path, key := "/stores/"+st.ID+"/backups", "Idempotency-Key: nightly"
	first := read[v1.Backup](t, p.call("POST", path, `{"note": "a"}`, key), 202)
	if again := read[v1.Backup](t, p.call("POST", path, `{"note": "a"}`, key), 202); again.ID != first.ID {
		t.Errorf("the same request makes %s and %s", first.ID, again.ID)
	}
	other := p.wantProblem(p.call("POST", path, `{"note": "b"}`, key), 422, "invalid")
	if len(other.Errors) != 1 || other.Errors[0].Header != "Idempotency-Key" {
		t.Errorf("the key is named in %+v", other.Errors)
	}
	s.pointFrom(first.ID)
	if later := read[v1.Backup](t, p.call("POST", path, `{"note": "a"}`, key), 202); later.ID != first.ID || later.State != store.JobDone {
		t.Errorf("later it is %+v", later)
	}
}

func TestProgramsReadPointsPageByPage(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st, other := p.make("Shop"), p.make("Other")
	s.offSite()
	want := []string{}
	for _, id := range []string{st.ID, st.ID, st.ID, other.ID} {
		s.makeReady(id)
		made := read[v1.Backup](t, p.call("POST", "/stores/"+id+"/backups", nil), 202)
		s.pointFrom(made.ID)
		s.change(`UPDATE restore_points SET ended_at = ended_at + $2 WHERE id = $1`, made.ID, 1000*len(want))
		want = append(want, made.ID)
	}
	elsewhere := want[3]
	want = want[:3]
	slices.Reverse(want)
	got := []string{}
	for cursor := ""; ; {
		page := read[v1.PointList](t, p.call("GET", "/stores/"+st.ID+"/points?limit=1&cursor="+cursor, nil), 200)
		if len(page.Points) != 1 {
			t.Fatalf("a page is %+v", page)
		}
		got = append(got, page.Points[0].ID)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the points are %v, want %v", got, want)
	}
	next := read[v1.PointList](t, p.call("GET", "/stores/"+st.ID+"/points?limit=1", nil), 200).Next
	for what, path := range map[string]string{
		"a cursor of another store": "/stores/" + other.ID + "/points?cursor=" + next, "no cursor": "/stores/" + st.ID + "/points?cursor=x",
	} {
		if problem := p.wantProblem(p.call("GET", path, nil), 422, "invalid"); len(problem.Errors) != 1 || problem.Errors[0].Parameter != "cursor" {
			t.Errorf("%s is told at %+v", what, problem.Errors)
		}
	}
	for _, path := range []string{"/points/", "/backups/"} {
		p.wantProblem(p.call("GET", "/stores/"+st.ID+path+elsewhere, nil), 404, "not_found")
		p.wantProblem(p.call("GET", "/stores/"+st.ID+path+uuid.NewString(), nil), 404, "not_found")
	}
}

// administering is a program with a token for the installation.
func (s site) administering() program {
	s.t.Helper()
	if err := s.db.MakeAdmin(s.t.Context(), store.Actor{Admin: true}, s.theDeveloper().UserID); err != nil {
		s.t.Fatal(err)
	}
	return s.programOf(s.theDeveloper(), append(everyScope(), store.Administer)...)
}

// bucketService serves the bucket shops until the test ends.
func bucketService(t testing.TB) (url string) {
	t.Helper()
	objects := s3mem.New()
	if err := objects.CreateBucket("shops"); err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(gofakes3.New(objects).Server())
	t.Cleanup(service.Close)
	return service.URL
}

func newTarget(name, endpoint string) v1.NewTarget {
	return v1.NewTarget{Secret: hiddenSecret, TargetSettings: v1.TargetSettings{
		Name: name, Endpoint: endpoint, Bucket: "shops", Prefix: "points", KeyID: "key", PathStyle: true, InUse: true,
	}}
}

func TestProgramsManageTargets(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, endpoint := s.administering(), bucketService(t)
	made := p.call("POST", "/targets", newTarget("Off-site", endpoint+"/"))
	target := read[v1.Target](t, made, 201)
	if target.Endpoint != endpoint || !target.InUse || !target.PathStyle || target.Prefix != "points" || target.KeyID != "key" || target.CreatedAt.IsZero() || made.location != v1.Prefix+"/targets/"+target.ID {
		t.Errorf("added at %s: %+v", made.location, target)
	}
	p.wantProblem(p.call("POST", "/targets", newTarget("Off-site", endpoint)), 409, "conflict")
	second := read[v1.Target](t, p.call("POST", "/targets", newTarget("Second", endpoint)), 201)
	one := "/targets/" + target.ID
	if shown := read[v1.Target](t, p.call("GET", one, nil), 200); shown.InUse {
		t.Error("two targets are in use")
	}
	if test := read[v1.TargetTest](t, p.call("POST", one+"/test", nil), 200); !test.OK || test.Versioning || test.ObjectLock || test.Message != "An object was written, listed, read and deleted. Versioning and object lock are off." {
		t.Errorf("the test came to %+v", test)
	}
	changed := target.TargetSettings
	changed.Name, changed.Bucket, changed.InUse = "Moved", "another", true
	if got := read[v1.Target](t, p.call("PUT", one, v1.ChangedTarget{TargetSettings: changed}), 200); got.Name != "Moved" || got.Bucket != "another" || !got.InUse || got.ID != target.ID || !got.CreatedAt.Equal(target.CreatedAt) {
		t.Errorf("changed to %+v", got)
	}
	if test := read[v1.TargetTest](t, p.call("POST", one+"/test", nil), 200); test.OK || test.Message != "Writing an object failed: The specified bucket does not exist (NoSuchBucket)." {
		t.Errorf("without a bucket the test came to %+v", test)
	}
	s.change(`UPDATE backup_targets SET secret = 'sealed with another key' WHERE id = $1`, second.ID)
	if test := read[v1.TargetTest](t, p.call("POST", "/targets/"+second.ID+"/test", nil), 200); test.OK || !strings.Contains(test.Message, "Enter the secret access key again.") {
		t.Errorf("with a key that can't be read the test came to %+v", test)
	}
	if opened, err := s.db.OpenTarget(t.Context(), storetest.Admin(t, s.db), target.ID); err != nil || opened.Secret != hiddenSecret {
		t.Errorf("the key is %q now, %v", opened.Secret, err)
	}
	list := read[struct{ Targets []v1.Target }](t, p.call("GET", "/targets", nil), 200).Targets
	if len(list) != 2 || list[0].ID != target.ID || list[1].ID != second.ID || list[1].InUse {
		t.Errorf("the targets are %+v", list)
	}
	if got := p.call("DELETE", "/targets/"+second.ID, nil); got.status != 204 {
		t.Errorf("deleted: %d %s", got.status, got.body)
	}
	p.wantProblem(p.call("DELETE", "/targets/"+second.ID, nil), 404, "not_found")
	if audit := p.call("GET", "/audit?group=installation", nil); !strings.Contains(audit.body, `"target.deleted"`) || !strings.Contains(audit.body, `"target.added"`) || !strings.Contains(audit.body, `"target.changed"`) {
		t.Errorf("the audit log is %s", audit.body)
	}
}

// An object's secret goes in and never out.
func TestSecretsOfTargetsAreNeverReturned(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.administering()
	made := p.call("POST", "/targets", newTarget("Off-site", bucketService(t)))
	one := "/targets/" + read[v1.Target](t, made, 201).ID
	for what, got := range map[string]answer{
		"added": made, "listed": p.call("GET", "/targets", nil), "shown": p.call("GET", one, nil), "tested": p.call("POST", one+"/test", nil),
		"changed": p.call("PUT", one, v1.ChangedTarget{TargetSettings: newTarget("New", bucketService(t)).TargetSettings, Secret: hiddenSecret}),
		"refused": p.call("PUT", one, v1.ChangedTarget{Secret: hiddenSecret}),
		"audited": p.call("GET", "/audit", nil), "told": p.call("GET", "/activity", nil),
	} {
		if got.status >= 400 && what != "refused" || strings.Contains(got.body, hiddenSecret) || strings.Contains(got.body, `"secret"`) {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	if strings.Contains(s.log.String(), hiddenSecret) {
		t.Error("the log has the secret")
	}
}

func TestWhatIsWrongWithATargetIsToldAtItsField(t *testing.T) {
	t.Parallel()
	p := serve(t).administering()
	for at, change := range map[string]func(*v1.NewTarget){
		"#/name": func(n *v1.NewTarget) { n.Name = " " }, "#/endpoint": func(n *v1.NewTarget) { n.Endpoint = "s3.example.com" },
		"#/bucket": func(n *v1.NewTarget) { n.Bucket = "No" }, "#/prefix": func(n *v1.NewTarget) { n.Prefix = "../x" },
		"#/region": func(n *v1.NewTarget) { n.Region = "Here!" }, "#/ca": func(n *v1.NewTarget) { n.CA = "none" },
		"#/key_id": func(n *v1.NewTarget) { n.KeyID = "a b" }, "#/secret": func(n *v1.NewTarget) { n.Secret = "" },
	} {
		n := newTarget("Off-site", "https://s3.example.com")
		change(&n)
		problem := p.wantProblem(p.call("POST", "/targets", n), 422, "invalid")
		if len(problem.Errors) != 1 || problem.Errors[0].Pointer != at {
			t.Errorf("what is wrong at %s is told as %+v", at, problem)
		}
	}
	p.wantProblem(p.call("POST", "/targets", `{"name": "x", "endpoint": "https://s3.example.com", "bucket": "shops", "key_id": "key", "secret": "s"}`), 422, "invalid") // in use or not
}

// A target with points stays where it is; whoever is no administrator any more finds none, whatever the token may.
func TestWhoAndWhenTargetsAreRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.administering()
	team := s.theDeveloper().Teams(store.ViewStores)[0]
	s.pointOf(team)
	target := read[struct{ Targets []v1.Target }](t, p.call("GET", "/targets", nil), 200).Targets[0]
	moved := target.TargetSettings
	moved.Bucket = "another"
	problem := p.wantProblem(p.call("PUT", "/targets/"+target.ID, v1.ChangedTarget{TargetSettings: moved}), 409, "conflict")
	if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "#/bucket" {
		t.Errorf("a move is told as %+v", problem)
	}
	p.wantProblem(p.call("DELETE", "/targets/"+target.ID, nil), 409, "conflict")
	ordinary := s.program(everyScope()...)
	ordinary.wantProblem(ordinary.call("GET", "/targets", nil), 403, "scope_missing")
	s.change(`UPDATE users SET admin = FALSE`)
	for route, sent := range map[string]any{
		"GET /targets": nil, "POST /targets": newTarget("Mine", "https://s3.example.com"), "GET /targets/" + target.ID: nil,
		"PUT /targets/" + target.ID: v1.ChangedTarget{TargetSettings: target.TargetSettings}, "POST /targets/" + target.ID + "/test": nil,
		"DELETE /targets/" + target.ID: nil,
	} {
		method, path, _ := strings.Cut(route, " ")
		if got := p.call(method, path, sent); got.status != http.StatusNotFound || strings.Contains(got.body, "s3.example.com") {
			t.Errorf("%s of who is no administrator: %d %s", route, got.status, got.body)
		}
	}
}

// An upgrade or a deletion waits for its backup, and isn't started if that fails.
func TestProgramsHaveStoresBackedUpFirst(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Tea & Tonic")
	s.makeReady(st.ID)
	s.offSite()
	one := "/stores/" + st.ID
	if asked := read[v1.Store](t, p.call("DELETE", one, nil), 202); asked.Status != store.Deleting || asked.Message != "Waiting for the backup" || !slices.Contains(asked.Can, "cancel") {
		t.Errorf("a deletion is %+v", asked)
	}
	if kept := read[v1.Store](t, p.call("POST", one+"/cancel", nil), 202); kept.Status != store.Ready || kept.Aborted != nil {
		t.Errorf("cancelled it is %+v", kept)
	}
	read[v1.Store](t, p.call("DELETE", one, nil), 202)
	c, ok, err := s.db.Claim(t.Context(), "test", time.Minute, store.Concurrency{Backups: 1})
	if err != nil || !ok || c.Job.Point.Reason != store.BeforeDeletion {
		t.Fatalf("claimed is %+v, %v", c.Job, err)
	}
	if err := s.db.FailBackup(t.Context(), c, store.Failure{Code: store.BackupOverdue}); err != nil {
		t.Fatal(err)
	}
	if shown := read[v1.StoreDetail](t, p.call("GET", one, nil), 200); shown.Status != store.Ready || shown.Failure != nil || shown.Aborted == nil || shown.Aborted.Code != "backup_overdue" || !strings.Contains(shown.Aborted.Next, "without a backup") {
		t.Errorf("after the backup failed it is %+v", shown.Store)
	}
	if asked := read[v1.Store](t, p.call("DELETE", one+"?backup=false", nil), 202); asked.Status != store.Deleting || asked.Message != "" {
		t.Errorf("without a backup it is %+v", asked)
	}
}
