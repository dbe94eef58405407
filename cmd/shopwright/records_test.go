package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// harm makes the database of a running program unusable, and returns what undoes it.
type harm func(t *testing.T, file string) (undo func())

func lockFile(t *testing.T, file string) (undo func()) {
	t.Helper()
	db := storetest.Beside(t, "sqlite:"+file)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

func fillDisk(t *testing.T, file string) (undo func()) {
	t.Helper()
	ballast := filepath.Join(filepath.Dir(file), "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	}
}

func moveAway(t *testing.T, file string) (undo func()) {
	t.Helper()
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a new file was made in the place of the one that is gone: %v", err)
		}
		if err := os.Rename(file+".away", file); err != nil {
			t.Error(err)
		}
	}
}

// damage overwrites all but the first page.
func damage(t *testing.T, file string) (undo func()) {
	t.Helper()
	const page = 4096
	sound := contentOf(t, file)
	write(t, file, page, bytes.Repeat([]byte("garbage!"), (len(sound)-page)/8))
	bad := contentOf(t, file)
	return func() {
		if !bytes.Equal(bad, contentOf(t, file)) {
			t.Error("the damaged file was written to")
		}
		write(t, file, 0, sound)
	}
}

func contentOf(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, file string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(with, at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// freeze makes the file, and the log beside it, such that nobody may write to them, also not
// who has them open.
func freeze(t *testing.T, file string) (undo func()) {
	t.Helper()
	files := []string{file, file + "-wal"}
	if out, err := exec.Command("chattr", append([]string{"+i"}, files...)...).CombinedOutput(); err != nil {
		if os.Geteuid() == 0 {
			t.Fatalf("freeze %s: %v: %s", file, err, out)
		}
		t.Skip("only root may take a file away that is open")
	}
	undo = sync.OnceFunc(func() {
		if out, err := exec.Command("chattr", append([]string{"-i"}, files...)...).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Cleanup(undo) // or the folder stays
	return undo
}

// smallDisk mounts a disk of eight megabytes until the test ends: room for all that the program writes before its first
// checkpoint.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "shopwright-test", dir).CombinedOutput(); err != nil {
		if os.Geteuid() == 0 {
			t.Fatalf("mount a small disk: %v: %s", err, out)
		}
		t.Skip("only root may mount a small disk; the database's own tests try a full one without")
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// troubled is how long the database stays unusable in these tests: longer than a lease, so
// that work in progress is handed back and taken up again.
const troubled = 20 * time.Second

func TestRecordsFailAndRecoverWhileRunning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm     harm
		disk     func(t *testing.T) string
		sentence string
	}{
		"locked": {lockFile, (*testing.T).TempDir, "Another program has locked the database file"},
		"full":   {fillDisk, smallDisk, "the disk is full. Free up space. Work resumes automatically."},
		"frozen": {freeze, (*testing.T).TempDir, "it is read-only. Make the database, or the file and its directory, writable"},
		"moved":  {moveAway, (*testing.T).TempDir, "its file was moved, replaced or deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := c.disk(t)
			p := launch(t, kubetest.PlatformKubeconfig(t))
			p.move(dir)
			slug := "rec-" + strings.ToLower(uuid.NewString()[24:])
			kubetest.Simulate(t, "store-"+slug, "start-delay=10m")
			p.start()
			page := p.create("At work", slug)
			p.until(page, "at work", at("Workloads"))

			undo := c.harm(t, filepath.Join(p.dataDir, "shopwright.db"))
			over := time.After(troubled)
			p.wantTroubled(t, c.sentence, http.StatusOK)
			<-over
			undo()
			p.until("/readyz", "usable again", func(status int, _ string) bool { return status == http.StatusOK })
			kubetest.Simulate(t, "store-"+slug, "start-delay=none")
			p.untilReady(page)
			p.post(page+"/delete", url.Values{"confirm": {"At work"}})
			p.untilGone(page)
			p.wantFewLines(t, c.sentence)
		})
	}
}

// move gives a program that has not started yet another data folder.
func (p *process) move(dir string) {
	p.dataDir = dir
	p.env = append(p.env, "SHOPWRIGHT_DATA_DIR="+dir)
}

// wantTroubled watches the program while its database cannot be used.
func (p *process) wantTroubled(t *testing.T, sentence string, list int) {
	t.Helper()
	status, body := p.form("/stores", url.Values{"name": {"Never"}, "engine": {"woocommerce"}})
	if status != http.StatusServiceUnavailable || !strings.Contains(body, sentence) {
		t.Errorf("POST /stores: %d %s", status, body)
	}
	p.until("/readyz", "in trouble", func(status int, body string) bool {
		return status == http.StatusServiceUnavailable && strings.Contains(body, sentence)
	})
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/stores": list} {
		if status, body := p.get(path); status != want {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
	}
}

// TestRecordsAreDamagedWhileRunning overwrites all of the file but its header before the
// program has read the stores.
func TestRecordsAreDamagedWhileRunning(t *testing.T) {
	t.Parallel()
	p := launch(t, "")
	file := filepath.Join(p.dataDir, "shopwright.db")
	fillRecords(t, file)
	p.start()
	undo := damage(t, file)
	const sentence = "no longer writes to it"
	if status, body := p.get("/stores"); status != http.StatusServiceUnavailable || !strings.Contains(body, sentence) {
		t.Errorf("GET /stores: %d %s", status, body)
	}
	p.wantTroubled(t, sentence, http.StatusServiceUnavailable)
	undo()
	p.until("/readyz", "usable again", func(status int, _ string) bool { return status == http.StatusOK })
	if status, body := p.get("/stores"); status != http.StatusOK || !strings.Contains(body, "Shop 59") {
		t.Errorf("GET /stores: %d %s", status, body)
	}
	p.wantFewLines(t, sentence)
}

// fillRecords makes records of many pages for whoever signs in as the developer.
func fillRecords(t *testing.T, file string) {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	id, err := db.SignIn(t.Context(), store.Identity{Provider: "development login", Subject: "developer", Name: "Developer"}, store.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := db.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	request := store.NewStore{TeamID: session.Actor.Teams(store.CreateStores)[0], Cluster: storetest.Cluster(t, db), Engine: "woocommerce"}
	for i := range 60 {
		request.Name = fmt.Sprint("Shop ", i)
		if _, err := db.CreateStore(t.Context(), session.Actor, request); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// manyLines is more than the log is to be told while the database cannot be used.
const manyLines = 12

// wantFewLines expects that the log was told once, and was not flooded by those who tried.
func (p *process) wantFewLines(t *testing.T, sentence string) {
	t.Helper()
	message := regexp.MustCompile(`msg="[^"]*` + regexp.QuoteMeta(sentence))
	told := slices.DeleteFunc(p.said.with("level=ERROR"), func(line string) bool { return !message.MatchString(line) })
	if len(told) != 1 || len(p.said.with("the database is available again")) != 1 {
		t.Errorf("the log was told %d times", len(told))
	}
	lines := slices.DeleteFunc(append(p.said.with("level=ERROR"), p.said.with("level=WARN")...), func(line string) bool {
		return !strings.Contains(line, sentence) && !strings.Contains(line, "database") && !strings.Contains(line, "claim")
	})
	if len(lines) > manyLines {
		t.Errorf("%d lines of errors and warnings", len(lines))
	}
	t.Logf("%d errors and warnings", len(lines))
}

// form sends a form and returns the answer.
func (p *process) form(path string, form url.Values) (status int, body string) {
	p.t.Helper()
	response, err := p.client.PostForm(p.url+path, form)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// server is a Postgres server with a database, which ends with the test.
func server(t *testing.T) (s *storetest.Server, url string) {
	t.Helper()
	s, err := storetest.StartPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if url, err = s.CreateDatabase(t.Context(), "shopwright"); err != nil {
		t.Fatal(err)
	}
	return s, url
}

// cutOff lets nothing through to the database, and closes no connection.
const cutOff = time.Minute

func TestPostgresFailsAndRecoversWhileRunning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lasts time.Duration
		harm  func(*storetest.Server, *storetest.Proxy) (undo func() error)
	}{
		"restarted": {troubled, func(s *storetest.Server, _ *storetest.Proxy) func() error {
			s.Crash()
			return func() error { return s.Start(context.Background()) }
		}},
		"cut off": {cutOff, func(_ *storetest.Server, way *storetest.Proxy) func() error {
			way.Hold()
			return func() error { way.Open(); return nil }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, database := server(t)
			way := storetest.NewProxy(t, s)
			p := launch(t, kubetest.PlatformKubeconfig(t))
			p.env = append(p.env, "SHOPWRIGHT_DATABASE_URL="+way.URL(t, database))
			slug := "rec-" + strings.ToLower(uuid.NewString()[24:])
			kubetest.Simulate(t, "store-"+slug, "start-delay=10m")
			p.start()
			page := p.create("At work", slug)
			p.until(page, "at work", at("Workloads"))

			over := time.After(c.lasts)
			undo := c.harm(s, way)
			const sentence = "The database isn’t responding"
			p.wantTroubled(t, sentence, http.StatusServiceUnavailable)
			<-over
			if err := undo(); err != nil {
				t.Fatal(err)
			}
			p.until("/readyz", "usable again", func(status int, _ string) bool { return status == http.StatusOK })
			kubetest.Simulate(t, "store-"+slug, "start-delay=none")
			p.untilReady(page)
			p.post(page+"/delete", url.Values{"confirm": {"At work"}})
			p.untilGone(page)
			p.wantFewLines(t, sentence)
		})
	}
}
