package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// bound is how long a call may take on a database that does not answer: ten seconds, and plenty of time for
// a busy machine. Without a limit it would take as long as the network waits, which is minutes.
const bound = time.Minute

func newDatabase(t *testing.T) string {
	t.Helper()
	url, err := postgres.CreateDatabase(t.Context(), fmt.Sprintf("test%d", databases.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// wantCut expects that reading and writing end with the sentence within the bound.
func (b bundle) wantCut(t *testing.T, sentence string) {
	t.Helper()
	for what, try := range map[string]func() error{
		"write": func() error { _, err := b.db.CreateStore(t.Context(), b.actor, b.request("Never")); return err },
		"read":  func() error { _, err := b.db.ListStores(t.Context(), b.actor, store.Query{}); return err },
		"check": func() error { return b.db.Check(t.Context()) },
	} {
		began := time.Now()
		wantUnavailable(t, try(), sentence)
		if took := time.Since(began); took > bound {
			t.Errorf("%s took %s", what, took)
		}
	}
}

// story collects the numbers of events while somebody else does things.
type story struct {
	sub  *database.Subscription
	last int64
}

// until reads events up to that number and expects that none is missing.
func (s *story) until(t *testing.T, number int64) {
	t.Helper()
	late := time.After(15 * time.Minute)
	for s.last < number {
		select {
		case e, open := <-s.sub.Events:
			if !open {
				t.Fatal("the subscription was closed")
			}
			if s.last != 0 && e.Number != s.last+1 {
				t.Fatalf("event %d follows event %d", e.Number, s.last)
			}
			s.last = e.Number
		case <-late:
			t.Fatalf("event %d has not come; the last is %d", number, s.last)
		}
	}
}

func newest(t *testing.T, db *database.DB) int64 {
	t.Helper()
	last, err := db.LastEvent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return last
}

func TestPostgresCutOffAndBack(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*storetest.Proxy){"silent": (*storetest.Proxy).Hold, "closed": (*storetest.Proxy).Close} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := newDatabase(t)
			proxy := storetest.NewProxy(t, postgres)
			b, log := logged(t, proxy.URL(t, direct))
			elsewhere := bundle{db: storetest.Open(t, direct), cluster: b.cluster, actor: b.actor, team: b.team}
			b.create(t, "Before")
			held := b.claim(t, "one")
			told := story{sub: b.db.Subscribe()}
			defer told.sub.Close()

			cut(proxy)
			b.wantCut(t, "The database isn’t responding")
			elsewhere.create(t, "Meanwhile")
			proxy.Open()
			b.untilWell(t)
			told.until(t, newest(t, elsewhere.db))
			if err := b.db.Renew(t.Context(), held, lease, 0); err != nil {
				t.Errorf("the claim did not outlive the cut: %v", err)
			}
			b.create(t, "After")
			elsewhere.create(t, "Elsewhere")
			told.until(t, newest(t, elsewhere.db))
			log.wantOnce(t, "The database isn’t responding")
		})
	}
}

// A transaction that is cut off in the middle holds locks that all others wait for.
func TestTransactionThatIsCutOffHoldsUpNobodyForLong(t *testing.T) {
	t.Parallel()
	direct := newDatabase(t)
	proxy := storetest.NewProxy(t, postgres)
	b, _ := logged(t, proxy.URL(t, direct))
	elsewhere := bundle{db: storetest.Open(t, direct), cluster: b.cluster, actor: b.actor, team: b.team}
	before := newest(t, elsewhere.db)
	var cut sync.WaitGroup
	err := database.WhileLocked(t.Context(), b.db, func() {
		proxy.Hold()
		cut.Go(func() {
			if _, err := elsewhere.db.CreateStore(t.Context(), b.actor, elsewhere.request("Waiting")); err != nil {
				t.Errorf("others wait in vain: %v", err)
			}
		})
	})
	cut.Wait()
	wantUnavailable(t, err, "The database isn’t responding")
	if now := newest(t, elsewhere.db); now != before+1 {
		t.Errorf("event %d follows event %d", now, before)
	}
}

