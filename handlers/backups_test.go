package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func targetForm(name, endpoint string) url.Values {
	return url.Values{
		"name": {name}, "endpoint": {endpoint}, "bucket": {"shops"}, "prefix": {""}, "region": {""}, "key_id": {"key"}, "secret": {"hidden-secret"}, "path_style": {"on"}, "in_use": {"on"},
	}
}

// wantSaid checks that a page has all of these words, and never the key.
func wantSaid(t *testing.T, what string, got answer, status int, words ...string) {
	t.Helper()
	if got.status != status || strings.Contains(got.body, "hidden-secret") {
		t.Errorf("%s: %d %s", what, got.status, got.body)
	}
	for _, w := range words {
		if !strings.Contains(got.body, w) {
			t.Errorf("%s doesn’t say %q: %s", what, w, got.body)
		}
	}
}

func TestBackupTargetIsAddedTestedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	service := bucketService(t)
	s := open(prepare(t))
	b := s.developer()
	wantSaid(t, "an empty list", s.get(b, "/admin/targets"), http.StatusOK, "No backup targets", "Add target")
	wantSaid(t, "a wrong endpoint", s.post(b, "/admin/targets", targetForm("Off-site", "s3.example.com")), http.StatusUnprocessableEntity,
		"Enter the URL of the S3 service", `value="s3.example.com"`, `value="Off-site"`, `aria-invalid="true"`)
	list := s.submit(b, "/admin/targets", targetForm("Off-site", service))
	wantSaid(t, "the list", list, http.StatusOK, "Off-site", service+"/shops", "In use")
	_, rest, _ := strings.Cut(list.body, `action="/admin/targets/`)
	id, _, _ := strings.Cut(rest, "/")
	wantSaid(t, "a test", s.post(b, "/admin/targets/"+id+"/test", nil), http.StatusOK, "An object was written, listed, read and deleted. Versioning and object lock are off.")
	form := targetForm("Off-site 2", service)
	form.Set("secret", "")
	form.Set("bucket", "another")
	wantSaid(t, "a change", s.submit(b, "/admin/targets/"+id, form), http.StatusOK, "Off-site 2", service+"/another")
	wantSaid(t, "the form", s.get(b, "/admin/targets/"+id), http.StatusOK, `value="another"`, "Leave it empty to keep the present one")
	wantSaid(t, "a test without a bucket", s.post(b, "/admin/targets/"+id+"/test", nil), http.StatusOK, "Writing an object failed: The specified bucket does not exist (NoSuchBucket).")
	s.create(b, "Tea & Tonic")
	s.change(`INSERT INTO restore_points SELECT 'point', id, $1, 'manual', '', '', '', '{}', 1, 2, 0 FROM stores`, id)
	wantSaid(t, "a deletion with points", s.post(b, "/admin/targets/"+id+"/delete", nil), http.StatusConflict, "Off-site 2", "This target holds restore points, which would be lost.")
	s.change(`DELETE FROM restore_points`)
	wantSaid(t, "a deletion", s.submit(b, "/admin/targets/"+id+"/delete", nil), http.StatusOK, "No backup targets")
	wantSaid(t, "the audit log", s.get(b, "/audit"), http.StatusOK, "added the backup target", "changed the backup target", "deleted the backup target")
}

