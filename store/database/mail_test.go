package database_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// mail queues and takes all mail that is due, each as whom it is for and what it is about.
func (b bundle) mail(t *testing.T) (all []string, taken []store.Mail) {
	t.Helper()
	if err := b.db.QueueMail(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		m, ok, err := b.db.ClaimMail(t.Context(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			slices.Sort(all)
			return all, taken
		}
		all, taken = append(all, fmt.Sprintf("%s: %s of %s", m.To.Name, m.Event.Kind, m.Store.Name)), append(taken, m)
	}
}

func (b bundle) wantMail(t *testing.T, want ...string) []store.Mail {
	t.Helper()
	all, taken := b.mail(t)
	if !slices.Equal(all, want) {
		t.Errorf("mail is %q, want %q", all, want)
	}
	return taken
}

func TestMailGoesToThoseWhomItConcerns(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.open(t, "Before", 0)
		b.wantMail(t) // of what was before the first look nobody is told
		b.add(t, "admin", store.TeamAdmin)
		member := b.add(t, "member", store.Member)
		b.add(t, "viewer", store.Viewer)

		st, err := b.db.CreateStore(t.Context(), member, b.request("Shop"))
		if err != nil {
			t.Fatal(err)
		}
		b.wantMail(t)
		failed := b.claim(t, "one")
		if _, err := b.db.Fail(t.Context(), failed, store.Failure{Code: store.TimedOut}); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Release(t.Context(), failed); err != nil {
			t.Fatal(err)
		}
		b.wantMail(t, "member: store.failed of Shop")
		if _, err := b.db.Retry(t.Context(), b.actor, st.ID); err != nil {
			t.Fatal(err)
		}
		c := b.claim(t, "two")
		if _, err := b.db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true}, Next: time.Nanosecond}); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		b.wantMail(t, "mara: store.ready of Shop")
		for range 3 { // the second makes it degraded, and the third is no news
			c, due := b.claimCheck(t, 1)
			if !due {
				t.Fatal("nothing is due")
			}
			if _, err := b.db.RecordCheck(t.Context(), c, store.Check{Failed: "cart"}, time.Nanosecond); err != nil {
				t.Fatal(err)
			}
			if err := b.db.Release(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		b.wantMail(t, "admin: store.degraded of Shop", "mara: store.degraded of Shop")
	})
}

func TestMailIsNotSentToWhoHasLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.wantMail(t)
		member := b.add(t, "member", store.Member)
		if _, err := b.db.CreateStore(t.Context(), member, b.request("Shop")); err != nil {
			t.Fatal(err)
		}
		if err := b.db.RemoveMember(t.Context(), b.actor, b.team, member.UserID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.Fail(t.Context(), b.claim(t, "one"), store.Failure{Code: store.TimedOut}); err != nil {
			t.Fatal(err)
		}
		b.wantMail(t)
	})
}

// TestMailIsQueuedAndTakenOnce has several processes look at the same events at once.
func TestMailIsQueuedAndTakenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.wantMail(t)
		const stores = 10
		for n := range stores {
			b.open(t, fmt.Sprint("Shop ", n), 0)
		}
		processes := b.processes(t, url, 3)
		var (
			all   sync.WaitGroup
			mu    sync.Mutex
			taken = map[string]int{}
		)
		for _, db := range processes {
			all.Go(func() {
				if err := db.QueueMail(t.Context()); err != nil {
					t.Error(err)
				}
				for range 3 * stores {
					m, ok, err := db.ClaimMail(t.Context(), time.Hour)
					if err != nil {
						t.Error(err)
					}
					if ok {
						mu.Lock()
						taken[m.Store.Name]++
						mu.Unlock()
					}
				}
			})
		}
		all.Wait()
		if len(taken) != stores {
			t.Errorf("taken are %v", taken)
		}
		for name, n := range taken {
			if n != 1 {
				t.Errorf("%s is told %d times", name, n)
			}
		}
	})
}

func TestMailIsTriedAgainAndGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.wantMail(t)
		b.open(t, "Shop", 0)
		m := b.wantMail(t, "mara: store.ready of Shop")[0]
		b.wantMail(t) // while the lease lasts
		tries := 1
		for ; ; tries++ {
			givenUp, err := b.db.MailFailed(t.Context(), m, 0)
			if err != nil {
				t.Fatal(err)
			}
			if givenUp {
				break
			}
			if m = b.wantMail(t, "mara: store.ready of Shop")[0]; m.Tries != tries+1 {
				t.Fatalf("try %d is counted as %d", tries+1, m.Tries)
			}
		}
		if tries < 5 {
			t.Errorf("given up after %d tries", tries)
		}
		b.wantMail(t)

		b.open(t, "Other", 0)
		other := b.wantMail(t, "mara: store.ready of Other")[0]
		if err := b.db.MailSent(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.MailFailed(t.Context(), other, 0); err != nil {
			t.Fatal(err)
		}
		b.wantMail(t)
	})
}

// One mail about what is gone does not hold up the others.
func TestMailAboutWhatIsGoneIsDropped(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.wantMail(t)
		b.open(t, "First", 0)
		b.open(t, "Second", 0)
		if err := b.db.QueueMail(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := raw(t, url).ExecContext(t.Context(), `DELETE FROM events WHERE number = (SELECT MIN(event) FROM mails)`); err != nil {
			t.Fatal(err)
		}
		b.wantMail(t, "mara: store.ready of Second")
		if n := countRows(t, url, "mails"); n != 1 {
			t.Errorf("%d mails are left", n)
		}
	})
}

// Mail that was off for days sends nothing about old events.
func TestOldNewsAreNotMailed(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.wantMail(t)
		b.open(t, "Old", 0)
		b.age(t, url, 25*time.Hour)
		b.open(t, "New", 0)
		b.wantMail(t, "mara: store.ready of New")
	})
}
