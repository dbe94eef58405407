package database_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// A team gets another plan while a store of it is being created on Postgres: one waits for the other.
func TestPlanThatIsSetBesideACreateIsTheNewStoresToo(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	b := setup(t, url)
	admin := storetest.Admin(t, b.db)
	other := raw(t, url)
	hold, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Rollback() //nolint:errcheck // it was committed
	// The new store's row refers to its team's: it is created up to there.
	if _, err := hold.ExecContext(t.Context(), `SELECT 1 FROM teams WHERE id = $1 FOR UPDATE`, b.team); err != nil {
		t.Fatal(err)
	}
	created, set := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := b.db.CreateStore(t.Context(), b.actor, b.request("Shop"))
		created <- err
	}()
	untilBlocked(t, other)
	go func() { set <- b.db.SetTeamPlan(t.Context(), admin, b.team, "free") }()
	untilAllBlocked(t, other, 2)
	if err := hold.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, done := range []chan error{created, set} {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	stores, err := b.db.ListStores(t.Context(), b.actor, store.Query{Limit: 1})
	if err != nil || len(stores.Stores) != 1 || stores.Stores[0].Plan != "free" {
		t.Errorf("the plan is not the new store’s: %+v, %v", stores.Stores, err)
	}
}
