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

// countMail counts a mail of an invitation of mara's.
func (b bundle) countMail(t *testing.T, inv store.Invitation) (id string, err error) {
	t.Helper()
	return b.db.CountInvitationMail(t.Context(), b.now(t, "mara"), inv.TeamID, inv.ID)
}

func (b bundle) wantUnmailed(t *testing.T, inv store.Invitation, why string) {
	t.Helper()
	if _, err := b.countMail(t, inv); store.ErrorCode(err) != store.Limited || !strings.Contains(err.Error(), why) {
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
		mara := b.now(t, "mara")
		var counted atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := b.db.CountInvitationMail(t.Context(), mara, inv.TeamID, inv.ID); err == nil {
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
			if _, err := b.countMail(t, inv); err != nil {
				t.Fatal(err)
			}
		}
		b.wantUnmailed(t, b.invitationTo(t, "noa@example.com"), "This address received 5 invitation mails")
		other := b.invitationTo(t, "ida@example.com")
		id, err := b.countMail(t, other)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.db.UncountInvitationMail(t.Context(), mara, id); err != nil {
			t.Fatal(err)
		}
		mara = b.now(t, "mara")
		for i := range 25 {
			one, _ := b.invite(t, mara, other.TeamID, fmt.Sprintf("%d@example.com", i), store.Viewer)
			if _, err := b.countMail(t, one); err != nil {
				t.Fatal(err)
			}
		}
		b.wantUnmailed(t, b.invitationTo(t, "last@example.com"), "You sent 30 invitation mails")
		ageMails(t, url, 24*time.Hour)
		if _, err := b.countMail(t, inv); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}

func TestForeignInvitationsAreNotMailed(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		inv := b.invitationTo(t, "noa@example.com")
		stranger, member := b.now(t, "stranger"), b.now(t, "member")
		if err := b.db.AddMember(t.Context(), b.now(t, "mara"), inv.TeamID, member.UserID, store.Member); err != nil {
			t.Fatal(err)
		}
		_, err := b.db.CountInvitationMail(t.Context(), stranger, inv.TeamID, inv.ID)
		wantError(t, err, store.NotFound, "")
		_, err = b.db.CountInvitationMail(t.Context(), stranger, stranger.Teams(store.ManageMembers)[0], inv.ID)
		wantError(t, err, store.NotFound, "")
		_, err = b.db.CountInvitationMail(t.Context(), b.now(t, "member"), inv.TeamID, inv.ID)
		wantError(t, err, store.Forbidden, "")

		id, err := b.countMail(t, inv)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.db.UncountInvitationMail(t.Context(), stranger, id); err != nil {
			t.Fatal(err)
		}
		b.wantUnmailed(t, inv, "less than 10 minutes ago")
	})
}
