package database_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// A store counts for every owner of its team, regardless of who created it.
func TestStoresCountForTheOwnersOfTheirTeam(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		member, own := storetest.Actor(t, b.db, "member")
		if err := b.db.AddMember(t.Context(), b.actor, b.team, member.UserID, store.Member); err != nil {
			t.Fatal(err)
		}
		member.Roles[b.team] = store.Member
		asked := b.request("Shop")
		asked.Limits = store.Limits{StoresPerUser: 2}
		for range 2 {
			if _, err := b.db.CreateStore(t.Context(), member, asked); err != nil {
				t.Fatal(err)
			}
		}
		_, err := b.db.CreateStore(t.Context(), member, asked)
		wantError(t, err, store.Limited, "")
		if !strings.Contains(err.Error(), "mara, an owner of this team, has 2 of 2 stores") {
			t.Errorf("the member is told %v", err)
		}
		_, err = b.db.CreateStore(t.Context(), b.actor, asked)
		if wantError(t, err, store.Limited, ""); !strings.Contains(err.Error(), "You have 2 of 2 stores") {
			t.Errorf("the owner is told %v", err)
		}
		quotas, err := b.db.Quotas(t.Context(), member, b.team, asked.Limits)
		if narrow := store.Narrowest(quotas); err != nil || narrow.Of != store.QuotaOfOwner || narrow.Used != 2 || narrow.Allowed != 2 || !narrow.Full() {
			t.Errorf("the member is shown %+v, %v", quotas, err)
		}
		asked.TeamID = own
		if _, err := b.db.CreateStore(t.Context(), member, asked); err != nil {
			t.Errorf("in a team of one's own: %v", err)
		}
		if _, err := b.db.Quotas(t.Context(), b.actor, own, asked.Limits); store.ErrorCode(err) != store.NotFound {
			t.Errorf("somebody else's quotas: %v", err)
		}
	})
}

// The rate is counted from the database: it outlasts the process, and what was deleted.
func TestCreateRateOutlastsTheProcess(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		asked := b.request("Shop")
		asked.Limits = store.Limits{Creates: store.Rate{Times: 2, Within: time.Hour}}
		st := b.create(t, "First")
		b.archive(t, st.ID)
		if _, err := b.db.CreateStore(t.Context(), b.actor, asked); err != nil {
			t.Fatal(err)
		}
		again := storetest.Open(t, url)
		_, err := again.CreateStore(t.Context(), b.actor, asked)
		wantError(t, err, store.Limited, "")
		refused, _ := errors.AsType[*store.Error](err)
		if refused.RetryAfter < 59*time.Minute || refused.RetryAfter > time.Hour || !strings.Contains(refused.Message, "2 stores within 1 hour") || !strings.Contains(refused.Message, "in 60 minutes") {
			t.Errorf("to be asked again in %s: %s", refused.RetryAfter, refused.Message)
		}
		other, team := storetest.Actor(t, b.db, "other")
		theirs := asked
		theirs.TeamID = team
		if _, err := again.CreateStore(t.Context(), other, theirs); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE stores SET created_at = created_at - $1 WHERE id = $2`, time.Hour.Microseconds(), st.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := again.CreateStore(t.Context(), b.actor, asked); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

// archive has the store go, as the platform would.
func (b bundle) archive(t *testing.T, id string) {
	t.Helper()
	if _, err := b.db.RequestDelete(t.Context(), b.actor, id, store.DeleteRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.Archive(t.Context(), b.claim(t, "one"), store.Note{}); err != nil {
		t.Fatal(err)
	}
}

func TestThePaceIsShown(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		rate := store.Rate{Times: 2, Within: time.Hour}
		if p, err := b.db.Pace(t.Context(), b.actor, store.Rate{}); err != nil || p != (store.Pace{}) {
			t.Errorf("without a limit: %+v, %v", p, err)
		}
		b.create(t, "One")
		if p, err := b.db.Pace(t.Context(), b.actor, rate); err != nil || p.Used != 1 || p.Wait != 0 || p.Refusal() != "" {
			t.Errorf("after one of two: %+v, %v", p, err)
		}
		b.create(t, "Two")
		if p, err := b.db.Pace(t.Context(), b.actor, rate); err != nil || p.Used != 2 || p.Wait < 59*time.Minute || !strings.Contains(p.Refusal(), "You created 2 stores within 1 hour, which is the limit. Try again in ") {
			t.Errorf("after two of two: %+v, %q, %v", p, p.Refusal(), err)
		}
	})
}
