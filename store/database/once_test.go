package database_test

import (
	"sync"
	"testing"

	"shopwright.dev/shopwright/store"
)

func once(key, digest string) store.Once {
	return store.Once{Key: key, Digest: digest, Answer: func(st store.Store) (string, error) { return st.ID, nil }}
}

func TestOneKeyMakesOneStore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		var (
			all     sync.WaitGroup
			mu      sync.Mutex
			answers = map[string]int{}
		)
		for range 8 {
			all.Go(func() {
				answer, err := b.db.CreateStoreOnce(t.Context(), b.actor, b.request("Shop"), once("a key", "as asked"))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				answers[answer]++
			})
		}
		all.Wait()
		if n, err := b.db.CountStores(t.Context(), b.actor); n != 1 || err != nil || len(answers) != 1 {
			t.Errorf("%d stores, %v, and answers %v", n, err, answers)
		}
		_, err := b.db.CreateStoreOnce(t.Context(), b.actor, b.request("Other"), once("a key", "otherwise"))
		wantError(t, err, store.Invalid, "Idempotency-Key")
		stranger := b.now(t, "stranger")
		n := b.request("Theirs")
		n.TeamID = stranger.Teams(store.CreateStores)[0]
		if _, err := b.db.CreateStoreOnce(t.Context(), stranger, n, once("a key", "by another")); err != nil {
			t.Errorf("two people cannot use the same key: %v", err)
		}
	})
}

func TestOneKeyMakesOneTeam(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		var (
			all sync.WaitGroup
			mu  sync.Mutex
			ids = map[string]int{}
		)
		for range 8 {
			all.Go(func() {
				id, err := b.db.CreateTeamOnce(t.Context(), b.actor, "Nordwind", once("a key", ""))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ids[id]++
			})
		}
		all.Wait()
		teams, err := b.db.Teams(t.Context(), b.now(t, "mara"))
		if len(ids) != 1 || len(teams) != 2 || err != nil { // with the personal one
			t.Errorf("%d teams, %v, and answers %v", len(teams), err, ids)
		}
		_, err = b.db.CreateTeamOnce(t.Context(), b.actor, " ", once("second", ""))
		wantError(t, err, store.Invalid, "name")
	})
}

func TestKeysAreForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		n := b.request("Shop")
		n.Slug = "www"
		if _, err := b.db.CreateStoreOnce(t.Context(), b.actor, n, once("a key", "refused")); err == nil {
			t.Fatal("a reserved address is given away")
		}
		n.Slug = "shop"
		first, err := b.db.CreateStoreOnce(t.Context(), b.actor, n, once("a key", "mended"))
		if err != nil {
			t.Fatalf("what was refused keeps the key: %v", err)
		}
		n.Slug, n.Limits = "another", store.Limits{StoresPerUser: 1}
		if _, err := b.db.CreateStoreOnce(t.Context(), b.actor, n, once("second", "beyond the limit")); store.ErrorCode(err) != store.Limited {
			t.Errorf("beyond the limit: %v", err)
		}
		n.Limits = store.Limits{}
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE idempotency_keys SET created_at = created_at - $1`, store.KeyLifetime.Microseconds()); err != nil {
			t.Fatal(err)
		}
		second, err := b.db.CreateStoreOnce(t.Context(), b.actor, n, once("a key", "another day"))
		if err != nil || second == first {
			t.Errorf("after its time the key gives %q, %v", second, err)
		}
	})
}

func TestPagesBehindAStore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for _, name := range []string{"delta", "Bravo", "alpha", "Charlie", "bravo"} {
			b.create(t, name)
		}
		for sort, want := range map[store.Sort]string{
			store.Newest: "bravo Charlie alpha Bravo delta ", store.Oldest: "delta Bravo alpha Charlie bravo ", store.ByName: "alpha Bravo bravo Charlie delta ",
		} {
			got, after := "", ""
			for range 6 {
				list, err := b.db.ListStores(t.Context(), b.actor, store.Query{Sort: sort, After: after, Limit: 1})
				if err != nil || list.Total != 5 {
					t.Fatalf("%d stores, %v", list.Total, err)
				}
				for _, st := range list.Stores {
					got, after = got+st.Name+" ", st.ID
				}
			}
			if got != want {
				t.Errorf("by %s: %s", sort, got)
			}
		}
	})
}

func TestTheAnswerOfAKeyIsRecalled(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		if answer, err := b.db.Recall(t.Context(), b.actor, once("a key", "as asked")); answer != "" || err != nil {
			t.Errorf("before it was used: %q, %v", answer, err)
		}
		made, err := b.db.CreateStoreOnce(t.Context(), b.actor, b.request("Shop"), once("a key", "as asked"))
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := b.db.Recall(t.Context(), b.actor, once("a key", "as asked")); answer != made || err != nil {
			t.Errorf("recalled %q, %v", answer, err)
		}
		_, err = b.db.Recall(t.Context(), b.actor, once("a key", "otherwise"))
		wantError(t, err, store.Invalid, "Idempotency-Key")
		if answer, err := b.db.Recall(t.Context(), b.now(t, "stranger"), once("a key", "as asked")); answer != "" || err != nil {
			t.Errorf("to somebody else: %q, %v", answer, err)
		}
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE idempotency_keys SET created_at = created_at - $1`, store.KeyLifetime.Microseconds()); err != nil {
			t.Fatal(err)
		}
		if answer, err := b.db.Recall(t.Context(), b.actor, once("a key", "as asked")); answer != "" || err != nil {
			t.Errorf("when it is forgotten: %q, %v", answer, err)
		}
	})
}
