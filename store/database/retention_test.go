package database_test

import (
	"fmt"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// age makes all records older by that much, as if they had been made so long ago.
func (b bundle) age(t *testing.T, url string, by time.Duration) {
	t.Helper()
	db := raw(t, url)
	for _, statement := range []string{
		`UPDATE events SET created_at = created_at - $1`,
		`UPDATE stores SET deleted_at = deleted_at - $1 WHERE deleted_at > 0`,
		`UPDATE revisions SET ended_at = ended_at - $1 WHERE ended_at > 0`,
		`UPDATE api_tokens SET expires_at = expires_at - $1`,
		`UPDATE invitations SET expires_at = expires_at - $1`,
		`UPDATE counters SET value = value - $1 WHERE name = 'pruned'`,
	} {
		if _, err := db.ExecContext(t.Context(), statement, by.Microseconds()); err != nil {
			t.Fatal(err)
		}
	}
}

func (b bundle) prune(t *testing.T, keep store.Retention) int64 {
	t.Helper()
	n, err := b.db.Prune(t.Context(), keep)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// mailLater has an event of the store mailed to somebody: it is needed until the mail is sent.
func (b bundle) mailLater(t *testing.T, url string, st store.Store) {
	t.Helper()
	_, err := raw(t, url).ExecContext(t.Context(), `
		INSERT INTO mails (id, event, user_id, tries, due_at, created_at) SELECT 'later', MAX(number), $1, 0, 0, 0 FROM events WHERE NOT audit AND store_id = $2`,
		b.actor.UserID, st.ID)
	if err != nil {
		t.Fatal(err)
	}
}

func countRows(t *testing.T, url, of string) (n int) {
	t.Helper()
	if err := raw(t, url).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+of).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatIsTooOldIsPruned(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		living, gone := b.sells(t), b.create(t, "Gone")
		if _, err := b.db.RequestDelete(t.Context(), b.actor, gone.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		removal := b.claim(t, "one")
		b.advance(t, &removal, store.Progress{Step: store.StepUninstall})
		b.advance(t, &removal, store.Progress{Step: store.StepRemove})
		if _, err := b.db.Archive(t.Context(), removal, store.Note{}); err != nil {
			t.Fatal(err)
		}
		before := b.told(t, living)
		for range 3 {
			if _, err := b.db.UnguardedCheckSince(t.Context(), living.ID, time.Now()); err != nil {
				t.Fatal(err)
			}
			c, _ := b.claimCheck(t, 1)
			if _, err := b.db.RecordCheck(t.Context(), c, store.Check{OK: true}, 0); err != nil {
				t.Fatal(err)
			}
			if err := b.db.Release(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		b.token(t, store.ReadStores)
		team, mara := b.found(t, "Nordlicht", nil)
		b.invite(t, mara, team, "", store.Viewer)
		audited := countRows(t, url, "events WHERE audit")

		const month = 30 * 24 * time.Hour
		keep := store.Retention{Events: 3 * month, Deleted: 3 * month, Ended: month}
		b.age(t, url, 2*month)
		b.prune(t, keep)
		if n := countRows(t, url, "events WHERE kind = 'check.done'"); n != 3 {
			t.Errorf("%d checks are left before their time", n)
		}
		b.age(t, url, 24*month)
		if n := b.prune(t, store.Retention{}); n != 0 {
			t.Errorf("%d rows went that are kept for ever", n)
		}
		if n := b.prune(t, keep); n != 0 {
			t.Errorf("%d rows went in a second run on one day", n)
		}
		b.age(t, url, 25*time.Hour)
		b.mailLater(t, url, gone)
		b.prune(t, keep)
		for what, want := range map[string]int{
			"events WHERE kind = 'check.done'": 0, "events WHERE audit": audited, "stores": 1, "revisions": 1,
			"api_tokens": 0, "invitations": 0, fmt.Sprintf("events WHERE NOT audit AND store_id = '%s'", gone.ID): 1, // which is mailed
		} {
			if n := countRows(t, url, what); n != want {
				t.Errorf("%d %s are left, want %d", n, what, want)
			}
		}
		if now := b.told(t, living); now != before {
			t.Errorf("of the work that opened the store is left\n%s, want\n%s", now, before)
		}
	})
}

// told is what the page of the store tells, without checks.
func (b bundle) told(t *testing.T, st store.Store) string {
	t.Helper()
	events, err := b.db.StoreEvents(t.Context(), b.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	return kinds(events)
}

// A store that has been checked for years shows its newest events and all of its latest work.
func TestStoreShowsAPageOfItsEvents(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.open(t, "Shop", time.Nanosecond)
		for range 300 {
			b.check(t, store.Check{OK: true}, time.Nanosecond)
		}
		events, err := b.db.StoreEvents(t.Context(), b.actor, st.ID)
		if err != nil || len(events) > 120 || events[0].Kind != store.StoreCreated || events[len(events)-1].Kind != store.Checked {
			t.Errorf("%d events are shown, %v: %s", len(events), err, kinds(events))
		}
		for i := range events[1:] {
			if events[i].Number >= events[i+1].Number {
				t.Errorf("event %d comes before %d", events[i].Number, events[i+1].Number)
			}
		}
	})
}
