package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
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
		made := c.p.call("POST", "/stores", v1.NewStore{Name: "Shop", Engine: "woocommerce", OwnerEmail: c.sent})
		st := read[v1.Store](t, made, http.StatusAccepted)
		if shown := read[v1.StoreDetail](t, c.p.call("GET", "/stores/"+st.ID, nil), http.StatusOK); st.OwnerEmail != c.want || shown.OwnerEmail != c.want {
			t.Errorf("%q makes a store of %q, shown as that of %q; want %q", c.sent, st.OwnerEmail, shown.OwnerEmail, c.want)
		}
	}
	problem := maras.wantProblem(maras.call("POST", "/stores", v1.NewStore{Name: "Shop", Engine: "woocommerce", OwnerEmail: "noor"}), 422, "invalid")
	if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "#/owner_email" {
		t.Errorf("a wrong address is told as %+v", problem)
	}
}

// A store's settings ask for another address of its owner, which sets off work; what is wrong with
// it comes back with what was typed.
func TestOwnerIsChangedInTheSettings(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	page := l.create(l.mara, "Shop")
	const field = `name="owner_email" type="email" value="`
	settings := func(says ...string) {
		t.Helper()
		got := l.get(l.mara, page+"/settings")
		for _, want := range says {
			if !strings.Contains(got.body, want) {
				t.Errorf("the settings lack %q", want)
			}
		}
	}
	settings(field+`mara@example.com"`, "Can be changed while the store is ready.")
	change := func(email string) answer { return l.post(l.mara, page+"/owner", url.Values{"owner_email": {email}}) }
	if got := change("noor@example.org"); got.status != http.StatusConflict || !strings.Contains(got.body, "Another change of this store is in progress") || !strings.Contains(got.body, field+`noor@example.org"`) {
		t.Errorf("while the store is opened: %d", got.status)
	}
	l.sell(1)
	settings("The release is applied again", "customers’ replies. Addresses set in the shop")
	if got := change(`no"or`); got.status != http.StatusUnprocessableEntity || strings.Count(got.body, "Enter an address such as") != 1 || !strings.Contains(got.body, field+`no&#34;or"`) {
		t.Errorf("a wrong address: %d", got.status)
	}
	if got := change("mara@example.com"); got.location != page+"/settings" {
		t.Errorf("the same address leads to %s", got.location)
	}
	if got := change("noor@example.org"); got.location != page {
		t.Errorf("another address leads to %d %s", got.status, got.location)
	}
	if got := l.get(l.mara, page); !strings.Contains(got.body, "Changing the owner’s email") || !strings.Contains(got.body, "To noor@example.org") || !strings.Contains(got.body, "Cancel change") {
		t.Error("the store’s page does not tell of the change")
	}
}

// Where the shop does not keep the address, nothing is worked on.
func TestOwnerOfAMedusaShopIsNoted(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	page := l.post(l.mara, "/stores", url.Values{"name": {"Shop"}, "engine": {"medusa"}}).location
	l.sell(1)
	if got := l.get(l.mara, page+"/settings"); !strings.Contains(got.body, "Medusa can’t change the first admin") || strings.Contains(got.body, "applied again") {
		t.Error("the settings do not say what the address means to the shop")
	}
	changed := l.tells(store.OwnerChanged, "mara", func() {
		if got := l.post(l.mara, page+"/owner", url.Values{"owner_email": {"noor@example.org"}}); got.location != page+"/settings" {
			t.Errorf("it leads to %d %s", got.status, got.location)
		}
	})
	l.wantChange(changed, "mara@example.com", "noor@example.org")
	if got := l.get(l.mara, page); !strings.Contains(got.body, "changed the owner’s email of") {
		t.Error("the store’s page does not tell of the change")
	}
}

func TestProgramChangesTheOwner(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	mara, _ := storetest.Actor(t, l.db, "mara")
	p := l.programOf(mara, everyScope()...)
	st := p.make("Shop")
	path := "/stores/" + st.ID + "/owner"
	p.wantProblem(p.call("PUT", path, v1.Owner{Email: "noor@example.org"}), http.StatusConflict, "conflict")
	l.sell(1)
	problem := p.wantProblem(p.call("PUT", path, v1.Owner{Email: "noor"}), 422, "invalid")
	if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "#/owner_email" {
		t.Errorf("a wrong address is told as %+v", problem)
	}
	changed := read[v1.Store](t, p.call("PUT", path, v1.Owner{Email: "Noor@Example.org"}), http.StatusAccepted)
	if changed.OwnerEmail != "noor@example.org" || changed.Status != store.Upgrading {
		t.Errorf("changed, it is %+v", changed)
	}
	reader := l.programOf(mara, store.ReadStores)
	reader.wantProblem(reader.call("PUT", path, v1.Owner{Email: "noor@example.org"}), http.StatusForbidden, "scope_missing")
}
