package handlers_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
)

// pointMade is a restore point of the store that a program made.
func (p program) pointMade(storeID string) (point string) {
	p.t.Helper()
	p.offSite()
	p.makeReady(storeID)
	asked := read[v1.Backup](p.t, p.call("POST", "/stores/"+storeID+"/backups", nil), http.StatusAccepted)
	p.pointFrom(asked.ID)
	return asked.ID
}

// restoreBody is a request for a store that is opened with the point.
func restoreBody(point, more string) string {
	return fmt.Sprintf(`{"name": "Again", "from": %q%s}`, point, more)
}

func TestProgramsRestoreAPointAsANewStore(t *testing.T) {
	t.Parallel()
	p := serve(t).program(everyScope()...)
	st := read[v1.Store](t, p.call("POST", "/stores", `{"name": "Tea & Tonic", "engine": "medusa", "template": "demo", "country": "CH", "currency": "EUR"}`), http.StatusAccepted)
	point := p.pointMade(st.ID)
	if st.Origin != nil {
		t.Errorf("a store that begins empty is of %+v", st.Origin)
	}
	again := read[v1.Store](t, p.call("POST", "/stores", restoreBody(point, "")), http.StatusAccepted)
	if o := again.Origin; again.Engine != "medusa" || again.Template != "demo" || again.Country != "CH" || again.Currency != "EUR" || again.ID == st.ID ||
		o == nil || o.Point != point || o.Store != st.ID || o.Name != "Tea & Tonic" || o.MadeAt.UnixMicro() != 4_500_000 || o.LoadedAt != nil {
		t.Errorf("the new store is %+v of %+v", again, o)
	}
	shown := read[v1.StoreDetail](t, p.call("GET", "/stores/"+again.ID, nil), http.StatusOK)
	if !slices.ContainsFunc(shown.Work.Steps, func(s v1.Step) bool { return s.Step == store.StepData && s.Label == "Data" }) || shown.Origin == nil {
		t.Errorf("shown as %+v", shown)
	}
	same := read[v1.Store](t, p.call("POST", "/stores", restoreBody(point, `, "engine": "medusa", "template": "demo", "country": "CH", "currency": "EUR"`)), http.StatusAccepted)
	p.change(`UPDATE stores SET origin = REPLACE(origin, '"made_at"', '"loaded_at":"2026-11-30T12:00:00Z","made_at"') WHERE id = $1`, same.ID)
	if loaded := read[v1.StoreDetail](t, p.call("GET", "/stores/"+same.ID, nil), http.StatusOK).Origin; loaded == nil || loaded.LoadedAt == nil || loaded.LoadedAt.Year() != 2026 {
		t.Errorf("with its data it is of %+v", loaded)
	}
}

func TestProgramsAreToldWhatCannotBeRestored(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Tea & Tonic")
	point := p.pointMade(st.ID)
	team, people := s.peopled()
	_, foreign := s.pointOf(team)
	wantAt := func(what string, got answer, status int, code, at string) {
		t.Helper()
		problem := p.wantProblem(got, status, code)
		if at == "" && len(problem.Errors) > 0 || at != "" && (len(problem.Errors) != 1 || problem.Errors[0].Pointer != at) {
			t.Errorf("%s is told at %+v", what, problem.Errors)
		}
	}
	for _, field := range []string{"engine", "template", "country", "currency"} {
		wantAt("another "+field, p.call("POST", "/stores", restoreBody(point, fmt.Sprintf(`, %q: "other"`, field))), 422, "invalid", "#/"+field)
	}
	wantAt("neither engine nor point", p.call("POST", "/stores", `{"name": "Mine"}`), 422, "invalid", "#/engine")
	wantAt("no point", p.call("POST", "/stores", restoreBody(uuid.NewString(), "")), 422, "invalid", "#/from")
	wantAt("a foreign point", p.call("POST", "/stores", restoreBody(foreign, "")), 422, "invalid", "#/from")
	viewer := program{site: s, token: s.tokenOf(people[store.Viewer].actor, team, everyScope()), routes: p.routes}
	wantAt("a viewer’s point", viewer.call("POST", "/stores", restoreBody(foreign, "")), 403, "forbidden", "")
	s.change(`UPDATE restore_points SET manifest = '{"simulated":true}' WHERE id = $1`, point)
	wantAt("a simulated point", p.call("POST", "/stores", restoreBody(point, "")), 409, "conflict", "#/from")
	s.change(`UPDATE restore_points SET manifest = $2, expired_at = 1 WHERE id = $1`, point, pointManifest)
	wantAt("an expired point", p.call("POST", "/stores", restoreBody(point, "")), 422, "invalid", "#/from")
	if list := read[v1.StoreList](t, p.call("GET", "/stores", nil), 200); list.Total != 1 {
		t.Errorf("%d stores are there", list.Total)
	}
}

