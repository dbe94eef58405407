package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

// backedUp is a store of the browser's user that began as asked, with a restore point.
func (s site) backedUp(b *http.Client) (page, point string) {
	s.t.Helper()
	s.offSite()
	page = s.post(b, "/stores", url.Values{"name": {"Tea & Tonic"}, "engine": {"medusa"}, "template.medusa": {"demo"}, "country": {"CH"}, "currency": {"EUR"}, "owner_email": {"noor@example.org"}}).location
	s.makeReady(strings.TrimPrefix(page, "/stores/"))
	return page, s.pointAt(b, page)
}

// pointAt backs up the store with that page.
func (s site) pointAt(b *http.Client, page string) (point string) {
	s.t.Helper()
	if asked := s.post(b, page+"/backups", nil); asked.status != http.StatusSeeOther {
		s.t.Fatalf("back up %s: %d %s", page, asked.status, asked.body)
	}
	list, err := s.db.Backups(s.t.Context(), store.Actor{UserID: "reader", Roles: s.rolesAt(page)}, strings.TrimPrefix(page, "/stores/"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.pointFrom(list.Job.ID)
	return list.Job.ID
}

// rolesAt are those of a viewer of the store with that page.
func (s site) rolesAt(page string) map[string]store.Role {
	s.t.Helper()
	st, err := s.db.UnguardedStore(s.t.Context(), strings.TrimPrefix(page, "/stores/"))
	if err != nil {
		s.t.Fatal(err)
	}
	return map[string]store.Role{st.TeamID: store.Viewer}
}

// deleted has a store be deleted, which nothing else deletes here.
func (s site) deleted(storeID string) {
	s.t.Helper()
	s.change(`UPDATE stores SET status = 'deleted', desired = 'absent', deleted_at = updated_at WHERE id = $1`, storeID)
}

// deletedOf is a deleted store of the team with a restore point.
func (s site) deletedOf(team string) (storeID string) {
	s.t.Helper()
	storeID, _ = s.pointOf(team)
	s.deleted(storeID)
	return storeID
}

func TestAPointIsRestoredAsANewStore(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	page, point := s.backedUp(b)
	form := "/stores/new?from=" + point
	wantSaid(t, "the tab", s.get(b, page+"/backups"), http.StatusOK, `href="`+form+`"`, "Restore as new")
	shown := s.get(b, form)
	wantSaid(t, "the form", shown, http.StatusOK, "Restore as new store", `name="from" value="`+point+`"`, `href="`+page+`"`, "Tea &amp; Tonic", "254 MB", "1,204 orders", "before the &lt;sale&gt;",
		"Medusa", "Demo catalogue", "Switzerland, EUR", `value="Tea &amp; Tonic"`, `value="noor@example.org"`, `id="address-preview">tea-and-tonic-2<`)
	for _, field := range []string{`name="engine"`, `name="template.medusa"`, `name="country"`, `name="currency"`} {
		if strings.Contains(shown.body, field) {
			t.Errorf("the form lets choose %s", field)
		}
	}
	wrong := s.post(b, "/stores", url.Values{"from": {point}, "name": {""}, "slug": {"again"}, "form-key": {"key"}})
	wantSaid(t, "without a name", wrong, http.StatusUnprocessableEntity, "Enter a name", `name="from" value="`+point+`"`, `name="form-key" value="key"`, `value="again"`, "254 MB", "Restore as new store")
	other := s.post(b, "/stores", url.Values{"from": {point}, "name": {"Again"}, "engine": {"woocommerce"}})
	wantSaid(t, "with another engine", other, http.StatusUnprocessableEntity, "The restore point has the engine medusa. Leave it empty or enter the same.")
	order := url.Values{"from": {point}, "name": {"Again"}, "form-key": {"key"}}
	made := s.post(b, "/stores", order)
	if twice := s.post(b, "/stores", order); made.status != http.StatusSeeOther || twice.location != made.location {
		t.Errorf("sent twice it leads to %s and %s: %s", made.location, twice.location, made.body)
	}
	st, err := s.db.UnguardedStore(t.Context(), strings.TrimPrefix(made.location, "/stores/"))
	if err != nil || st.Engine != "medusa" || st.Template != "demo" || st.Country != "CH" || st.Currency != "EUR" || st.Origin.Point != point {
		t.Errorf("the new store is %+v, %v", st, err)
	}
	for _, tab := range []string{"", "/settings"} {
		wantSaid(t, "the new store", s.get(b, made.location+tab), http.StatusOK, "Restored from", `href="`+page+`">Tea &amp; Tonic</a>`, "1970")
	}
	wantSaid(t, "its steps", s.get(b, made.location), http.StatusOK, ">Data<")
	if got := s.get(b, page); strings.Contains(got.body, "Restored from") || strings.Contains(got.body, ">Data<") {
		t.Error("the store that the point was made of seems to be restored, too")
	}
}

// A point is as good as none for who may not restore it, and so is one that isn't there any more.
func TestPointsThatCannotBeRestored(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	page, point := s.backedUp(b)
	team, people := s.peopled()
	id, theirs := s.pointOf(team)
	wantRefused := func(what string, b *http.Client, point string, status int, says string) {
		t.Helper()
		wantSaid(t, what, s.get(b, "/stores/new?from="+point), status, says, "All stores")
		wantSaid(t, what+", sent", s.post(b, "/stores", url.Values{"from": {point}, "name": {"Mine"}, "engine": {"woocommerce"}}), status, says, "All stores")
	}
	const none = "No such restore point, or you don’t have access to it."
	wantRefused("a foreign point", b, theirs, http.StatusNotFound, none)
	wantRefused("no point", b, "none", http.StatusNotFound, none)
	wantRefused("a viewer’s point", people[store.Viewer].browser, theirs, http.StatusForbidden, "You can view this restore point but not restore it.")
	if tab := s.get(people[store.Viewer].browser, "/stores/"+id+"/backups"); tab.status != http.StatusOK || strings.Contains(tab.body, "Restore as new") {
		t.Errorf("a viewer is offered to restore: %d %s", tab.status, tab.body)
	}
	if tab := s.get(people[store.Member].browser, "/stores/"+id+"/backups"); !strings.Contains(tab.body, "/stores/new?from="+theirs) {
		t.Error("a member is not offered to restore")
	}
	s.change(`UPDATE restore_points SET manifest = '{"simulated":true}' WHERE id = $1`, point)
	const simulated = "This restore point was simulated and has no data. Choose another one."
	wantSaid(t, "a simulated point", s.get(b, "/stores/new?from="+point), http.StatusOK, simulated, "Simulated: nothing was written")
	wantSaid(t, "a simulated point, sent", s.post(b, "/stores", url.Values{"from": {point}, "name": {"Mine"}}), http.StatusUnprocessableEntity, simulated, `value="Mine"`)
	s.change(`UPDATE restore_points SET manifest = $2, expired_at = 1 WHERE id = $1`, point, pointManifest)
	wantRefused("an expired point", b, point, http.StatusNotFound, none)
	if list := s.get(b, "/stores"); strings.Contains(list.body, "Mine") {
		t.Error("a store was created")
	}
	s.change(`UPDATE restore_points SET expired_at = 0 WHERE id = $1`, point)
	s.change(`UPDATE stores SET engine = 'bakery' WHERE id = $1`, strings.TrimPrefix(page, "/stores/"))
	wantSaid(t, "an engine that is gone", s.post(b, "/stores", url.Values{"from": {point}, "name": {"Mine"}}), http.StatusUnprocessableEntity, "of a store with the engine bakery, which is not offered any more")
}

func TestPointsOfDeletedStores(t *testing.T) {
	t.Parallel()
	s := open(prepare(t))
	b := s.developer()
	page, point := s.backedUp(b)
	id := strings.TrimPrefix(page, "/stores/")
	const link, left = `href="/backups"`, "Restore points of deleted stores"
	wantSaid(t, "no deleted store", s.get(b, "/backups"), http.StatusOK, "No restore points of deleted stores")
	if list := s.get(b, "/stores"); strings.Contains(list.body, link) {
		t.Error("the list leads to nothing")
	}
	if got := s.get(b, "/backups/"+id); got.status != http.StatusNotFound {
		t.Errorf("a living store: %d", got.status)
	}
	s.deleted(id)
	wantSaid(t, "the list of stores", s.get(b, "/stores"), http.StatusOK, link, left, `id="invitation"`)
	wantSaid(t, "the deleted stores", s.get(b, "/backups"), http.StatusOK, left, `href="/backups/`+id+`"`, "Tea &amp; Tonic", "tea-and-tonic.localhost", "Medusa")
	wantSaid(t, "a deleted store", s.get(b, "/backups/"+id), http.StatusOK, "Tea &amp; Tonic", "254 MB", "before the &lt;sale&gt;", `href="/stores/new?from=`+point+`"`)
	wantSaid(t, "the form", s.get(b, "/stores/new?from="+point), http.StatusOK, `href="/backups/`+id+`"`, `id="address-preview">tea-and-tonic<`)
	made := s.post(b, "/stores", url.Values{"from": {point}, "name": {"Tea & Tonic"}})
	wantSaid(t, "the new store", s.get(b, made.location), http.StatusOK, "Restored from", "<dd>Tea &amp; Tonic</dd>")
	if got := s.get(b, made.location); strings.Contains(got.body, page+`"`) {
		t.Error("it leads to a store that is deleted")
	}
	s.change(`UPDATE restore_points SET expired_at = 1`)
	wantSaid(t, "after the points have expired", s.get(b, "/backups/"+id), http.StatusOK, "No restore points")
	if list := s.get(b, "/stores"); strings.Contains(list.body, link) {
		t.Error("the list leads to a store without points")
	}
}

// A page that was open when the store was deleted leads to its restore points.
func TestAnOpenPageLeadsToThePointsOfADeletedStore(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page, _ := s.backedUp(b)
	id := strings.TrimPrefix(page, "/stores/")
	updates := s.follow(b, "view=store&tab=overview&id="+id, s.lastEvent())
	s.post(b, page+"/delete", url.Values{"confirm": {"Tea & Tonic"}})
	if _, err := s.db.Archive(t.Context(), s.work(), store.Note{}); err != nil {
		t.Fatal(err)
	}
	if got := updates.until("Its restore points").data; !strings.Contains(got, `href="/backups/`+id+`"`) {
		t.Errorf("the open page is told %s", got)
	}
}
