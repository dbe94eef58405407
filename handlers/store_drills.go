package handlers

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

// startDrill begins a drill with the newest restore point and leads to the tab that tells of it.
func (a *App) startDrill(c echo.Context) error {
	drill, err := a.DB.StartDrill(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("id"), "")
	if err != nil {
		return err
	}
	return reply.GoTo(c, "/stores/"+drill.StoreID+"/backups")
}

// drillPane is how the drills of the store went; nil for a store that was made for one.
func drillPane(who signin.Visitor, st store.Store, b store.Backups) *views.DrillPane {
	if st.IsDrill() {
		return nil
	}
	d := b.Drills
	days := int(d.Every / (24 * time.Hour))
	pane := &views.DrillPane{
		StoreID: st.ID, Can: len(b.Points) > 0 && st.CanDrill() && who.Actor.May(store.BackUpStores, st.TeamID),
		Overdue: d.Overdue, Every: strings.ToLower(phrase.DrillEvery(days)), Passed: lastPassed(d).EndedAt, Next: d.Next, Unplanned: d.Every == 0,
	}
	if running := d.Running(); running.ID != "" {
		pane.Running = &views.DrillRow{Address: "/stores/" + running.ID, At: running.BeganAt}
	}
	for _, drill := range d.Newest {
		switch row := drillRow(drill); {
		case drill.EndedAt.IsZero():
		case pane.Last == nil:
			pane.Last, pane.Failed = &row, failedDrill(drill)
		default:
			pane.Earlier = append(pane.Earlier, row)
		}
	}
	return pane
}

// drillRow is a drill that has ended.
func drillRow(d store.Drill) views.DrillRow {
	row, took := views.DrillRow{At: d.EndedAt}, " in "+views.Took(d.Took())
	switch {
	case d.Failure.Code == store.DrillWasCancelled:
		row.Tone, row.Result, row.Said = views.TonePlain, "Cancelled", "cancelled"
	case !d.Passed():
		row.Tone, row.Result, row.Said = views.ToneBad, "Failed", "failed after "+views.Took(d.Took())
		row.Detail = plain(phrase.Drill(d.Failure).Title)
	case d.Simulated:
		row.Tone, row.Result, row.Said = views.TonePlain, "Simulated", "simulated: nothing was restored"
	case d.Order == "":
		row.Tone, row.Result, row.Said, row.Detail = views.ToneOK, "Passed", "restored and sold"+took, "Sold"+took
	default:
		order := "order " + word(d.Order) + took
		row.Tone, row.Result, row.Said, row.Detail = views.ToneOK, "Passed", "restored and sold "+order, "Sold "+order
	}
	return row
}

// failedDrill says why the drill failed; nil if it didn't, or if somebody has cancelled it.
func failedDrill(d store.Drill) *views.DrillFailed {
	if d.Passed() || d.Failure.Code == store.DrillWasCancelled {
		return nil
	}
	said := phrase.Drill(d.Failure)
	return &views.DrillFailed{Title: plain(said.Title), Cause: plain(said.Cause), Next: plain(said.Next)}
}

// lastPassed is the newest drill that has passed; without an ID if none has.
func lastPassed(d store.Drills) store.Drill {
	for _, drill := range d.Newest {
		if drill.Passed() {
			return drill
		}
	}
	return store.Drill{}
}

// provenPoint is the id of the point that the newest drill which passed has restored; empty for none.
func provenPoint(d store.Drills) string {
	if drill := lastPassed(d); !drill.Simulated {
		return drill.PointID
	}
	return ""
}
