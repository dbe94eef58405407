package database_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// lines is what the database has logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// logged opens the database and what it tells the log.
func logged(t *testing.T, url string) (bundle, *lines) {
	t.Helper()
	log := &lines{}
	b := bundle{db: storetest.Open(t, url, database.WithLog(slog.New(slog.NewTextHandler(log, nil))))}
	b.actor, b.team = storetest.Actor(t, b.db, "mara")
	b.cluster = storetest.Cluster(t, b.db)
	return b, log
}

// wantOnce expects that the log heard once of the trouble and of its end.
func (l *lines) wantOnce(t *testing.T, sentence string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if said := l.text.String(); strings.Count(said, "level=ERROR") != 1 || strings.Count(said, sentence) != 1 || strings.Count(said, "is available again") != 1 {
		t.Errorf("the log has\n%s", said)
	}
}

func wantUnavailable(t *testing.T, err error, sentence string) {
	t.Helper()
	e, ok := errors.AsType[*store.Error](err)
	if !ok || e.Code != store.Unavailable || !strings.Contains(e.Message, sentence) {
		t.Errorf("got %v, want the sentence %q", err, sentence)
	}
}

// untilWell waits for the database to be usable again, on its own.
func (b bundle) untilWell(t *testing.T) {
	t.Helper()
	b.eventually(t, "well", func() bool { return b.db.Check(t.Context()) == nil })
}

func (b bundle) eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not %s in time: %v", what, b.db.Check(t.Context()))
		}
	}
}

func (b bundle) wantReadable(t *testing.T, stores int) {
	t.Helper()
	list, err := b.db.ListStores(t.Context(), b.actor, store.Query{Limit: 10})
	if err != nil || list.Total != stores {
		t.Errorf("%d stores can be read, want %d: %v", list.Total, stores, err)
	}
}

