package database_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// found is a team of mara's, with people in it.
func (b bundle) found(t *testing.T, name string, people map[string]store.Role) (team string, by store.Actor) {
	t.Helper()
	made, err := b.db.CreateTeam(t.Context(), b.actor, name)
	if err != nil {
		t.Fatal(err)
	}
	by = b.now(t, "mara")
	for person, role := range people {
		if err := b.db.AddMember(t.Context(), by, made.ID, b.now(t, person).UserID, role); err != nil {
			t.Fatal(err)
		}
	}
	return made.ID, by
}

// newest returns the newest event of the audit log, as an administrator sees it.
func (b bundle) newest(t *testing.T) store.Event {
	t.Helper()
	events, err := b.db.Audit(t.Context(), store.Actor{UserID: "root", Admin: true}, store.AuditQuery{Limit: 1})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	return events[0]
}

func TestTeamsAreMadeRenamedAndDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		_, err := b.db.CreateTeam(t.Context(), b.actor, " \u202e ")
		wantError(t, err, store.Invalid, "name")
		team, mara := b.found(t, "  Nord   licht ", map[string]store.Role{"admin": store.TeamAdmin, "guest": store.Viewer})
		if e := b.newest(t); e.Kind != store.MemberAdded {
			t.Errorf("the last deed is %s", e.Kind)
		}
		admin, guest, stranger := b.now(t, "admin"), b.now(t, "guest"), b.now(t, "stranger")

		wantError(t, b.db.RenameTeam(t.Context(), stranger, team, "x"), store.NotFound, "")
		wantError(t, b.db.RenameTeam(t.Context(), guest, team, ""), store.Forbidden, "")
		wantError(t, b.db.RenameTeam(t.Context(), admin, team, strings.Repeat("x", 121)), store.Invalid, "name")
		if err := b.db.RenameTeam(t.Context(), admin, team, "Nordlicht"); err != nil {
			t.Fatal(err)
		}
		if e := b.newest(t); e.Kind != store.TeamRenamed || e.Data.Before != "Nord licht" || e.Data.After != "Nordlicht" || e.TeamID != team {
			t.Errorf("recorded as %+v", e)
		}
		teams, err := b.db.ListTeams(t.Context(), guest)
		if err != nil || len(teams) != 2 || teams[1].Name != "Nordlicht" || teams[1].Members != 3 || teams[1].Stores != 0 || teams[1].Role != store.Viewer {
			t.Errorf("the guest's teams: %+v, %v", teams, err)
		}

		request := b.request("Shop")
		request.TeamID = team
		st, err := b.db.CreateStore(t.Context(), mara, request)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, b.db.DeleteTeam(t.Context(), stranger, team), store.NotFound, "")
		wantError(t, b.db.DeleteTeam(t.Context(), admin, team), store.Forbidden, "")
		wantError(t, b.db.DeleteTeam(t.Context(), mara, team), store.Conflict, "")
		wantError(t, b.db.DeleteTeam(t.Context(), mara, b.team), store.Conflict, "")
		b.remove(t, mara, st)
		if err := b.db.DeleteTeam(t.Context(), mara, team); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.FindTeam(t.Context(), b.now(t, "guest"), team); store.ErrorCode(err) != store.NotFound {
			t.Errorf("a deleted team is found: %v", err)
		}
		_, err = b.db.CreateStore(t.Context(), mara, request) // as somebody whose roles were read before
		wantError(t, err, store.NotFound, "")
		wantError(t, b.db.RenameTeam(t.Context(), mara, team, "Back"), store.NotFound, "")
	})
}

func (b bundle) remove(t *testing.T, by store.Actor, st store.Store) {
	t.Helper()
	if _, err := b.db.RequestDelete(t.Context(), by, st.ID, store.DeleteRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.Archive(t.Context(), b.claim(t, "one"), store.Note{}); err != nil {
		t.Fatal(err)
	}
}

func TestMembersAreNamed(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"guest": store.Viewer, "admin": store.TeamAdmin})
		members, err := b.db.Members(t.Context(), mara, team)
		if err != nil || len(members) != 3 {
			t.Fatalf("%+v, %v", members, err)
		}
		for i, want := range []store.TeamMember{{Name: "mara", Role: store.Owner}, {Name: "admin", Role: store.TeamAdmin}, {Name: "guest", Role: store.Viewer}} {
			if m := members[i]; m.Name != want.Name || m.Role != want.Role || m.Email != want.Name+"@example.com" || time.Since(m.Since) > time.Minute {
				t.Errorf("member %d is %+v", i, m)
			}
		}
		seen, err := b.db.Members(t.Context(), b.now(t, "guest"), team)
		if err != nil || len(seen) != 3 || seen[0].Name != "mara" || seen[0].Email != "" {
			t.Errorf("a viewer sees %+v, %v", seen, err)
		}
		_, err = b.db.Members(t.Context(), b.now(t, "stranger"), team)
		wantError(t, err, store.NotFound, "")
	})
}