func TestBackupIsAskedForOnTheTab(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	page := s.create(b, "Tea & Tonic")
	wantSaid(t, "without a target", s.get(b, page+"/backups"), http.StatusOK, "No backup target is in use. Add one under Administration", "No restore points yet")
	s.submit(b, "/admin/targets", targetForm("Off-site", "https://s3.example.com"))
	wantSaid(t, "before it is ready", s.get(b, page+"/backups"), http.StatusOK, "The store can be backed up when it is ready.")
	wantSaid(t, "a press before it is ready", s.post(b, page+"/backups", nil), http.StatusConflict, "Only a ready store can be backed up.")
	s.change(`UPDATE stores SET status = 'ready', observed_generation = generation`)
	s.change(`UPDATE jobs SET state = 'done', ended_at = asked_at`)
	wantSaid(t, "the tab", s.get(b, page+"/backups"), http.StatusOK, "Back up now", "No restore points yet")
	wantSaid(t, "a long note", s.post(b, page+"/backups", url.Values{"note": {strings.Repeat("n", 201)}}), http.StatusUnprocessableEntity, "at most 200 characters")
	asked := s.submit(b, page+"/backups", url.Values{"note": {"before the <sale>"}})
	wantSaid(t, "the tab afterwards", asked, http.StatusOK, "Backup in progress: Queued")
	wantSaid(t, "a second press", s.post(b, page+"/backups", nil), http.StatusConflict, "A backup of this store is already in progress.")
	s.change(`UPDATE jobs SET state = 'failed', ended_at = asked_at, result = '{"failure":{"code":"repository_foreign","facts":{"name":"Off-site"}}}' WHERE kind = 'backup'`)
	wantSaid(t, "after a failure", s.get(b, page+"/backups"), http.StatusOK, "The repository has another password", "Choose another prefix for the target")
	s.change(`INSERT INTO restore_points SELECT j.id, j.store_id, t.id, 'manual', 'before the <sale>', '', '', '{"chart":"0.1.0","locked_tables":2,"contents":{"counted":true,"orders":1204,"products":310,"customers":1},"snapshot":"c","database":{"snapshot":"a","bytes":100000000,"added":900000},"files":{"snapshot":"b","bytes":154000000}}', 1000000, 4500000, 0 FROM jobs j, backup_targets t WHERE j.kind = 'backup'`)
	wantSaid(t, "a point", s.get(b, page+"/backups"), http.StatusOK, "254 MB", "900 kB", "before the &lt;sale&gt;", "Off-site", "2 tables locked meanwhile", "By hand", "1,204 orders, 310 products, 1 customer")
	s.change(`INSERT INTO restore_points SELECT 'older', p.store_id, p.target_id, 'manual', '', '', '', '{"contents":{"counted":true,"orders":4,"products":311,"customers":1},"snapshot":"c"}', 1000000, 4400000, 0 FROM restore_points p`)
	wantSaid(t, "what has changed", s.get(b, page+"/backups"), http.StatusOK, "1,204 orders (+1,200), 310 products (−1), 1 customer")
	wantSaid(t, "the next backup", s.get(b, page+"/backups"), http.StatusOK, "Next backup", `data-as="until"`)
	s.change(`UPDATE jobs SET state = 'done', args = '{"point":{"cleanup":{"points":["a","b"]}}}', result = '{"cleanup":{"failed":"exit code 1: <denied>"}}' WHERE kind = 'backup'`)
	s.change(`UPDATE plans SET backup_every = 0`)
	wantSaid(t, "after a cleanup that failed", s.get(b, page+"/backups"), http.StatusOK, "2 expired restore points couldn’t be deleted from the target: exit code 1: &lt;denied&gt;. The next backup tries again.", "Not scheduled by the plan")
	s.change(`UPDATE jobs SET result = '{"cleanup":{"forgotten":true,"failed":"exit code 124"}}' WHERE kind = 'backup'`)
	wantSaid(t, "after data was not deleted", s.get(b, page+"/backups"), http.StatusOK, "Unused data couldn’t be deleted from the target: exit code 124")
	wantSaid(t, "the activity", s.get(b, "/activity"), http.StatusOK, "requested a backup of")
}

func TestDrillIsStartedOnTheTab(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	page := s.create(b, "Tea & Tonic")
	s.submit(b, "/admin/targets", targetForm("Off-site", "https://s3.example.com"))
	s.ready()
	const button = `action="PAGE/drills"`
	offered := strings.ReplaceAll(button, "PAGE", page)
	got := s.get(b, page+"/backups")
	if wantSaid(t, "without a point", got, http.StatusOK, "No drill yet."); strings.Contains(got.body, offered) {
		t.Error("a drill of nothing is offered")
	}
	wantSaid(t, "a press without a point", s.post(b, page+"/drills", nil), http.StatusConflict, "This store has no restore point. Back it up first.")
	s.change(`INSERT INTO restore_points SELECT 'point', s.id, t.id, 'manual', '', '', '', '{"chart":"0.1.0","snapshot":"c","database":{"snapshot":"a"},"files":{"snapshot":"b"}}', $1, $1, 0 FROM stores s, backup_targets t`,
		time.Now().Add(-9*24*time.Hour).UnixMicro())
	s.change(`INSERT INTO counters (name, value) VALUES ('drills', 1)`)
	wantSaid(t, "with a point", s.get(b, page+"/backups"), http.StatusOK, offered, "A drill is overdue. The plan asks for one every 7 days, and none has passed yet.", "Next drill")
	running := s.submit(b, page+"/drills", nil)
	if wantSaid(t, "a drill", running, http.StatusOK, "Drill in progress, started", "Show its store"); strings.Contains(running.body, offered) {
		t.Error("a second drill is offered")
	}
	_, rest, _ := strings.Cut(running.body, `<a class="underline" href="`)
	drill, _, _ := strings.Cut(rest, `"`)
	wantSaid(t, "its store", s.get(b, drill+"/backups"), http.StatusOK, "This store was made for a drill.")
	wantSaid(t, "a second press", s.post(b, page+"/drills", nil), http.StatusConflict, "already in progress")
	now := time.Now().UnixMicro()
	s.change(`UPDATE drills SET began_at = $1, ended_at = $2, failure = '{"code":"restore_step_failed","facts":{"doing":"data","exit_code":1,"quote":"<denied>"}}'`, now-41_000_000, now)
	wantSaid(t, "a failure", s.get(b, page+"/backups"), http.StatusOK, "The last drill failed", "Restore failed: data. The container data ended with exit code 1: &lt;denied&gt;", "failed after 41 s.",
		"Fix the cause, then press Drill now.", offered)
	s.change(`INSERT INTO drills SELECT 'passed', store_id, point_id, made_at, $1, $2, '1043', FALSE, '{}' FROM drills`, now-30_000_000, now+9_000_000)
	got = s.get(b, page+"/backups")
	if wantSaid(t, "a drill that passed", got, http.StatusOK, "restored and sold order 1043 in 39 s.", "Proven to sell", "Earlier drills", "Restore failed: data"); strings.Contains(got.body, "overdue") {
		t.Errorf("it is still overdue: %s", got.body)
	}
	s.change(`UPDATE drills SET simulated = TRUE WHERE id = 'passed'`)
	if got := s.get(b, page+"/backups"); !strings.Contains(got.body, "simulated: nothing was restored.") || strings.Contains(got.body, "Proven to sell") {
		t.Errorf("a simulated drill proves %s", got.body)
	}
	s.change(`UPDATE drills SET failure = '{"code":"drill_cancelled"}' WHERE id = 'passed'`)
	s.change(`UPDATE plans SET drill_every = 0`)
	if got := s.get(b, page+"/backups"); !strings.Contains(got.body, "cancelled.") || !strings.Contains(got.body, "Drills are not scheduled by the plan") || strings.Contains(got.body, "The last drill failed") {
		t.Errorf("a cancelled drill is told as %s", got.body)
	}
}

