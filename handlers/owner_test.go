package handlers_test

import (
	"net/http"
	"testing"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/store/storetest"
)

// A program names the owner of a store, or is taken to act for who made its token.
func TestProgramNamesTheOwner(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, _ := storetest.Actor(t, s.db, "mara")
	maras, developers := s.programOf(mara, everyScope()...), s.program(everyScope()...)
	for _, c := range []struct {
		p          program
		sent, want string
	}{{maras, "", "mara@example.com"}, {maras, "Noor@Example.org", "noor@example.org"}, {developers, "", ""}} {
		made := c.p.call("POST", "/stores", api.NewStore{Name: "Shop", Engine: "woocommerce", OwnerEmail: c.sent})
		st := read[api.Store](t, made, http.StatusAccepted)
		if shown := read[api.StoreDetail](t, c.p.call("GET", "/stores/"+st.ID, nil), http.StatusOK); st.OwnerEmail != c.want || shown.OwnerEmail != c.want {
			t.Errorf("%q makes a store of %q, shown as that of %q; want %q", c.sent, st.OwnerEmail, shown.OwnerEmail, c.want)
		}
	}
	problem := maras.wantProblem(maras.call("POST", "/stores", api.NewStore{Name: "Shop", Engine: "woocommerce", OwnerEmail: "noor"}), 422, "invalid")
	if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "#/owner_email" {
		t.Errorf("a wrong address is told as %+v", problem)
	}
}
