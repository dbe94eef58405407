package database_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

func dump(t *testing.T, db *database.DB) string {
	t.Helper()
	var text bytes.Buffer
	if err := db.UnguardedDump(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// dumpLines are those of a dump in an order that doesn't depend on the database.
func dumpLines(dump string) map[string]int {
	all := map[string]int{}
	table := ""
	for line := range strings.Lines(dump) {
		if strings.HasPrefix(line, `{"table"`) {
			table = line
		}
		all[table+line]++
	}
	return all
}

// Every row of every table is the same after it went to the other database, and back.
func TestDumpIsLoadedIntoEitherDatabase(t *testing.T) {
	t.Parallel()
	path := fillEveryTable(t, many)
	_, lite := newFile(t)
	want := ""
	for i, url := range []string{"sqlite:" + path, sorted(t), lite} {
		if i > 0 {
			if _, err := database.Load(t.Context(), url, strings.NewReader(want), database.Loading{}); err != nil {
				t.Fatal(err)
			}
		}
		db := storetest.Open(t, url)
		got := dump(t, db)
		if i == 0 {
			want = got
		}
		left, right := dumpLines(want), dumpLines(got)
		for line := range left {
			if left[line] != right[line] {
				t.Fatalf("in the database %d a line is there %d times: %.300s", i, right[line], line)
			}
		}
		if len(left) != len(right) || len(left) < many {
			t.Errorf("there are %d lines, and in the database %d %d", len(left), i, len(right))
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := database.Load(t.Context(), lite, strings.NewReader(want), database.Loading{}); !errors.Is(err, database.ErrHasData) {
		t.Errorf("loaded again it is answered with %v", err)
	}
}

func TestWhatIsNoDumpLoadsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		storetest.Actor(t, db, "mara")
		whole := dump(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct{ text, want string }{
			"nothing":      {"", "This isn’t a backup"},
			"another file": {"PGDMP", "This isn’t a backup"},
			"newer":        {strings.Replace(whole, `"schema":`, `"schema":9`, 1), "newer"},
			"cut":          {whole[:len(whole)-20], "read the backup"},
			"foreign":      {whole + `{"table":"others","columns":["a"]}`, "others"},
		} {
			_, target := newFile(t)
			if _, err := database.Load(t.Context(), target, strings.NewReader(c.text), database.Loading{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if loaded, err := database.Load(t.Context(), target, strings.NewReader(whole), database.Loading{}); err != nil || loaded == 0 {
				t.Errorf("after %s: %d rows, %v", name, loaded, err)
			}
		}
	})
}

// How long points are kept may not be set on the machine that the backup is loaded on.
func TestLoadedPointsAreNotErasedAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		p.made(t, wholeManifest())
		p.archive(t, p.ready.ID)
		change(t, url, `UPDATE stores SET deleted_at = 1 WHERE deleted_at > 0`)
		change(t, url, `INSERT INTO counters (name, value) VALUES ('erasures', 1)`)
		_, target := newFile(t)
		if _, err := database.Load(t.Context(), target, strings.NewReader(dump(t, p.db)), database.Loading{}); err != nil {
			t.Fatal(err)
		}
		loaded := storetest.Open(t, target, sealing(t, 1))
		if due, err := loaded.UnguardedBeginErasures(t.Context(), time.Hour); err != nil || len(due) != 0 {
			t.Errorf("%+v are erased, %v", due, err)
		}
		if due := p.erasures(t); len(due) != 1 {
			t.Errorf("of the machine that is lost %+v are erased", due)
		}
	})
}

// Of several replicas that restore at once one loads.
func TestOneOfSeveralProcessesLoads(t *testing.T) {
	t.Parallel()
	source := storetest.Open(t, "sqlite:"+fillEveryTable(t, many))
	text, target := dump(t, source), sorted(t)
	if empty, err := database.IsEmpty(t.Context(), target); !empty || err != nil {
		t.Errorf("without tables it is empty: %t, %v", empty, err)
	}
	const processes = 3
	errs := make(chan error, processes)
	for range processes {
		go func() {
			_, err := database.Load(t.Context(), target, strings.NewReader(text), database.Loading{})
			errs <- err
		}()
	}
	loaded := 0
	for range processes {
		switch err := <-errs; {
		case err == nil:
			loaded++
		case !errors.Is(err, database.ErrHasData):
			t.Error(err)
		}
	}
	if empty, err := database.IsEmpty(t.Context(), target); loaded != 1 || empty || err != nil {
		t.Errorf("%d have loaded; it is empty: %t, %v", loaded, empty, err)
	}
}

// Another machine may have another secret key, and only that one.
func TestLoadedSecretsAreSealedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		target := p.target(t, "off-site")
		text := dump(t, p.db)
		_, lite := newFile(t)
		if empty, err := database.IsEmpty(t.Context(), lite); !empty || err != nil {
			t.Errorf("without a file it is empty: %t, %v", empty, err)
		}
		keys := [][]byte{bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{1}, 32)}
		sealer, err := store.NewSealer(keys)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := database.Load(t.Context(), lite, strings.NewReader(text), database.Loading{Sealer: sealer, NewCluster: true}); err != nil {
			t.Fatal(err)
		}
		loaded := storetest.Open(t, lite, sealing(t, 2))
		if opened, err := loaded.OpenTarget(t.Context(), p.admin, target.ID); err != nil || opened.Secret == "" {
			t.Errorf("the target is %+v, %v", opened, err)
		}
		replacing := func() bool {
			due, err := loaded.UnguardedReplacing(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return due
		}
		before := replacing()
		if _, _, err := loaded.UnguardedReplaceClusters(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !before || replacing() {
			t.Errorf("stores are to be brought back: first %t, then %t", before, replacing())
		}
	})
}