func TestDeletionAsksForABackup(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	page := s.create(b, "Tea & Tonic")
	const box = `name="backup"`
	if got := s.get(b, page+"/delete"); strings.Contains(got.body, box) {
		t.Errorf("without a target the page has the box: %s", got.body)
	}
	s.submit(b, "/admin/targets", targetForm("Off-site", "https://s3.example.com"))
	s.change(`UPDATE stores SET status = 'ready', observed_generation = generation`)
	s.change(`UPDATE jobs SET state = 'done', ended_at = asked_at`)
	wantSaid(t, "the page", s.get(b, page+"/delete"), http.StatusOK, box+` value="on" checked`, "Make a restore point first")
	wrong := s.post(b, page+"/delete", url.Values{"confirm": {"Tea"}})
	if wantSaid(t, "a wrong name", wrong, http.StatusUnprocessableEntity, box); strings.Contains(wrong.body, box+` value="on" checked`) {
		t.Error("the box is checked again")
	}
	wantSaid(t, "the store", s.submit(b, page+"/delete", url.Values{"confirm": {"Tea & Tonic"}, "backup": {"on"}}), http.StatusOK, "Waiting for the backup", "Cancel deletion")
	wantSaid(t, "the backups", s.get(b, page+"/backups"), http.StatusOK, "Backup in progress")
	wantSaid(t, "cancelled", s.submit(b, page+"/cancel", nil), http.StatusOK, "Ready", "cancelled the deletion of")
}

func TestRecoveryKeyIsShownOnce(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	wantSaid(t, "without a key", s.get(b, "/admin/targets"), http.StatusOK, "Create recovery key")
	const secret = "AGE-SECRET-KEY-1"
	if got := s.submit(b, "/admin/recovery", nil); got.status != http.StatusOK || strings.Count(got.body, secret) != 1 {
		t.Errorf("the page after: %d %s", got.status, got.body)
	}
	again := s.get(b, "/admin/targets")
	if wantSaid(t, "afterwards", again, http.StatusOK, "None yet", "No backup target is in use", "Replace recovery key"); strings.Contains(again.body, secret) {
		t.Error("the key is shown again")
	}
	wantSaid(t, "another one by mistake", s.post(b, "/admin/recovery", nil), http.StatusConflict, "There is a recovery key already.")
	if got := s.submit(b, "/admin/recovery", url.Values{"replace": {"on"}}); !strings.Contains(got.body, secret) {
		t.Errorf("another one: %s", got.body)
	}
	s.submit(b, "/admin/targets", targetForm("Off-site", "https://s3.example.com"))
	s.change(`UPDATE recovery SET failed = 'writing an object failed: <denied>'`)
	wantSaid(t, "after a failure", s.get(b, "/admin/targets"), http.StatusOK, "The last backup of the database failed: writing an object failed: &lt;denied&gt;.")
	wantSaid(t, "the audit log", s.get(b, "/audit"), http.StatusOK, "created the recovery key")
}
