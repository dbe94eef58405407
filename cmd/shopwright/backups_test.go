package main_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

const hiddenSecret = "hidden-secret"

// bucketService serves the bucket shops until the test ends.
func bucketService(t *testing.T) (url string) {
	t.Helper()
	objects := s3mem.New()
	if err := objects.CreateBucket("shops"); err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(gofakes3.New(objects).Server())
	t.Cleanup(service.Close)
	return service.URL
}

// administrator is whose token may administer the installation, too.
func (p *process) administrator() cli {
	p.t.Helper()
	return p.cli(p.token(append(allScopes(), "installation")...))
}

// decode is what a command has written with -o json.
func decode[T any](t *testing.T, out string) (said T) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return said
}

// wantSecretless checks that nothing that was written or said has the secret.
func wantSecretless(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, hiddenSecret) {
			t.Errorf("the secret is in %s", text)
		}
	}
}

func TestTargetsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, "")
	p.start()
	c, endpoint := p.administrator(), bucketService(t)
	add := func(name string) []string {
		return []string{"targets", "add", name, "--endpoint", endpoint, "--bucket", "shops", "--key-id", "key", "--path-style"}
	}
	if _, said := c.want(2, add("Off-site")...); !strings.Contains(said, "set SHOPWRIGHT_TARGET_SECRET") {
		t.Errorf("without a secret it says %s", said)
	}
	code, out, said := c.run(hiddenSecret+"\n", append(add("Off-site"), "-o", "json")...)
	if code != 0 {
		t.Fatalf("a target with a secret from the standard input: %d %s%s", code, out, said)
	}
	target := decode[v1.Target](t, out)
	if target.Name != "Off-site" || !target.InUse || !target.PathStyle || target.Endpoint != endpoint {
		t.Errorf("added is %+v", target)
	}
	wantSecretless(t, out, said)
	withSecret := cli{t, append(c.env, "SHOPWRIGHT_TARGET_SECRET="+hiddenSecret)}
	if out, said := withSecret.want(0, append(add("Second"), "--no-use")...); !strings.Contains(out, "in use      no") {
		t.Errorf("added is\n%s%s", out, said)
	}
	withSecret.want(1, add("Second")...) // the name is taken
	if _, said := withSecret.want(2, "targets", "add", "Third", "--endpoint", endpoint, "--bucket", "No", "--key-id", "key"); !strings.Contains(said, "name of a bucket") {
		t.Errorf("of a wrong bucket it says %s", said)
	}
	out, said = c.want(0, "targets", "list")
	if !strings.Contains(out, "Off-site  yes     "+endpoint+"/shops") || !strings.Contains(out, "Second    no") {
		t.Errorf("the list is\n%s", out)
	}
	wantSecretless(t, out, said)
	if out, _ := c.want(0, "targets", "test", "Off-site"); out != "An object was written, listed, read and deleted. Versioning and object lock are off.\n" {
		t.Errorf("the test says %s", out)
	}
	c.want(3, "targets", "test", "none")
	changed, _ := c.want(0, "targets", "change", target.ID, "--bucket", "another", "--name", "Moved", "-o", "json")
	if got := decode[v1.Target](t, changed); got.Bucket != "another" || got.Name != "Moved" || !got.InUse || got.KeyID != "key" || !got.PathStyle {
		t.Errorf("changed is %+v", got)
	}
	out, said = c.want(1, "targets", "test", "Moved", "-o", "json")
	if test := decode[v1.TargetTest](t, out); test.OK || !strings.Contains(said, "NoSuchBucket") {
		t.Errorf("the test of no bucket says %s%s", out, said)
	}
	c.want(2, "targets", "change", "Moved", "--key-id", "other") // whose secret is missing
	withSecret.want(0, "targets", "change", "Moved", "--key-id", "other", "--bucket", "shops", "--no-use")
	if out, _ := c.want(0, "targets", "list"); !strings.Contains(out, "Moved   no      "+endpoint+"/shops  other") {
		t.Errorf("afterwards the list is\n%s", out)
	}
	c.want(0, "targets", "delete", "Moved")
	c.want(3, "targets", "delete", "Moved")
	p.cli(p.token(allScopes()...)).want(4, "targets", "list")
}

// addTarget has the stores backed up to a bucket. Simulated nodes write nothing to it.
func (c cli) addTarget() {
	c.t.Helper()
	withSecret := cli{c.t, append(c.env, "SHOPWRIGHT_TARGET_SECRET="+hiddenSecret)}
	withSecret.want(0, "targets", "add", "Off-site", "--endpoint", "https://10.9.8.7:9000", "--bucket", "shops", "--key-id", "key")
}

func TestBackupsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	c := p.administrator()
	st := c.open("Kept safe")
	waiting := []string{"--wait", "--timeout", patience.String()}
	if _, said := c.want(0, "stores", "points", st.Slug); !strings.Contains(said, "No backup target is in use.") {
		t.Errorf("without a target it says %s", said)
	}
	if _, said := c.want(0, "backups"); said != "No backup target is in use.\n" {
		t.Errorf("without a target the overview says %s", said)
	}
	p.cli(p.token(allScopes()...)).want(4, "backups")
	c.want(1, "stores", "backup", st.Slug)
	c.addTarget()
	out, said := c.want(0, append([]string{"stores", "backup", st.Slug, "--note", "before the sale"}, waiting...)...)
	for _, step := range []string{"Queued", "Manifest", "Simulated: nothing was written"} {
		if !strings.Contains(said, step) {
			t.Errorf("nothing is said of %s in:\n%s", step, said)
		}
	}
	if !strings.Contains(out, "done") || !strings.Contains(out, "before the sale") {
		t.Errorf("the backup is\n%s", out)
	}
	if out, said := c.want(0, "stores", "points", st.Slug); !strings.Contains(out, "simulated") || !strings.Contains(out, "Off-site") || !strings.Contains(out, "before the sale") || said != "" {
		t.Errorf("the points are\n%s%s", out, said)
	}
	out, _ = c.want(0, "stores", "points", st.Slug, "-o", "json")
	if list := decode[v1.PointList](t, out); len(list.Points) != 1 || !list.Points[0].Simulated || list.Points[0].Revision != st.Revision || list.Backup.State != store.JobDone {
		t.Errorf("the points are %s", out)
	}
	overview := func(args ...string) v1.BackupOverview {
		t.Helper()
		out, _ := c.want(0, append([]string{"backups", "-o", "json"}, args...)...)
		return decode[v1.BackupOverview](t, out)
	}
	if o := overview("--search", "kept"); len(o.Stores) != 1 || o.Stores[0].Store != st.ID || o.Stores[0].Points != 1 || len(o.Targets) != 1 {
		t.Errorf("the overview is %+v", o)
	}
	if o := overview("--show", "failing"); len(o.Stores) != 0 || o.Counts.All != 1 {
		t.Errorf("of those that fail it shows %+v", o)
	}
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=backup")
	if _, said := c.want(5, append([]string{"stores", "backup", st.Slug}, waiting...)...); !strings.Contains(said, "the backup failed: ") {
		t.Errorf("of a failure it says %s", said)
	}
	if _, said := c.want(0, "stores", "points", st.Slug); !strings.Contains(said, "The newest backup failed: ") {
		t.Errorf("afterwards it says %s", said)
	}
	out, said = c.want(0, "backups", "--show", "failing")
	if !strings.Contains(said, "Backups to Off-site have failed for ") || !strings.Contains(out, "Kept safe") || !strings.Contains(out, "Backup failed: ") {
		t.Errorf("the overview is\n%s%s", out, said)
	}
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=backup")
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=backup")
	if _, said := c.want(6, "stores", "backup", st.Slug, "--key", "nightly", "--wait", "--timeout", "1ms"); !strings.Contains(said, "the backup is still in progress") {
		t.Errorf("without any time it says %s", said)
	}
	c.want(1, "stores", "backup", st.Slug) // a second one
	if _, said := c.want(0, "stores", "points", st.Slug); !strings.Contains(said, "Backup in progress: ") {
		t.Errorf("meanwhile it says %s", said)
	}
	pending, _ := c.want(0, "stores", "points", st.Slug, "-o", "json")
	again, _ := c.want(0, "stores", "backup", st.Slug, "--key", "nightly", "-o", "json")
	if decode[v1.Backup](t, again).ID != decode[v1.PointList](t, pending).Backup.ID {
		t.Errorf("the same key asks for another backup than %s: %s", pending, again)
	}
	type end struct {
		code int
		said string
	}
	ended := make(chan end, 1)
	go func() {
		code, _, said := c.run("", append([]string{"stores", "backup", st.Slug, "--key", "nightly"}, waiting...)...)
		ended <- end{code, said}
	}()
	c.want(0, "stores", "upgrade", st.Slug, "--image", "mariadb=11.8")
	if end := <-ended; end.code != 5 || !strings.Contains(end.said, "cancelled the backup") {
		t.Errorf("a backup that is cancelled ends with %d: %s", end.code, end.said)
	}
	if _, said := c.want(1, "targets", "delete", "Off-site"); !strings.Contains(said, "holds restore points") {
		t.Errorf("of a target with points it says %s", said)
	}
	c.want(0, append([]string{"stores", "delete", st.Slug, "--yes", "--no-backup"}, waiting...)...)
}

func TestDeletionBacksUpFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	c := p.administrator()
	kept, spared, dropped := c.open("Kept"), c.open("Spared"), c.open("Dropped")
	c.addTarget()
	remove := func(st v1.Store, more ...string) []string {
		return append([]string{"stores", "delete", st.Slug, "--yes", "--wait", "--timeout", patience.String()}, more...)
	}
	c.want(0, remove(kept)...)
	c.want(0, remove(dropped, "--no-backup")...)
	kubetest.Simulate(t, spared.Namespace, "fail=job-failed", "component=backup")
	if _, said := c.want(5, remove(spared)...); !strings.Contains(said, "nothing was changed, because the backup failed: ") || !strings.Contains(said, "--no-backup") {
		t.Errorf("of a backup that fails it says %s", said)
	}
	if now, _ := c.want(0, "stores", "show", spared.Slug, "-o", "json"); decode[v1.Store](t, now).Status != store.Ready {
		t.Errorf("the store is %s", now)
	}
	if out, _ := c.want(0, "stores", "deleted"); !strings.Contains(out, "Kept") || strings.Contains(out, "Dropped") {
		t.Errorf("with restore points there are\n%s", out)
	}
	c.want(0, remove(spared, "--no-backup")...)
}
