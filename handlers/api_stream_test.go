package handlers_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// programIn comes with a token of somebody for a team.
func (s site) programIn(who store.Actor, team string, scopes ...store.Scope) program {
	s.t.Helper()
	_, secret, err := s.db.CreateToken(s.t.Context(), who, store.NewToken{TeamID: team, Name: "test", Scopes: scopes, Lifetime: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	return program{site: s, token: secret, routes: s.document()}
}

// What the activity hides, the stream of it does: of what was, and of what is.
func TestProgramsAreNotToldWhoIsInvited(t *testing.T) {
	t.Parallel()
	s := serve(t)
	owner, _ := storetest.Actor(t, s.db, "owner")
	team, err := s.db.CreateTeam(t.Context(), owner, "Bakers")
	if err != nil {
		t.Fatal(err)
	}
	owner, _ = storetest.Actor(t, s.db, "owner")
	_, secret, err := s.db.Invite(t.Context(), owner, store.NewInvitation{TeamID: team.ID, Role: store.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	viewer, _ := storetest.Actor(t, s.db, "viewer")
	if _, err := s.db.AcceptInvitation(t.Context(), viewer, secret); err != nil {
		t.Fatal(err)
	}
	viewer, _ = storetest.Actor(t, s.db, "viewer")
	invite := func(email string) {
		t.Helper()
		if _, _, err := s.db.Invite(t.Context(), owner, store.NewInvitation{TeamID: team.ID, Email: email, Role: store.Viewer}); err != nil {
			t.Fatal(err)
		}
	}
	invite("before@example.com")
	for name, p := range map[string]program{
		"of a viewer": s.programIn(viewer, team.ID, store.ReadStores), "of an owner that may only read stores": s.programIn(owner, team.ID, store.ReadStores),
	} {
		stream := p.open("/events", "Last-Event-ID: 0")
		invite(strings.ReplaceAll(name, " ", ".") + "@example.com")
		for lines, invited := bufio.NewScanner(stream.Body), 0; invited < 3; {
			_, kind, e := told(lines)
			if kind == "" {
				t.Fatal("the stream has ended")
			}
			if kind == "member.invited" {
				invited++
				if e.Object != "" && e.Object != "anybody with the link" {
					t.Errorf("a token %s is told of %s", name, e.Object)
				}
			}
			if strings.Contains(e.Object, "of.an.owner") {
				break
			}
		}
		_ = stream.Body.Close()
	}
}

// Whoever administers no longer is told of the installation no longer.
func TestStreamsEndWithTheRightToAdminister(t *testing.T) {
	t.Parallel()
	s := serve(t)
	root := storetest.Admin(t, s.db)
	who, team := storetest.Actor(t, s.db, "second")
	if err := s.db.MakeAdmin(t.Context(), root, who.UserID); err != nil {
		t.Fatal(err)
	}
	who.Admin = true
	p := s.programIn(who, team, store.ReadStores, store.Administer)
	stream := p.open("/events")
	defer func() { _ = stream.Body.Close() }()
	lines := bufio.NewScanner(stream.Body)
	if err := s.db.RevokeAdmin(t.Context(), root, who.UserID, store.Admission{}); err != nil {
		t.Fatal(err)
	}
	if err := s.db.AddPlan(t.Context(), root, store.Plan{Name: "large", Label: "Large", CPU: 1, Memory: 1, Disk: 1, Pods: 1}); err != nil {
		t.Fatal(err)
	}
	for {
		_, kind, _ := told(lines)
		if kind == "" {
			return
		}
		if kind == "plan.added" {
			t.Fatal("the stream goes on")
		}
	}
}

// A log in which nothing is written is answered at once, and its connection is kept.
func TestQuietLogsAreFollowed(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	quiet := s.site
	quiet.app.SetHeartbeat(50 * time.Millisecond)
	p := open(quiet).program(store.ReadStores)
	path := "/stores/" + s.st.ID + "/logs?pod=mariadb-0&follow=true&since=2099-01-02T15:04:05Z"
	for _, kind := range []string{"text/plain", "application/x-ndjson"} {
		stream := p.open(path, "Accept: "+kind)
		lines := bufio.NewScanner(stream.Body)
		for range 2 {
			if !lines.Scan() || lines.Text() != "" {
				t.Errorf("%s: kept by %q, %v", kind, lines.Text(), lines.Err())
			}
		}
		_ = stream.Body.Close()
	}
	finite := p.call(http.MethodGet, strings.Replace(path, "follow=true", "follow=false", 1), nil)
	if finite.status != http.StatusOK || finite.body != "" {
		t.Errorf("a log that is not followed is %d %q", finite.status, finite.body)
	}
}
