package database_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// ageMails makes the counted mails look as if so much time had passed.
func ageMails(t *testing.T, url string, d time.Duration) {
	t.Helper()
	if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE invitation_mails SET sent_at = sent_at - $1`, d.Microseconds()); err != nil {
		t.Fatal(err)
	}
}

func (b bundle) wantUnmailed(t *testing.T, inv store.Invitation, why string) {
	t.Helper()
	if _, err := b.db.CountInvitationMail(t.Context(), inv); store.ErrorCode(err) != store.Limited || !strings.Contains(err.Error(), why) {
		t.Errorf("a mail to %s is refused with %v, want %q", inv.Email, err, why)
	}
}

// invitationTo is an invitation of mara's to a team of its own.
func (b bundle) invitationTo(t *testing.T, email string) store.Invitation {
	t.Helper()
	team, by := b.found(t, "Team", nil)
	inv, _ := b.invite(t, by, team, email, store.Viewer)
	return inv
}

func TestInvitationsAreMailedWithinLimits(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		inv := b.invitationTo(t, "noa@example.com")
		var counted atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := b.db.CountInvitationMail(t.Context(), inv); err == nil {
					counted.Add(1)
				}
			})
		}
		all.Wait()
		if counted.Load() != 1 {
			t.Errorf("%d of 8 mails at once are sent", counted.Load())
		}
		b.wantUnmailed(t, inv, "less than 10 minutes ago")
		for range 4 {
			ageMails(t, url, 11*time.Minute)
			if _, err := b.db.CountInvitationMail(t.Context(), inv); err != nil {
				t.Fatal(err)
			}
		}
		b.wantUnmailed(t, b.invitationTo(t, "noa@example.com"), "This address received 5 invitation mails")
		other := b.invitationTo(t, "ida@example.com")
		id, err := b.db.CountInvitationMail(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.db.UncountInvitationMail(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		for i := range 25 {
			other.ID, other.Email = fmt.Sprint(i), fmt.Sprintf("%d@example.com", i)
			if _, err := b.db.CountInvitationMail(t.Context(), other); err != nil {
				t.Fatal(err)
			}
		}
		b.wantUnmailed(t, b.invitationTo(t, "last@example.com"), "You sent 30 invitation mails")
		ageMails(t, url, 24*time.Hour)
		if _, err := b.db.CountInvitationMail(t.Context(), inv); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}
