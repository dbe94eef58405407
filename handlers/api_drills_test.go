package handlers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// claimDrill claims the drill that is to be made next, as a provisioner would.
func (s site) claimDrill(id string) store.Claim {
	s.t.Helper()
	c, ok, err := s.db.Claim(s.t.Context(), "worker", time.Minute, store.Concurrency{})
	if err != nil || !ok || c.Store.ID != id {
		s.t.Fatalf("claimed is %+v %t, %v", c.Store, ok, err)
	}
	return c
}

func TestProgramsRehearseRestores(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Tea & Tonic")
	one := "/stores/" + st.ID
	s.offSite()
	if shown := read[v1.Store](t, p.call("GET", one, nil), 200); slices.Contains(shown.Can, "drill") {
		t.Errorf("before it is ready it can be %v", shown.Can)
	}
	s.makeReady(st.ID)
	s.change(`UPDATE stores SET ready_at = created_at WHERE id = $1`, st.ID)
	if shown := read[v1.Store](t, p.call("GET", one, nil), 200); !slices.Contains(shown.Can, "drill") {
		t.Errorf("what can be done is %v", shown.Can)
	}
	if refused := p.wantProblem(p.call("POST", one+"/drills", nil), 409, "conflict"); refused.Detail != "This store has no restore point. Back it up first." {
		t.Errorf("without a point it is told %+v", refused)
	}
	point := read[v1.Backup](t, p.call("POST", one+"/backups", nil), 202).ID
	s.pointFrom(point)
	s.change(`INSERT INTO counters (name, value) VALUES ('drills', 1)`)
	if list := read[v1.DrillList](t, p.call("GET", one+"/drills", nil), 200); len(list.Drills) != 0 || list.EveryDays != 7 || list.Next == nil || !list.Overdue { // the point is of 1970
		t.Errorf("at first there are %+v", list)
	}
	p.wantProblem(p.call("POST", one+"/drills", `{"point": "`+uuid.NewString()+`"}`), 404, "not_found")
	got := p.call("POST", one+"/drills", `{"point": "`+point+`"}`)
	asked := read[v1.Drill](t, got, 202)
	if asked.Store != st.ID || asked.Point != point || asked.State != v1.DrillRunning || asked.EndedAt != nil || got.location != v1.Prefix+one+"/drills" {
		t.Errorf("asked for %+v at %s", asked, got.location)
	}
	if again := p.wantProblem(p.call("POST", one+"/drills", nil), 409, "conflict"); again.Detail != "A restore drill of this store is already in progress." {
		t.Errorf("a second one is told %+v", again)
	}
	for _, shown := range read[struct{ Stores []v1.Store }](t, p.call("GET", "/stores", nil), 200).Stores {
		if shown.ID == asked.ID {
			t.Errorf("its store is listed: %+v", shown)
		}
	}
	own := read[v1.StoreDetail](t, p.call("GET", "/stores/"+asked.ID, nil), 200)
	if own.Name != "Drill of Tea & Tonic" || !slices.Equal(own.Can, []string{"delete"}) || own.Work.Title != "Rehearsing the restore" || own.Origin == nil || own.Origin.Point != point {
		t.Errorf("its store is %+v", own)
	}
	if list := read[v1.PointList](t, p.call("GET", one+"/points", nil), 200); list.Drill.Running == nil || list.Drill.Running.ID != asked.ID || list.Drill.Last != nil || list.Drill.Next != nil {
		t.Errorf("meanwhile there is %+v", list.Drill)
	}
	page := s.get(s.developer(), "/stores/"+asked.ID)
	if page.status != 200 || !strings.Contains(page.body, "Drill of Tea &amp; Tonic") || !strings.Contains(page.body, "Rehearsing the restore") {
		t.Errorf("its page is %d", page.status)
	}
	if list := s.get(s.developer(), "/stores"); strings.Contains(list.body, "Drill of") {
		t.Error("the page of stores shows it")
	}
	if _, err := s.db.Complete(t.Context(), s.claimDrill(asked.ID), store.Opened{Check: store.Check{OK: true, Order: "7"}}); err != nil {
		t.Fatal(err)
	}
	list := read[v1.DrillList](t, p.call("GET", one+"/drills", nil), 200)
	if len(list.Drills) != 1 || list.Drills[0].State != v1.DrillPassed || list.Drills[0].Order != "7" || list.Drills[0].Failure != nil || list.Drills[0].EndedAt == nil || list.Overdue ||
		list.Next == nil || !list.Next.Equal(list.Drills[0].BeganAt.Add(7*24*time.Hour)) {
		t.Errorf("afterwards there are %+v", list)
	}
	if list := read[v1.PointList](t, p.call("GET", one+"/points", nil), 200); list.Drill.Last == nil || list.Drill.Last.ID != asked.ID || list.Drill.Running != nil || list.Drill.Overdue {
		t.Errorf("afterwards there is %+v", list.Drill)
	}
}

func TestProgramsAreToldWhyADrillFailed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	id, _ := s.pointOf(s.theDeveloper().Teams(store.ViewStores)[0])
	first := read[v1.Drill](t, p.call("POST", "/stores/"+id+"/drills", nil), 202)
	if _, err := s.db.Fail(t.Context(), s.claimDrill(first.ID), store.Failure{Code: store.RestoreOverdue, Facts: store.Facts{Doing: "files"}}); err != nil {
		t.Fatal(err)
	}
	second := read[v1.Drill](t, p.call("POST", "/stores/"+id+"/drills", nil), 202)
	if got := p.call("DELETE", "/stores/"+second.ID, nil); got.status != 202 {
		t.Errorf("its deletion is answered with %d %s", got.status, got.body)
	}
	list := read[v1.DrillList](t, p.call("GET", "/stores/"+id+"/drills", nil), 200).Drills
	if len(list) != 2 || list[0].State != v1.DrillCancelled || list[0].Failure.Cause != "Developer deleted the store before the drill had ended." {
		t.Errorf("there are %+v", list)
	}
	if f := list[1].Failure; list[1].State != v1.DrillFailed || f == nil || f.Title != "Restore timed out" || f.Next != "Fix the cause, then press Drill now. Otherwise Shopwright tries again a day later." {
		t.Errorf("it failed with %+v", f)
	}
	sasha, _ := storetest.Actor(t, s.db, "sasha")
	stranger := s.programOf(sasha, everyScope()...)
	for _, path := range []string{id + "/drills", first.ID, first.ID + "/drills"} {
		stranger.wantProblem(stranger.call("GET", "/stores/"+path, nil), 404, "not_found")
	}
	stranger.wantProblem(stranger.call("POST", "/stores/"+id+"/drills", nil), 404, "not_found")
}
