package database_test

import (
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// What comes behind somebody else's store would tell when that was made, and what it is called.
func TestAPageBeginsBehindAStoreThatOneSees(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		first, gone := b.create(t, "A"), b.create(t, "B")
		b.create(t, "C")
		b.remove(t, b.actor, gone)
		stranger, team := storetest.Actor(t, b.db, "stranger")
		n := b.request("Theirs")
		n.TeamID = team
		theirs, err := b.db.CreateStore(t.Context(), stranger, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, sort := range []store.Sort{store.Newest, store.Oldest, store.ByName} {
			for _, id := range []string{theirs.ID, uuid.NewString()} {
				_, err := b.db.ListStores(t.Context(), b.actor, store.Query{Sort: sort, After: id, Limit: 10})
				wantError(t, err, store.Invalid, "after")
			}
		}
		for _, id := range []string{first.ID, gone.ID} {
			list, err := b.db.ListStores(t.Context(), b.actor, store.Query{Sort: store.ByName, After: id, Limit: 10})
			if err != nil || len(list.Stores) != 1 || list.Stores[0].Name != "C" {
				t.Errorf("behind %s are %+v, %v", id, list.Stores, err)
			}
		}
	})
}
