package erasure_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"shopwright.dev/shopwright/provisioner/erasure"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// What can't be erased stays, is told without the key, and goes the next time.
func TestPointsAreErased(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	service := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(service.Close)
	sealer, err := store.NewSealer([][]byte{bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "shopwright.db")
	db := storetest.Open(t, url, database.WithSealer(sealer))
	actor, team := storetest.Actor(t, db, "mara")
	target, err := db.AddTarget(t.Context(), storetest.Admin(t, db), store.Target{
		Name: "Off-site", Endpoint: service.URL, Bucket: "shops", Region: "us-east-1", PathStyle: true, KeyID: "key", Secret: "hidden-in-the-target", InUse: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := db.CreateStore(t.Context(), actor, store.NewStore{TeamID: team, Cluster: storetest.Cluster(t, db), Name: "Gone", Engine: "woocommerce"})
	if err != nil {
		t.Fatal(err)
	}
	beside := storetest.Beside(t, url)
	for _, statement := range []string{
		`UPDATE stores SET deleted_at = 1`,
		`INSERT INTO counters (name, value) VALUES ('erasures', 1)`,
		`INSERT INTO restore_points (id, store_id, target_id, reason, manifest, began_at, ended_at) VALUES ('point', '` + st.ID + `', '` + target.ID + `', 'manual', '{}', 1, 2)`,
	} {
		if _, err := beside.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	eraser := erasure.Eraser{DB: db, After: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil))}
	left := func() (n int) {
		t.Helper()
		if err := beside.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM restore_points`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	eraser.Erase(t.Context()) // there is no bucket
	if left() != 1 || !strings.Contains(log.String(), "can’t be erased for now") || strings.Contains(log.String(), "hidden-in-the-target") {
		t.Errorf("%d points are left, and the log says %s", left(), &log)
	}
	if err := backend.CreateBucket("shops"); err != nil {
		t.Fatal(err)
	}
	if _, err := backend.PutObject("shops", st.ID+"/config", nil, strings.NewReader("text"), 4, nil); err != nil {
		t.Fatal(err)
	}
	eraser.Erase(t.Context())
	objects, err := backend.ListBucket("shops", nil, gofakes3.ListBucketPage{})
	if left() != 0 || err != nil || len(objects.Contents) != 0 {
		t.Errorf("%d points and %+v are left, %v; the log says %s", left(), objects, err, &log)
	}
}