// The key covers the point, and its answer stays when the point has gone.
func TestOneKeyRestoresOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Tea & Tonic")
	point, key := p.pointMade(st.ID), "Idempotency-Key: restore"
	first := p.call("POST", "/stores", restoreBody(point, ""), key)
	read[v1.Store](t, first, 202)
	s.change(`UPDATE jobs SET asked_at = asked_at - 1 WHERE kind = 'backup'`)
	p.wantProblem(p.call("POST", "/stores", restoreBody(p.pointMade(st.ID), ""), key), 422, "invalid")
	s.change(`UPDATE restore_points SET expired_at = 1`)
	if later := p.call("POST", "/stores", restoreBody(point, ""), key); later.status != 202 || later.body != first.body {
		t.Errorf("the same request is answered %d %s", later.status, later.body)
	}
}

func TestProgramsReadPointsOfDeletedStores(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st, living := p.make("Tea & Tonic"), p.make("Living")
	points := []string{}
	for n := range 3 {
		points = append(points, p.pointMade(st.ID))
		s.change(`UPDATE restore_points SET ended_at = ended_at + $2 WHERE id = $1`, points[n], 1000*n)
	}
	slices.Reverse(points)
	elsewhere := p.pointMade(living.ID)
	if list := read[v1.DeletedStoreList](t, p.call("GET", "/backups", nil), 200); list.Stores == nil || len(list.Stores) != 0 {
		t.Errorf("at first there are %+v", list)
	}
	s.deleted(st.ID)
	list := read[v1.DeletedStoreList](t, p.call("GET", "/backups", nil), 200).Stores
	if len(list) != 1 || list[0].ID != st.ID || list[0].Name != "Tea & Tonic" || list[0].Host != st.Host || list[0].Engine != "woocommerce" || list[0].Team != st.Team || list[0].DeletedAt.IsZero() {
		t.Errorf("the deleted stores are %+v", list)
	}
	of := "/stores/" + st.ID + "/points"
	got := []string{}
	for cursor := ""; len(got) <= len(points); {
		page := read[v1.PointList](t, p.call("GET", of+"?limit=1&cursor="+cursor, nil), 200)
		if len(page.Points) != 1 || !page.Deleted {
			t.Fatalf("a page is %+v", page)
		}
		got = append(got, page.Points[0].ID)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if !slices.Equal(got, points) {
		t.Errorf("the points are %v, want %v", got, points)
	}
	next := read[v1.PointList](t, p.call("GET", "/stores/"+living.ID+"/points?limit=1", nil), 200)
	if next.Deleted {
		t.Error("a living store seems to be deleted")
	}
	if point := read[v1.Point](t, p.call("GET", of+"/"+points[1], nil), 200); point.ID != points[1] || point.Store != st.ID {
		t.Errorf("a point is %+v", point)
	}
	p.wantProblem(p.call("GET", of+"/"+elsewhere, nil), 404, "not_found")
	p.wantProblem(p.call("GET", "/stores/"+living.ID+"/points/"+points[1], nil), 404, "not_found")
	p.wantProblem(p.call("GET", of+"?cursor=x", nil), 422, "invalid")
	read[v1.Store](t, p.call("POST", "/stores", restoreBody(points[2], "")), 202)

	reader := s.program(store.ReadStores)
	reader.wantProblem(reader.call("GET", of, nil), 404, "not_found")
	reader.wantProblem(reader.call("GET", of+"/"+points[1], nil), 404, "not_found")
	reader.wantProblem(reader.call("GET", "/backups", nil), 403, "scope_missing")
}
