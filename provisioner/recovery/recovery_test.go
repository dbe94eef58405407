package recovery_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"shopwright.dev/shopwright/provisioner/recovery"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// site is an installation with a backup target, whose bucket is not there yet.
type site struct {
	db      *database.DB
	url     string
	backend *s3mem.Backend
	target  store.Target
	admin   store.Actor
	log     strings.Builder
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{backend: s3mem.New(), url: "sqlite:" + filepath.Join(t.TempDir(), "shopwright.db")}
	service := httptest.NewServer(gofakes3.New(s.backend).Server())
	t.Cleanup(service.Close)
	sealer, err := store.NewSealer([][]byte{bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	s.db = storetest.Open(t, s.url, database.WithSealer(sealer))
	s.admin = storetest.Admin(t, s.db)
	s.target = store.Target{Name: "Off-site", Endpoint: service.URL, Bucket: "shops", Prefix: "all", Region: "us-east-1", PathStyle: true, KeyID: "key", Secret: "hidden-in-the-target", InUse: true}
	if _, err := s.db.AddTarget(t.Context(), s.admin, s.target); err != nil {
		t.Fatal(err)
	}
	return s
}

// save backs the records up as if the last time was long ago.
func (s *site) save(t *testing.T) {
	t.Helper()
	if _, err := storetest.Beside(t, s.url).ExecContext(t.Context(), `UPDATE recovery SET tried_at = 0`); err != nil {
		t.Fatal(err)
	}
	s.saver().Save(t.Context())
}

func (s *site) saver() recovery.Saver {
	return recovery.Saver{DB: s.db, Secrets: recovery.Secrets{Key: "the secret key"}, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
}

func (s *site) state(t *testing.T) store.Recovery {
	t.Helper()
	r, err := s.db.Recovery(t.Context(), s.admin)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordsAreBackedUpAndLoaded(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.save(t)
	if r := s.state(t); r.Recipient != "" || !r.SavedAt.IsZero() || r.Target != "Off-site" || s.log.Len() > 0 {
		t.Errorf("without a key there is %+v, and the log says %s", r, &s.log)
	}
	identity, recipient, err := recovery.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.SetRecoveryKey(t.Context(), s.admin, recipient); err != nil {
		t.Fatal(err)
	}
	s.saver().Save(t.Context()) // there is no bucket
	if r := s.state(t); r.Recipient != recipient || !r.SavedAt.IsZero() || !strings.Contains(r.Failed, "The specified bucket does not exist") || strings.Contains(s.log.String(), "hidden") {
		t.Errorf("it is %+v, and the log says %s", r, &s.log)
	}
	if err := s.backend.CreateBucket("shops"); err != nil {
		t.Fatal(err)
	}
	s.saver().Save(t.Context())
	if r := s.state(t); !r.SavedAt.IsZero() {
		t.Errorf("within the hour it is tried again: %+v", r)
	}
	s.save(t)
	if r := s.state(t); r.SavedAt.IsZero() || r.Size == 0 || r.Failed != "" {
		t.Errorf("afterwards it is %+v", r)
	}

	archive, at, err := recovery.Fetch(t.Context(), s.target, identity, time.Time{})
	if err != nil || time.Since(at) > time.Hour {
		t.Fatalf("fetched is one of %s, %v", at, err)
	}
	sealed, err := io.ReadAll(archive)
	if err != nil || archive.Close() != nil || bytes.Contains(sealed, []byte("secret key")) {
		t.Fatalf("%d bytes are read, %v", len(sealed), err)
	}
	other, _, err := recovery.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := recovery.Fetch(t.Context(), s.target, other, time.Time{}); err == nil || !strings.Contains(err.Error(), "no backup") {
		t.Errorf("with the key of another installation the answer is %v", err)
	}
	for key, want := range map[string]error{other: recovery.ErrOtherKey, recipient: recovery.ErrNoKey, "": recovery.ErrNoKey} {
		if _, _, err := recovery.Unseal(key, bytes.NewReader(sealed)); !errors.Is(err, want) {
			t.Errorf("with %q the answer is %v", key, err)
		}
	}
	secrets, records, err := recovery.Unseal(identity, bytes.NewReader(sealed))
	if err != nil || secrets.Key != "the secret key" {
		t.Fatalf("unsealed is %+v, %v", secrets, err)
	}
	elsewhere := "sqlite:" + filepath.Join(t.TempDir(), "shopwright.db")
	if rows, err := database.Load(t.Context(), elsewhere, records, database.Loading{}); err != nil || rows == 0 {
		t.Fatalf("%d rows are loaded, %v", rows, err)
	}
	loaded := storetest.Open(t, elsewhere)
	if targets, err := loaded.Targets(t.Context(), s.admin); err != nil || len(targets) != 1 || targets[0].Name != "Off-site" {
		t.Errorf("loaded are %+v, %v", targets, err)
	}
	if _, _, err := recovery.Fetch(t.Context(), s.target, identity, at.Add(-time.Minute)); err == nil || !strings.Contains(err.Error(), "no backup") {
		t.Errorf("from before the answer is %v", err)
	}
}

// Old backups go, and what is not ours stays.
func TestOldBackupsOfTheRecordsGo(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := s.backend.CreateBucket("shops"); err != nil {
		t.Fatal(err)
	}
	_, recipient, err := recovery.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.SetRecoveryKey(t.Context(), s.admin, recipient); err != nil {
		t.Fatal(err)
	}
	s.saver().Save(t.Context())
	first, err := s.backend.ListBucket("shops", nil, gofakes3.ListBucketPage{})
	if err != nil || len(first.Contents) != 1 || !strings.HasPrefix(first.Contents[0].Key, "all/shopwright-records/") {
		t.Fatalf("there are %+v, %v", first, err)
	}
	put := func(key string) {
		t.Helper()
		if _, err := s.backend.PutObject("shops", path.Join(path.Dir(first.Contents[0].Key), key), nil, strings.NewReader("old"), 3, nil); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().UTC().Truncate(24 * time.Hour)
	for hours := range 24 * 40 {
		if hours%7 == 0 {
			put(now.Add(-time.Duration(hours)*time.Hour).Format("20060102T150405Z") + ".age")
		}
	}
	put("notes.txt")
	s.save(t)
	left, err := s.backend.ListBucket("shops", nil, gofakes3.ListBucketPage{})
	if n := len(left.Contents); err != nil || n < 30 || n > 80 {
		t.Errorf("%d objects are left, %v", n, err)
	}
	found := false
	for _, object := range left.Contents {
		found = found || strings.HasSuffix(object.Key, "notes.txt")
	}
	if !found {
		t.Error("an object that is not ours is gone")
	}
}