func TestForeignTeamsDoNotExist(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		stranger, own := storetest.Actor(t, b.db, "stranger")
		narrow := mara
		narrow.Roles = map[string]store.Role{team: store.Owner} // as a token has them
		for _, c := range []struct {
			actor store.Actor
			want  []string
		}{{mara, []string{b.team, team}}, {narrow, []string{team}}, {stranger, []string{own}}, {store.Actor{UserID: mara.UserID}, nil}} {
			teams, err := b.db.Teams(t.Context(), c.actor)
			if err != nil || !slices.EqualFunc(teams, c.want, func(t store.Team, id string) bool { return t.ID == id }) {
				t.Errorf("%+v has the teams %+v, %v", c.actor, teams, err)
			}
			names, err := b.db.TeamNames(t.Context(), c.actor, []string{b.team, team, own})
			if err != nil || len(names) != len(c.want) {
				t.Errorf("%+v is told the names %v, %v", c.actor, names, err)
			}
		}
		viewer := store.Actor{UserID: "viewer", Roles: map[string]store.Role{team: store.Viewer}}
		for _, actor := range []store.Actor{stranger, viewer, {}} {
			_, err := b.db.TeamPlan(t.Context(), actor, team)
			wantError(t, err, store.Forbidden, "")
		}
		for _, actor := range []store.Actor{viewer, {}} {
			_, err := b.db.FreeSlug(t.Context(), actor, "shop")
			wantError(t, err, store.Forbidden, "")
		}
		if slug, err := b.db.FreeSlug(t.Context(), stranger, "shop"); err != nil || slug != "shop" {
			t.Errorf("the free slug is %q, %v", slug, err)
		}
	})
}

func TestRolesChange(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"admin": store.TeamAdmin, "member": store.Member})
		admin, member := b.now(t, "admin"), b.now(t, "member")
		change := func(by, whom store.Actor, to store.Role) error {
			return b.db.ChangeRole(t.Context(), by, team, whom.UserID, to)
		}
		wantError(t, change(b.now(t, "stranger"), member, store.Viewer), store.NotFound, "")
		wantError(t, change(member, member, store.Owner), store.Forbidden, "")
		wantError(t, change(admin, member, store.Owner), store.Forbidden, "")
		wantError(t, change(admin, mara, store.Viewer), store.Forbidden, "")
		wantError(t, change(mara, mara, store.Member), store.Conflict, "")
		wantError(t, change(mara, member, "king"), store.Invalid, "role")
		wantError(t, change(mara, b.now(t, "stranger"), store.Viewer), store.NotFound, "")
		if err := change(mara, member, store.Member); err != nil || b.newest(t).Kind == store.RoleChanged {
			t.Errorf("the same role again: %v", err)
		}
		if err := change(mara, member, store.Owner); err != nil {
			t.Fatal(err)
		}
		if e := b.newest(t); e.Kind != store.RoleChanged || e.RightsOf() != member.UserID || e.Data.Before != "member" || e.Data.After != "owner" || e.Object != "member" {
			t.Errorf("recorded as %+v", e)
		}
		if err := change(b.now(t, "member"), mara, store.Viewer); err != nil {
			t.Errorf("one of two owners stays one: %v", err)
		}
		wantError(t, change(mara, admin, store.Viewer), store.Forbidden, "") // mara was an owner when her roles were read
	})
}

func TestTeamsHaveABound(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		results := make([]error, 60)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() { _, results[i] = b.db.CreateTeam(t.Context(), b.actor, "Team") })
		}
		all.Wait()
		made := 0
		for _, err := range results {
			if err == nil {
				made++
				continue
			}
			wantError(t, err, store.Limited, "")
		}
		if made != 49 {
			t.Errorf("%d teams beside the personal one", made)
		}
	})
}

// TestATeamIsDeletedWhileAStoreIsMade leaves either a team with a store or neither.
func TestATeamIsDeletedWhileAStoreIsMade(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for range 10 {
			team, mara := b.found(t, "Brief", nil)
			request := b.request("Shop")
			request.TeamID = team
			var made, deleted error
			var both sync.WaitGroup
			both.Go(func() { _, made = b.db.CreateStore(t.Context(), mara, request) })
			both.Go(func() { deleted = b.db.DeleteTeam(t.Context(), mara, team) })
			both.Wait()
			if (made == nil) == (deleted == nil) {
				t.Fatalf("made: %v, deleted: %v", made, deleted)
			}
		}
	})
}

func TestTokensChangeTeamsByTheirScopes(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"guest": store.Viewer})
		token := b.now(t, "guest")
		token.Token, token.Scopes = "deploy", []store.Scope{store.ReadTeam}
		_, err := b.db.CreateTeam(t.Context(), token, "Mine")
		wantError(t, err, store.Forbidden, "")
		wantError(t, b.db.RemoveMember(t.Context(), token, team, token.UserID), store.Forbidden, "")
		_, secret, err := b.db.Invite(t.Context(), mara, store.NewInvitation{TeamID: team, Role: store.Viewer})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.db.AcceptInvitation(t.Context(), token, secret)
		wantError(t, err, store.Forbidden, "")
		owner := mara
		owner.Token, owner.Scopes = "deploy", []store.Scope{store.ReadTeam}
		wantError(t, b.db.RenameTeam(t.Context(), owner, team, "x"), store.Forbidden, "")
		token.Scopes = []store.Scope{store.WriteTeam}
		if err := b.db.RemoveMember(t.Context(), token, team, token.UserID); err != nil {
			t.Error(err)
		}
	})
}