// A router may lose connections without notice. The feed must listen on a new one, not only poll.
func TestFeedListensAgainAfterItWasForgotten(t *testing.T) {
	t.Parallel()
	direct := newDatabase(t)
	proxy := storetest.NewProxy(t, postgres)
	b, _ := logged(t, proxy.URL(t, direct))
	server := raw(t, direct)
	listening := func(connections int) func() bool {
		return func() bool {
			var n int
			err := server.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity
				WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'`).Scan(&n)
			return err == nil && n == connections
		}
	}
	b.eventually(t, "listening", listening(1))
	proxy.Strand()
	began := time.Now()
	b.eventually(t, "listening again", listening(2)) // the server still has the forgotten one
	t.Logf("it took %s", time.Since(began).Round(time.Second))
}

func TestPostgresCrashesAndComesBack(t *testing.T) {
	t.Parallel()
	server, err := storetest.StartPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	url, err := server.CreateDatabase(t.Context(), "crashing")
	if err != nil {
		t.Fatal(err)
	}
	b, log := logged(t, url)
	told := story{sub: b.db.Subscribe()}
	defer told.sub.Close()
	b.create(t, "Before")
	held := b.claim(t, "one")
	server.Crash()
	b.wantCut(t, "The database isn’t responding")
	if err := server.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.untilWell(t)
	if err := b.db.Renew(t.Context(), held, lease, 0); err != nil {
		t.Errorf("the claim did not outlive the crash: %v", err)
	}
	elsewhere := bundle{db: storetest.Open(t, url), cluster: b.cluster, actor: b.actor, team: b.team}
	elsewhere.create(t, "After")
	told.until(t, newest(t, b.db))
	log.wantOnce(t, "The database isn’t responding")
}

func TestPostgresThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	guarded, err := postgres.Guarded(t.Context(), "refusing", "right")
	if err != nil {
		t.Fatal(err)
	}
	proxy := storetest.NewProxy(t, postgres)
	proxy.Hold()
	for name, c := range map[string]struct {
		url, sentence string
		code          store.Code
		passing       bool
	}{
		"wrong password": {strings.Replace(guarded, "right", "hidden", 1), "rejects the user or the password", store.Unavailable, false},
		"no database":    {postgres.URL("nowhere"), "no database has that name", store.Unavailable, false},
		"no server":      {"postgres://me:hidden@127.0.0.1:1/x", "The database isn’t responding", store.Unavailable, true},
		"no name":        {"postgres://me:hidden@no-such-host.invalid/x", "The database isn’t responding", store.Unavailable, true},
		"no answer":      {proxy.URL(t, postgres.URL("postgres")), "The database isn’t responding", store.Unavailable, true},
		"no URL":         {"postgres://me:hidden@host:port/x", "SHOPWRIGHT_DATABASE_URL is invalid", store.Invalid, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := database.Open(t.Context(), c.url)
			e, ok := errors.AsType[*store.Error](err)
			if !ok || e.Code != c.code || !strings.Contains(e.Message, c.sentence) {
				t.Fatalf("got %v", err)
			}
			if database.Passing(err) != c.passing {
				t.Errorf("passing is %t: %v", !c.passing, err)
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("%v tells the password", err)
			}
			if took := time.Since(began); took > bound {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestPostgresWithoutAFreeConnection(t *testing.T) {
	t.Parallel()
	guarded, err := postgres.Guarded(t.Context(), "crowded", "right")
	if err != nil {
		t.Fatal(err)
	}
	admin := raw(t, postgres.URL("postgres"))
	b, log := logged(t, guarded)
	for _, statement := range []string{
		`ALTER ROLE crowded CONNECTION LIMIT 0`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'crowded'`,
	} {
		if _, err := admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	b.eventually(t, "crowded", func() bool {
		e, ok := errors.AsType[*store.Error](b.db.Check(t.Context()))
		return ok && strings.Contains(e.Message, "no free connection")
	})
	_, err = database.Open(t.Context(), guarded)
	wantUnavailable(t, err, "no free connection")
	if !database.Passing(err) {
		t.Error("a crowd does not pass")
	}
	if _, err := admin.ExecContext(t.Context(), `ALTER ROLE crowded CONNECTION LIMIT -1`); err != nil {
		t.Fatal(err)
	}
	b.untilWell(t)
	b.create(t, "After")
	if log.has("again") == 0 {
		t.Error("the log knows of no recovery")
	}
}

// openAndClose starts on the database and ends, as a process would.
func openAndClose(t *testing.T, url string) {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Error(err)
		return
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestManyProcessesStartOnOneEmptyDatabase(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { openAndClose(t, url) })
	}
	all.Wait()
}

func TestCallerWhoLeavesIsNoTrouble(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b, log := logged(t, url)
		gone, leave := context.WithCancel(t.Context())
		leave()
		hurried, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		for _, ctx := range []context.Context{gone, hurried} {
			if _, err := b.db.ListStores(ctx, b.actor, store.Query{}); err == nil {
				t.Error("a list for nobody")
			}
			if _, err := b.db.CreateStore(ctx, b.actor, b.request("Never")); err == nil {
				t.Error("a store for nobody")
			}
		}
		if log.has("ERROR") != 0 {
			t.Errorf("the log has\n%s", log.text.String())
		}
	})
}

// A claim may wait for concurrent claims. Its lease has the full length nevertheless, and its holder does
// not assume a longer one.
func TestLeaseIsWholeAfterWaitingForOthers(t *testing.T) {
	t.Parallel()
	direct := newDatabase(t)
	b := setup(t, direct)
	st := b.create(t, "Shop")
	plain, err := sql.Open("pgx", direct)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	claimed := make(chan store.Claim, 1)
	var released time.Time
	err = database.WhileLocked(t.Context(), b.db, func() {
		go func() { claimed <- b.claim(t, "one") }()
		untilOneWaits(t, plain)
		released = time.Now()
	})
	if err != nil {
		t.Fatal(err)
	}
	claim := <-claimed
	var until int64
	if err := plain.QueryRowContext(t.Context(), `SELECT claim_until FROM jobs WHERE store_id = $1`, st.ID).Scan(&until); err != nil {
		t.Fatal(err)
	}
	if least := released.Add(lease).UnixMicro(); until < least {
		t.Errorf("it is %s short", time.Duration(least-until)*time.Microsecond)
	}
	if believed := claim.From.Add(lease).UnixMicro(); claim.From.Before(released) || until < believed {
		t.Errorf("it ends %s before its holder believes", time.Duration(believed-until)*time.Microsecond)
	}
}

// A holder renews its lease in time, and the commit is slow. Another one that has found the
// store free meanwhile waits for the row, and must not take it.
func TestClaimIsNotTakenFromAHolderWhoRenews(t *testing.T) {
	t.Parallel()
	direct := newDatabase(t)
	b := setup(t, direct)
	st := b.create(t, "Shop")
	claim := b.claim(t, "one")
	if err := b.db.Renew(t.Context(), claim, -time.Second, 0); err != nil { // it has just run out
		t.Fatal(err)
	}
	plain, err := sql.Open("pgx", direct)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	renewal, err := plain.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour).UnixMicro()
	if _, err := renewal.ExecContext(t.Context(), `UPDATE jobs SET claim_until = $2 WHERE store_id = $1`, st.ID, until); err != nil {
		t.Fatal(err)
	}
	took := make(chan bool, 1)
	go func() {
		_, ok, err := b.db.Claim(t.Context(), "two", lease, store.Concurrency{})
		took <- ok || err != nil
	}()
	untilOneWaits(t, plain)
	if err := renewal.Commit(); err != nil {
		t.Fatal(err)
	}
	if <-took {
		t.Error("two hold one store")
	}
	if err := b.db.Renew(t.Context(), claim, lease, 0); err != nil {
		t.Errorf("the holder that renewed has lost it: %v", err)
	}
}

// untilOneWaits returns when a transaction waits for the lock that another has.
func untilOneWaits(t *testing.T, db *sql.DB) {
	t.Helper()
	const waits = `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for n := 0; n == 0; {
		if err := db.QueryRowContext(t.Context(), waits).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}
