package main_test

import (
	"bytes"
	"encoding/base64"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// What is printed can be given to a shell as it is, whatever characters the key has.
func TestRepositoryIsPrintedForAShell(t *testing.T) {
	t.Parallel()
	key, dir := bytes.Repeat([]byte{7}, 32), t.TempDir()
	sealer, err := store.NewSealer([][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, "sqlite:"+filepath.Join(dir, "shopwright.db"), database.WithSealer(sealer))
	actor, team := storetest.Actor(t, db, "mara")
	st, err := db.CreateStore(t.Context(), actor, store.NewStore{TeamID: team, Cluster: storetest.Cluster(t, db), Name: "Tea & Tonic", Slug: "tea-and-tonic", Engine: "woocommerce"})
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"SHOPWRIGHT_DATA_DIR=" + dir, "SHOPWRIGHT_SECRET_KEY=" + base64.StdEncoding.EncodeToString(key)}
	if code, said := call(t, env, "repository", st.Slug); code == 0 || !strings.Contains(said, "tea-and-tonic has no restore points") {
		t.Errorf("without points: %d %s", code, said)
	}
	target := store.Target{Name: "Off-site", Endpoint: "https://s3.example.com", Bucket: "shops", KeyID: "key", Secret: "it's$HOME`x`", InUse: true}
	if _, err := db.AddTarget(t.Context(), storetest.Admin(t, db), target); err != nil {
		t.Fatal(err)
	}
	c, _, err := db.Claim(t.Context(), "test", time.Hour, store.Concurrency{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Complete(t.Context(), c, store.Opened{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := db.BackUp(t.Context(), actor, st.ID, ""); err != nil {
		t.Fatal(err)
	}
	if c, _, err = db.Claim(t.Context(), "test", time.Hour, store.Concurrency{Backups: 1}); err != nil {
		t.Fatal(err)
	}
	if err := db.RecordPoint(t.Context(), c, store.Manifest{Simulated: true}); err != nil {
		t.Fatal(err)
	}
	code, said := call(t, env, "repository", st.Slug)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", said+`printf '%s %s %s' "$RESTIC_REPOSITORY" "$AWS_SECRET_ACCESS_KEY" "${#RESTIC_PASSWORD}"`).Output()
	if err != nil || string(out) != "s3:https://s3.example.com/shops/"+st.ID+" it's$HOME`x` 43" {
		t.Errorf("a shell reads %q, %v", out, err)
	}
	other := []string{env[0], "SHOPWRIGHT_SECRET_KEY=" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{8}, 32))}
	if code, said := call(t, other, "repository", st.Slug); code == 0 || !strings.Contains(said, "another SHOPWRIGHT_SECRET_KEY") {
		t.Errorf("with another key: %d %s", code, said)
	}
}
