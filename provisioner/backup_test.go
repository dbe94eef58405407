package provisioner_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// bucketSecret is the key's secret of the target that the tests use.
const bucketSecret = "hidden-in-the-target"

// startBackingUp runs a provisioner on a database with a backup target, until there is a store that is ready.
func startBackingUp(t *testing.T, name string) (*platform, store.Store) {
	t.Helper()
	sealer, err := store.NewSealer([][]byte{bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	p := startWith(t, func(url string) *database.DB { return storetest.Open(t, url, database.WithSealer(sealer)) },
		func(c *provisioner.Config) { c.Concurrency.Backups = 4 })
	p.backsUpEvery(t, 0)
	target := store.Target{Name: "Off-site", Endpoint: "https://10.9.8.7:9000", Bucket: "shops", KeyID: "key", Secret: bucketSecret, InUse: true}
	if _, err := p.db.AddTarget(t.Context(), storetest.Admin(t, p.db), target); err != nil {
		t.Fatal(err)
	}
	return p, p.wantReady(t, p.request(t, name))
}

// backsUpEvery changes how often the stores' plan has them backed up.
func (p *platform) backsUpEvery(t *testing.T, hours int) {
	t.Helper()
	plan, err := p.db.UnguardedPlan(t.Context(), store.StandardPlan)
	if err != nil {
		t.Fatal(err)
	}
	plan.BackupEvery = hours
	if err := p.db.SavePlan(t.Context(), storetest.Admin(t, p.db), plan); err != nil {
		t.Fatal(err)
	}
}

func (p *platform) backUp(t *testing.T, st store.Store) {
	t.Helper()
	if _, err := p.db.BackUp(t.Context(), p.actor, st.ID, "by hand"); err != nil {
		t.Fatal(err)
	}
}

func (p *platform) backups(t *testing.T, st store.Store) store.Backups {
	t.Helper()
	b, err := p.db.Backups(t.Context(), p.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// untilBackedUp waits for the end of the newest backup.
func (p *platform) untilBackedUp(t *testing.T, st store.Store) (b store.Backups) {
	t.Helper()
	p.until(t, st.ID, "backed up", func(store.Store) bool { b = p.backups(t, st); return b.Job.State != store.JobPending })
	return b
}

func (p *platform) backupJobs(t *testing.T, st store.Store) []batchv1.Job {
	t.Helper()
	jobs, err := p.admin.BatchV1().Jobs(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.LabelComponent + "=backup"})
	if err != nil {
		t.Fatal(err)
	}
	return jobs.Items
}

// wantCleared checks that nothing of a backup is left: its Secret goes with its Job.
func (p *platform) wantCleared(t *testing.T, st store.Store) {
	t.Helper()
	kubetest.Within(t, "nothing of the backup is left", func() bool {
		secrets, err := p.admin.CoreV1().Secrets(st.Namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range secrets.Items {
			if strings.HasPrefix(s.Name, "backup-") {
				return false
			}
		}
		policies, err := p.admin.NetworkingV1().NetworkPolicies(st.Namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, policy := range policies.Items {
			if strings.HasPrefix(policy.Name, "backup-") && policy.Name != "backup-out" {
				return false
			}
		}
		return len(p.backupJobs(t, st)) == 0
	})
}

// Nodes that run no containers write nothing, and the point says so.
func TestPointOfSimulatedNodes(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Pointed")
	p.backUp(t, st)
	b := p.untilBackedUp(t, st)
	if len(b.Points) != 1 || !b.Points[0].Manifest.Simulated || b.Points[0].Note != "by hand" || b.Points[0].Manifest.Revision != st.Revision || b.Points[0].Manifest.Chart != st.ChartVersion {
		t.Fatalf("there are %+v", b)
	}
	p.wantCleared(t, st)
	if now := p.untilStatus(t, st.ID, store.Ready); now.Job.ID != st.Job.ID || now.Revision != st.Revision {
		t.Errorf("the store is %+v", now)
	}
	events, err := p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if told := describe(events); err != nil || !strings.Contains(told, "Backup requested: by hand") || !strings.Contains(told, "Backed up: Simulated: nothing was written") {
		t.Errorf("the timeline, %v:\n%s", err, told)
	}
}

// A backup that was due while the platform was away is made once when it is back.
func TestScheduledBackup(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "On schedule")
	p.stop()
	p.backsUpEvery(t, 24)
	if b := p.backups(t, st); b.Every != 24 || !b.Next.After(time.Now()) {
		t.Errorf("a new store is backed up at %s", b.Next)
	}
	db := storetest.Beside(t, "sqlite:"+p.file)
	for _, statement := range []string{`UPDATE stores SET ready_at = 1`, `UPDATE backup_targets SET updated_at = 1`} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	p.run(t, func(c *provisioner.Config) { c.Concurrency.Backups = 4 })
	p.until(t, st.ID, "backed up", func(store.Store) bool { return len(p.backups(t, st).Points) == 1 })
	b := p.backups(t, st)
	if got := b.Points[0]; got.Reason != store.OnSchedule || got.AskedBy != (store.By{}) || !b.Next.After(got.BeganAt) || b.Job.Priority != store.Scheduled {
		t.Errorf("there are %+v", b)
	}
	p.wantCleared(t, st)
	p.stop()
	if begun, err := p.db.UnguardedStartScheduledBackups(t.Context(), st.ClusterID); begun != 0 || err != nil {
		t.Errorf("%d backups begin again, %v", begun, err)
	}
	events, err := p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if told := describe(events); err != nil || !strings.Contains(told, "Scheduled backup") {
		t.Errorf("the timeline, %v:\n%s", err, told)
	}
}

// Points that the plan doesn't keep go with the next backup, whose Job is told their snapshots.
func TestPointsThatAreNotKeptGoWithTheNextBackup(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Kept briefly")
	for range 2 {
		p.backUp(t, st)
		p.untilBackedUp(t, st)
		p.wantCleared(t, st)
	}
	points := p.backups(t, st).Points
	if len(points) != 2 {
		t.Fatalf("there are %+v", points)
	}
	db := storetest.Beside(t, "sqlite:"+p.file)
	for _, statement := range []string{
		`UPDATE restore_points SET note = ''`,
		`UPDATE restore_points SET manifest = '{"database":{"snapshot":"a1"},"files":{"snapshot":"b2"},"snapshot":"c3"}' WHERE id = '` + points[1].ID + `'`,
		`UPDATE repositories SET created_at = 1`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=backup")
	p.backUp(t, st)
	var name string
	kubetest.Within(t, "the backup runs", func() bool {
		jobs := p.backupJobs(t, st)
		if len(jobs) == 1 {
			name = jobs[0].Name
		}
		return len(jobs) == 1 && p.backups(t, st).Job.Step == store.StepManifest
	})
	secret, err := p.admin.CoreV1().Secrets(st.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil || string(secret.Data["forget"]) != "a1\nb2\nc3\n" || string(secret.Data["prune"]) != "yes\n" {
		t.Errorf("to be deleted are %q, to be pruned %q, %v", secret.Data["forget"], secret.Data["prune"], err)
	}
	if listed := p.backups(t, st).Points; len(listed) != 1 || listed[0].ID != points[0].ID {
		t.Errorf("listed are %+v", listed)
	}
	kubetest.Simulate(t, st.Namespace, "job-duration=none", "component=backup")
	if b := p.untilBackedUp(t, st); len(b.Points) != 2 || !b.Job.Cleanup.Forgotten || b.Job.Cleanup.Failed != "" {
		t.Errorf("there are %+v", b)
	}
	var left int
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM restore_points`).Scan(&left); err != nil || left != 2 {
		t.Errorf("%d points are left, %v", left, err)
	}
}

// The Job has what it needs for as long as it runs, and its secrets are in a Secret only. A program that
// ends meanwhile leaves it to the next.
func TestBackupGoesOnWithTheNextProgram(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Handed on")
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=backup")
	p.backUp(t, st)
	var job batchv1.Job
	kubetest.Within(t, "the backup runs", func() bool {
		jobs := p.backupJobs(t, st)
		if len(jobs) == 1 {
			job = jobs[0]
		}
		return len(jobs) == 1 && jobs[0].Status.Active == 1 && p.backups(t, st).Job.Step == store.StepManifest
	})
	text, err := job.Marshal()
	if err != nil || bytes.Contains(text, []byte(bucketSecret)) {
		t.Errorf("the Job has the key in clear, %v", err)
	}
	secret, err := p.admin.CoreV1().Secrets(st.Namespace).Get(t.Context(), job.Name, metav1.GetOptions{})
	if err != nil || !metav1.IsControlledBy(secret, &job) || !strings.Contains(string(secret.Data["credentials"]), bucketSecret) || len(secret.Data["password"]) < 40 ||
		string(secret.Data["repository"]) != "s3:https://10.9.8.7:9000/shops/"+st.ID {
		t.Errorf("the Secret is %+v, %v", secret, err)
	}
	policy, err := p.admin.NetworkingV1().NetworkPolicies(st.Namespace).Get(t.Context(), job.Name, metav1.GetOptions{})
	if err != nil || !metav1.IsControlledBy(policy, &job) || policy.Spec.Egress[0].To[0].IPBlock.CIDR != "10.9.8.7/32" {
		t.Errorf("the way out is %+v, %v", policy, err)
	}
	p.stop()
	p.run(t, func(c *provisioner.Config) { c.Concurrency.Backups = 4 })
	kubetest.Simulate(t, st.Namespace, "job-duration=none", "component=backup")
	if b := p.untilBackedUp(t, st); len(b.Points) != 1 || b.Job.State != store.JobDone {
		t.Errorf("there are %+v", b)
	}
	p.wantCleared(t, st)
}

func TestBackupThatFailsIsToldAndLeavesNoPoint(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Unpointed")
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=backup")
	p.backUp(t, st)
	b := p.untilBackedUp(t, st)
	if len(b.Points) != 0 || b.Job.Failure.Code != store.BackupStepFailed || !strings.Contains(b.Job.Failure.Facts.Quote, "simulated failure") {
		t.Errorf("there are %+v", b)
	}
	p.wantCleared(t, st)
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=backup")
	p.backUp(t, st)
	if b := p.untilBackedUp(t, st); len(b.Points) != 1 {
		t.Errorf("afterwards there are %+v", b)
	}
}

// A removal doesn't wait for a backup: it is cancelled, and its Job is deleted first.
func TestRemovalCancelsBackup(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Interrupted")
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=backup")
	p.backUp(t, st)
	kubetest.Within(t, "the backup runs", func() bool { return len(p.backupJobs(t, st)) == 1 })
	began := time.Now()
	if _, err := p.db.RequestDelete(t.Context(), p.actor, st.ID, store.DeleteRequest{}); err != nil {
		t.Fatal(err)
	}
	st = p.until(t, st.ID, "deleted", func(now store.Store) bool { return now.Status == store.Deleted })
	p.wantGone(t, st)
	if took := time.Since(began); took > 5*time.Minute {
		t.Errorf("the removal took %s", took)
	}
}
