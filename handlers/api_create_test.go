package handlers_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// The answer to a key is what it was, whatever the installation offers meanwhile.
func TestTwiceWithOneKeyAfterThePlanHasChanged(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	body := `{"name": "Once", "engine": "woocommerce"}`
	first := p.call("POST", "/stores", body, "Idempotency-Key: one")
	read[v1.Store](t, first, 202)
	tiny := store.Plan{Name: store.StandardPlan, Label: "Tiny", CPU: 1, Memory: 1, Disk: 1, Pods: 1}
	if err := s.db.SavePlan(t.Context(), storetest.Admin(t, s.db), tiny); err != nil {
		t.Fatal(err)
	}
	if again := p.call("POST", "/stores", body, "Idempotency-Key: one"); again.status != 202 || again.body != first.body {
		t.Errorf("the same request is answered %d %s", again.status, again.body)
	}
	p.wantProblem(p.call("POST", "/stores", `{"name": "Other", "engine": "woocommerce"}`, "Idempotency-Key: one"), 422, "invalid")
	p.wantProblem(p.call("POST", "/stores", body, "Idempotency-Key: two"), 422, "invalid")
}

// A cursor is what a page has called next, and nothing else.
func TestOnlyOurCursorsAreTaken(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	p.make("Shop")
	for what, id := range map[string]string{"of a foreign store": strings.TrimPrefix(s.foreign(), "/stores/"), "of no store": uuid.NewString(), "of nothing": "x"} {
		got := p.call("GET", "/stores?cursor="+base64.RawURLEncoding.EncodeToString([]byte(id)), nil)
		if problem := p.wantProblem(got, 422, "invalid"); len(problem.Errors) != 1 || problem.Errors[0].Parameter != "cursor" {
			t.Errorf("%s: %+v", what, problem)
		}
	}
}

// Whom a program invites gets the same mail as whom a person does.
func TestInvitationsOfProgramsAreMailed(t *testing.T) {
	t.Parallel()
	mails := &outbox{}
	s := open(prepareWith(t, func(c *handlers.Config) { c.Mail = mails }))
	mara := s.person("mara")
	team := strings.TrimPrefix(s.team(mara, "Nordlicht"), "/teams/")
	who, _ := storetest.Actor(t, s.db, "mara")
	p := s.programIn(who, team, everyScope()...)
	of := "/teams/" + team + "/invitations"

	made := read[v1.Invitation](t, p.call("POST", of, `{"email": "guest@example.com", "role": "viewer"}`), http.StatusCreated)
	if len(mails.sent) != 1 || mails.sent[0].To != "guest@example.com" || !strings.Contains(mails.sent[0].Text, made.Link) || !made.Mailed {
		t.Errorf("made %+v, sent %+v", made, mails.sent)
	}
	if link := read[v1.Invitation](t, p.call("POST", of, `{"role": "viewer"}`), http.StatusCreated); len(mails.sent) != 1 || link.Mailed {
		t.Errorf("a link for anybody is mailed: %+v", link)
	}
	mails.refuse = true
	if failed := read[v1.Invitation](t, p.call("POST", of, `{"email": "other@example.com", "role": "viewer"}`), http.StatusCreated); failed.Mailed || failed.Link == "" {
		t.Errorf("without a mail server: %+v", failed)
	}
}