// other is another program's connection to the file.
func other(t *testing.T, path string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func execute(t *testing.T, conn *sql.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func newFile(t *testing.T) (path, url string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "shopwright.db")
	return path, "sqlite:" + path
}

func TestLockedFile(t *testing.T) {
	t.Parallel()
	path, url := newFile(t)
	b, log := logged(t, url)
	b.create(t, "Before")
	locker := other(t, path)
	execute(t, locker, "BEGIN EXCLUSIVE")

	_, err := b.db.CreateStore(t.Context(), b.actor, b.request("Never"))
	wantUnavailable(t, err, "Another program has locked the database file")
	if !database.Passing(err) {
		t.Error("a lock does not pass")
	}
	wantUnavailable(t, b.db.Check(t.Context()), "locked")
	b.wantReadable(t, 1)
	claimed := b.claimInBackground()
	execute(t, locker, "ROLLBACK")
	b.untilWell(t)
	if c := <-claimed; c.err != nil || c.Store.Name != "Before" {
		t.Errorf("a claim from the time of the lock: %+v", c)
	}
	b.create(t, "After")
	log.wantOnce(t, "Another program has locked")
}

type claimed struct {
	store.Claim
	err error
}

// claimInBackground claims while the database cannot be used.
func (b bundle) claimInBackground() <-chan claimed {
	result := make(chan claimed, 1)
	go func() {
		c, _, err := b.db.Claim(context.Background(), "waiting", lease, store.Concurrency{})
		result <- claimed{c, err}
	}()
	return result
}

func TestLockedFileAtTheStart(t *testing.T) {
	t.Parallel()
	path, url := newFile(t)
	locker := other(t, path)
	execute(t, locker, "PRAGMA locking_mode = EXCLUSIVE", "CREATE TABLE x (y)", "BEGIN EXCLUSIVE")
	_, err := database.Open(t.Context(), url)
	wantUnavailable(t, err, "locked")
	if !database.Passing(err) {
		t.Error("a lock does not pass")
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	_, url := newFile(t)
	b, log := logged(t, url)
	if err := database.LimitPages(t.Context(), b.db, 0); err != nil {
		t.Fatal(err)
	}
	made := 0
	var err error
	for ; err == nil; made++ {
		_, err = b.db.CreateStore(t.Context(), b.actor, b.request(fmt.Sprint("Shop ", made)))
	}
	wantUnavailable(t, err, "the disk is full. Free up space. Work resumes automatically.")
	if database.Passing(err) {
		t.Error("a full disk passes by waiting")
	}
	if err := database.LimitPages(t.Context(), b.db, -1); err != nil {
		t.Fatal(err)
	}
	b.untilWell(t)
	b.create(t, "After")
	b.wantReadable(t, made)
	log.wantOnce(t, "the disk is full")
}

func TestVanishedFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	path, url := newFile(t)
	b, log := logged(t, url)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	_, err := b.db.CreateStore(t.Context(), b.actor, b.request("Never"))
	wantUnavailable(t, err, "moved, replaced or deleted")
	var readers sync.WaitGroup
	for range 50 { // more than have the file open: the others do not find it, for the same reason
		readers.Go(func() {
			if _, err := b.db.StoreEvents(t.Context(), b.actor, "any"); err != nil {
				wantUnavailable(t, err, "moved, replaced or deleted")
			}
		})
	}
	readers.Wait()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a new file in its place: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	b.untilWell(t)
	b.create(t, "After")
	log.wantOnce(t, "moved, replaced or deleted")
}

// written makes records of many pages, and returns the file's content once all is in it.
func written(t *testing.T, path, url string) []byte {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	b := bundle{db: db, cluster: storetest.Cluster(t, db)}
	b.actor, b.team = storetest.Actor(t, db, "mara")
	for i := range 60 {
		b.create(t, fmt.Sprint("Shop ", i))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// overwrite changes the file in its place, as a failing disk does.
func overwrite(t *testing.T, path string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(with, at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

const page = 4096

func TestDamagedFileAtTheStartIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	for where, at := range map[string]int64{"header": 0, "middle": 0} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			path, url := newFile(t)
			sound := written(t, path, url)
			if where == "middle" {
				at = int64(len(sound)) / 2 / page * page
			}
			overwrite(t, path, at, bytes.Repeat([]byte("garbage!"), page/8))
			before := read(t, path)
			_, err := database.Open(t.Context(), url)
			wantUnavailable(t, err, "database is damaged")
			if database.Passing(err) {
				t.Error("damage passes by waiting")
			}
			if !bytes.Equal(before, read(t, path)) {
				t.Error("the damaged file was changed")
			}
			if beside, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.db")); len(beside) != 1 {
				t.Errorf("there are %v", beside)
			}
			overwrite(t, path, 0, sound)
			b := bundle{db: storetest.Open(t, url)}
			b.actor, _ = storetest.Actor(t, b.db, "mara")
			b.wantReadable(t, 60)
		})
	}
}

func TestFileThatIsDamagedWhileItIsUsed(t *testing.T) {
	t.Parallel()
	path, url := newFile(t)
	sound := written(t, path, url)
	b, log := logged(t, url)
	before := func() []byte { // with the log that belongs to it
		overwrite(t, path, page, bytes.Repeat([]byte("garbage!"), (len(sound)/page-1)*page/8))
		return read(t, path)
	}()
	_, err := b.db.ListStores(t.Context(), b.actor, store.Query{Limit: 10, Search: "shop"})
	wantUnavailable(t, err, "database is damaged")
	_, err = b.db.CreateStore(t.Context(), b.actor, b.request("Never"))
	wantUnavailable(t, err, "no longer writes to it")
	wantUnavailable(t, b.db.Release(t.Context(), store.Claim{}), "no longer writes to it")
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the damaged file was written to")
	}
	overwrite(t, path, 0, sound)
	b.untilWell(t)
	b.create(t, "After")
	b.wantReadable(t, 61)
	log.wantOnce(t, "database is damaged")
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		driver, source := "pgx", url
		if path, lite := strings.CutPrefix(url, "sqlite:"); lite {
			driver, source = "sqlite", path
		}
		raw, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, $1)`, true); err != nil {
			t.Fatal(err)
		}
		setReaders(t, url, 99999)
		if err := raw.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = database.Open(t.Context(), url)
		wantUnavailable(t, err, "newer version of Shopwright")
	})
}

// A store whose creation was answered must be there after a power cut.
func TestCommitsAreOnTheDisk(t *testing.T) {
	t.Parallel()
	const full = 2
	if level, err := database.Synchronous(t.Context(), storetest.SQLite(t)); err != nil || level != full {
		t.Errorf("PRAGMA synchronous is %d, %v", level, err)
	}
}
