package database_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

var (
	postgres  *storetest.Server
	databases atomic.Int32
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	server, err := storetest.StartPostgres(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "the database must be tested on Postgres too:", err)
		return 1
	}
	postgres = server
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop Postgres:", err)
		return 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// onBoth runs the test on an empty SQLite file and on an empty Postgres database.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "shopwright.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url, err := postgres.CreateDatabase(t.Context(), fmt.Sprintf("test%d", databases.Add(1)))
		if err != nil {
			t.Fatal(err)
		}
		test(t, url)
	})
}

// bundle is what most tests begin with.
type bundle struct {
	db      *database.DB
	cluster store.Cluster
	actor   store.Actor
	team    string
}

func setup(t *testing.T, url string) bundle {
	t.Helper()
	db := storetest.Open(t, url)
	actor, team := storetest.Actor(t, db, "mara")
	return bundle{db: db, cluster: storetest.Cluster(t, db), actor: actor, team: team}
}

func (b bundle) create(t *testing.T, name string) store.Store {
	t.Helper()
	st, err := b.db.CreateStore(t.Context(), b.actor, b.request(name))
	if err != nil {
		t.Fatalf("create %q: %v", name, err)
	}
	return st
}

// store reads the record as it is now.
func (b bundle) store(t *testing.T, id string) store.Store {
	t.Helper()
	st, err := b.db.UnguardedStore(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (b bundle) wantPlace(t *testing.T, want store.Place) {
	t.Helper()
	if places, err := b.db.UnguardedPlaces(t.Context(), b.cluster.ID); err != nil || !reflect.DeepEqual(places, []store.Place{want}) {
		t.Errorf("stores are at %+v, %v; want %+v", places, err, want)
	}
}

func (b bundle) request(name string) store.NewStore {
	return store.NewStore{TeamID: b.team, Cluster: b.cluster, Name: name, Engine: "woocommerce"}
}

func kinds(events []store.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, string(e.Kind)+"/"+string(e.Step))
	}
	return strings.Join(all, " ")
}
