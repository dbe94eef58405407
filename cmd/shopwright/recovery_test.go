package main_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	appsv1 "k8s.io/api/apps/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/recovery"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// The records of an installation whose machine is lost come back on another one, with the key that opens its secrets.
func TestRecordsAreRestoredOnANewMachine(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	if err := backend.CreateBucket("shops"); err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(service.Close)
	key, lost := bytes.Repeat([]byte{7}, 32), t.TempDir()
	sealer, err := store.NewSealer([][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, "sqlite:"+filepath.Join(lost, "shopwright.db"), database.WithSealer(sealer))
	admin := storetest.Admin(t, db)
	target, err := db.AddTarget(t.Context(), admin, store.Target{
		Name: "Off-site", Endpoint: service.URL, Bucket: "shops", Region: "us-east-1", PathStyle: true, KeyID: "key", Secret: "hidden-secret", InUse: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	st := backedUp(t, db)
	env := []string{"SHOPWRIGHT_DATA_DIR=" + lost}
	code, said := call(t, env, "recovery-key")
	_, identity, _ := strings.Cut(said, "AGE-SECRET-KEY-1")
	identity, _, _ = strings.Cut(identity, "\n")
	identity = "AGE-SECRET-KEY-1" + identity
	if code != 0 || !strings.Contains(said, "It is shown only now") {
		t.Fatalf("a key: %d %s", code, said)
	}
	if code, said := call(t, env, "recovery-key"); code != 2 || !strings.Contains(said, "add --replace") {
		t.Errorf("another key: %d %s", code, said)
	}
	text := "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
	recovery.Saver{DB: db, Secrets: recovery.Secrets{Key: text}, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}.Save(t.Context())

	dir := filepath.Join(t.TempDir(), "new")
	args := []string{"restore", "--endpoint", service.URL, "--bucket", "shops", "--region", "us-east-1", "--path-style", "--key-id", "key"}
	restore := func(vars ...string) (int, string) {
		t.Helper()
		return call(t, append([]string{"SHOPWRIGHT_DATA_DIR=" + dir, "SHOPWRIGHT_TARGET_SECRET=hidden-secret"}, vars...), args...)
	}
	if code, said := restore("SHOPWRIGHT_RECOVERY_KEY=" + strings.ToLower(identity)); code != 2 || !strings.Contains(said, "isn’t a recovery key") {
		t.Errorf("with no key: %d %s", code, said)
	}
	if code, said := restore("SHOPWRIGHT_RECOVERY_KEY=" + identity); code != 0 || !strings.Contains(said, "Start Shopwright") || strings.Contains(said, text) {
		t.Fatalf("restored: %d %s", code, said)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "session.key"))
	if err != nil || strings.TrimSpace(string(kept)) != text {
		t.Errorf("the secret key is %q, %v", kept, err)
	}
	again := storetest.Open(t, "sqlite:"+filepath.Join(dir, "shopwright.db"), database.WithSealer(sealer))
	if opened, err := again.OpenTarget(t.Context(), admin, target.ID); err != nil || opened.Secret != "hidden-secret" {
		t.Errorf("the target is %+v, %v", opened, err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if code, said := restore("SHOPWRIGHT_RECOVERY_KEY=" + identity); code == 0 || !strings.Contains(said, "already has data") {
		t.Errorf("restored again: %d %s", code, said)
	}
	args = append(args, "--if-empty")
	if code, said := restore(); code != 0 || !strings.Contains(said, "Nothing is restored") {
		t.Errorf("restored again if it is empty: %d %s", code, said)
	}
	dir = filepath.Join(t.TempDir(), "another key")
	if code, said := restore("SHOPWRIGHT_RECOVERY_KEY="+identity, "SHOPWRIGHT_SECRET_KEY=CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="); code != 0 {
		t.Errorf("with another secret key: %d %s", code, said)
	}
	other, err := store.NewSealer([][]byte{bytes.Repeat([]byte{8}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	resealed := storetest.Open(t, "sqlite:"+filepath.Join(dir, "shopwright.db"), database.WithSealer(other))
	if opened, err := resealed.OpenTarget(t.Context(), admin, target.ID); err != nil || opened.Secret != "hidden-secret" {
		t.Errorf("with another secret key the target is %+v, %v", opened, err)
	}
	dir, args = filepath.Join(t.TempDir(), "newer"), append(args, "--new-cluster")
	if code, said := restore("SHOPWRIGHT_RECOVERY_KEY=" + identity); code != 0 || !strings.Contains(said, "from their restore points: 1; without a restore point: 1.") {
		t.Errorf("restored without the cluster: %d %s", code, said)
	}
	returning := func() {
		t.Helper()
		newer := storetest.Open(t, "sqlite:"+filepath.Join(dir, "shopwright.db"))
		if now, err := newer.UnguardedStore(t.Context(), st.ID); err != nil || !now.Returning() {
			t.Errorf("its store is %+v, %v", now, err)
		}
	}
	returning()
	dir, args = filepath.Join(t.TempDir(), "in a cluster"), restoreOfChart(t, service.URL, "key")
	for _, want := range []string{"from their restore points: 1;", "Nothing is restored"} { // as when the pod starts again
		if code, said := restore("SHOPWRIGHT_RECOVERY_KEY="+identity, "SHOPWRIGHT_SECRET_KEY=CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="); code != 0 || !strings.Contains(said, want) {
			t.Errorf("restored by the chart: %d %s", code, said)
		}
	}
	returning()
}

// restoreOfChart returns what the platform's chart calls the program with before it starts.
func restoreOfChart(t *testing.T, endpoint, keyID string) (args []string) {
	t.Helper()
	objects := enginetest.Objects(t, helm.Request{Namespace: "shopwright", Name: "shopwright", Chart: os.DirFS("../../charts/platform"), Values: map[string]any{
		"restore": map[string]any{"existingSecret": "restore", "endpoint": endpoint, "bucket": "shops", "region": "us-east-1", "pathStyle": true, "newCluster": true},
	}})
	enginetest.Each(objects, func(d *appsv1.Deployment) {
		for _, c := range d.Spec.Template.Spec.InitContainers {
			args = append(args, c.Args...)
		}
	})
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$(KEY_ID)", keyID)
	}
	return args
}

// backedUp is a store with a restore point, beside one without.
func backedUp(t *testing.T, db *database.DB) store.Store {
	t.Helper()
	actor, team := storetest.Actor(t, db, "mara")
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	work := func(limit store.Concurrency, do func(store.Claim) error) {
		t.Helper()
		c, ok, err := db.Claim(t.Context(), "test", time.Minute, limit)
		if err != nil || !ok {
			t.Fatalf("nothing to do: %v", err)
		}
		step(errors.Join(do(c), db.Release(t.Context(), c)))
	}
	var made store.Store
	for _, name := range []string{"Bare", "Kept"} {
		var err error
		made, err = db.CreateStore(t.Context(), actor, store.NewStore{TeamID: team, Cluster: storetest.Cluster(t, db), Name: name, Engine: "woocommerce"})
		step(err)
		work(store.Concurrency{}, func(c store.Claim) error { _, err := db.Complete(t.Context(), c, store.Opened{}); return err })
	}
	_, err := db.BackUp(t.Context(), actor, made.ID, "")
	step(err)
	part := store.Part{Snapshot: "a"}
	work(store.Concurrency{Backups: 1}, func(c store.Claim) error {
		return db.RecordPoint(t.Context(), c, store.Manifest{Database: part, Files: part, Snapshot: "b"})
	})
	return made
}

// A restore into another cluster that is killed once the database is loaded is finished by the program's start.
func TestInterruptedRestoreIsFinishedAtTheStart(t *testing.T) {
	t.Parallel()
	p := launch(t, "")
	sealer, err := store.NewSealer([][]byte{bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	file := "sqlite:" + filepath.Join(p.dataDir, "shopwright.db")
	source := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "shopwright.db"), database.WithSealer(sealer))
	if _, err := source.AddTarget(t.Context(), storetest.Admin(t, source), store.Target{
		Name: "Off-site", Endpoint: "http://127.0.0.1:1", Bucket: "shops", KeyID: "key", Secret: "secret", InUse: true,
	}); err != nil {
		t.Fatal(err)
	}
	st := backedUp(t, source)
	var text bytes.Buffer
	if err := source.UnguardedDump(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	if _, err := database.Load(t.Context(), file, &text, database.Loading{NewCluster: true}); err != nil {
		t.Fatal(err)
	}
	p.startSignedOut()
	p.kill()
	db := storetest.Open(t, file)
	if now, err := db.UnguardedStore(t.Context(), st.ID); err != nil || !now.Returning() {
		t.Errorf("its store is %+v, %v", now, err)
	}
}
