package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
)

// ready makes all stores ready since ten days.
func (s site) ready() {
	s.t.Helper()
	s.change(fmt.Sprintf(`UPDATE stores SET status = 'ready', observed_generation = generation, ready_at = %d`, time.Now().Add(-10*24*time.Hour).UnixMicro()))
	s.change(`UPDATE jobs SET state = 'done', ended_at = asked_at`)
}

func TestAllBackupsAtAGlance(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	wantSaid(t, "without a target", s.get(b, "/admin/backups"), http.StatusOK, "No backups yet", `href="/admin/targets/new"`)
	page := s.create(b, "Tea <Tonic>")
	s.submit(b, "/admin/targets", targetForm("Off-site", "https://s3.example.com"))
	got := s.get(b, "/admin/backups")
	wantSaid(t, "a new store", got, http.StatusOK, "Off-site", "In use", "Tea &lt;Tonic&gt;", `href="`+page+`/backups"`, "When the store is ready", "1–1 of 1")
	if strings.Contains(got.body, "sw-st-warn") {
		t.Error("a new store needs attention")
	}
	s.ready()
	wantSaid(t, "a store without a point", s.get(b, "/admin/backups?show=attention"), http.StatusOK, "sw-st-warn", "Plan: every 24 hours", "Next scheduled backups", "1 due within a day", `data-as="until"`)
	wantSaid(t, "no failing ones", s.get(b, "/admin/backups?show=failing"), http.StatusOK, "No backup is failing", "0 of 0")
	s.submit(b, page+"/backups", nil)
	wantSaid(t, "a backup in progress", s.get(b, "/admin/backups"), http.StatusOK, "In progress")
	const failure = `{"failure":{"code":"backup_step_failed","facts":{"doing":"upload","exit_code":1,"quote":"<denied>"}}}`
	s.change(`UPDATE jobs SET state = 'failed', ended_at = $1, result = $2 WHERE kind = 'backup'`, time.Now().UnixMicro(), failure)
	wantSaid(t, "a failed backup", s.get(b, "/admin/backups?show=failing&q=tEA"), http.StatusOK, "Backups to Off-site fail", "1 backup of 1 store has failed since",
		"The container upload ended with exit code 1: &lt;denied&gt;", `value="failing"`, `href="/admin/backups?q=tEA"`, "Failed")
	wantSaid(t, "another search", s.get(b, "/admin/backups?q=nothing"), http.StatusOK, "Nothing matches “nothing”")
	s.change(`INSERT INTO restore_points SELECT j.id, j.store_id, t.id, 'manual', '', '', '', '{"database":{"snapshot":"a","added":900000},"files":{"snapshot":"b","added":100000}}', $1, $1, 0 FROM jobs j, backup_targets t WHERE j.kind = 'backup'`,
		time.Now().UnixMicro())
	s.change(`UPDATE jobs SET state = 'done', result = '{}' WHERE kind = 'backup'`)
	got = s.get(b, "/admin/backups?page=7&show=unknown")
	if wantSaid(t, "a point", got, http.StatusOK, "1.0 MB", "Done", "1–1 of 1"); strings.Contains(got.body, "sw-st-warn") || strings.Contains(got.body, "fail since") {
		t.Errorf("it still needs attention: %s", got.body)
	}
	s.change(`UPDATE plans SET backup_every = 0`)
	wantSaid(t, "a plan without backups", s.get(b, "/admin/backups"), http.StatusOK, "Not scheduled")
	s.change(`UPDATE backup_targets SET in_use = FALSE`)
	s.change(`UPDATE plans SET backup_every = 24`)
	wantSaid(t, "no target in use", s.get(b, "/admin/backups"), http.StatusOK, "No backup target is in use", "No target in use")
}

// An administrator of the installation reads how the stores of other teams are backed up, whose pages stay theirs.
func TestBackupsOfOtherTeamsLeadNowhere(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	s.submit(b, "/admin/targets", targetForm("Off-site", "https://s3.example.com"))
	owner := s.person("owner")
	page := s.create(owner, "Nordwind")
	if got := s.get(b, "/admin/backups?q=owner"); got.status != http.StatusOK || !strings.Contains(got.body, "Nordwind") || strings.Contains(got.body, page) {
		t.Errorf("the overview: %d %s", got.status, got.body)
	}
	if got := s.get(owner, "/admin/backups"); got.status != http.StatusNotFound {
		t.Errorf("the overview by an owner: %d", got.status)
	}
}

func TestAllBackupsStayLive(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.openBrowser()
	s.submit(s.developer(), "/admin/targets", targetForm("Off-site", "https://s3.example.com"))
	page := s.create(s.developer(), "Nordwind")
	b.Visit(s.url + "/admin/backups")
	b.Until(isLive)
	s.ready()
	s.submit(s.developer(), page+"/backups", nil)
	b.Until(`document.getElementById("backup-stores").innerText.includes("In progress")`)
}

func TestProgramsReadAllBackups(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.administering()
	st := p.make("Tea & Tonic")
	s.offSite()
	s.makeReady(st.ID)
	s.ready()
	o := read[v1.BackupOverview](t, p.call("GET", "/backups/overview?show=attention&q=tea", nil), 200)
	if o.Total != 1 || o.Counts != (v1.BackupCounts{All: 1, Attention: 1}) || len(o.Targets) != 1 || !o.Targets[0].InUse || o.Targets[0].FailingSince != nil {
		t.Errorf("there are %+v", o)
	}
	if one := o.Stores[0]; one.Store != st.ID || !one.Late || one.NewestPointAt != nil || one.NextBackupAt == nil || one.Failure != nil || one.LastDrill != "" {
		t.Errorf("the store is %+v", one)
	}
	p.call("POST", "/stores/"+st.ID+"/backups", nil)
	s.change(`UPDATE jobs SET state = 'failed', ended_at = $1, result = '{"failure":{"code":"backup_overdue","facts":{"doing":"upload"}}}' WHERE kind = 'backup'`, time.Now().UnixMicro())
	o = read[v1.BackupOverview](t, p.call("GET", "/backups/overview?show=failing&limit=1", nil), 200)
	if o.Total != 1 || o.Stores[0].Failure == nil || o.Targets[0].FailedBackups != 1 || o.Targets[0].Failure.Title != "Backup timed out" {
		t.Errorf("after a failure there are %+v", o)
	}
	if o := read[v1.BackupOverview](t, p.call("GET", "/backups/overview?q=nothing", nil), 200); o.Total != 0 || o.Stores == nil {
		t.Errorf("found are %+v", o)
	}
}
