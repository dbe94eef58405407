package api

import (
	"context"
	"net/http"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

func (a *API) registerDrills() {
	register(a, operation{
		id: "list-drills", method: http.MethodGet, path: "/stores/{id}/drills", tag: tagBackups, scope: store.ReadStores,
		summary: "List the restore drills of a store", description: "The ten newest, with when the next one is due. A drill restores a point into a separate namespace without internet access, places an order there and removes it.",
	}, a.listDrills)
	register(a, operation{
		id: "create-drill", method: http.MethodPost, path: "/stores/{id}/drills", tag: tagBackups, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Start a restore drill", description: "Restores the newest restore point, or the one that is named, in the background. The shop isn’t touched. " +
			"Poll the drills or follow the events until it has passed or failed. To cancel it, delete the store with the ID of the drill.",
	}, a.createDrill)
}

type drillsOutput struct {
	Body v1.DrillList
}

func (a *API) listDrills(ctx context.Context, in *StoreInput) (*drillsOutput, error) {
	drills, err := a.DB.Drills(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	list := v1.DrillList{DrillSchedule: drillScheduleOf(drills), Drills: []v1.Drill{}}
	for _, d := range drills.Newest {
		list.Drills = append(list.Drills, drillOf(d))
	}
	return &drillsOutput{Body: list}, nil
}

type newDrillInput struct {
	StoreInput
	Body *v1.NewDrill // nil for the newest point
}

type createdDrill struct {
	Location string `header:"Location" doc:"URL of the store’s drills."`
	Body     v1.Drill
}

func (a *API) createDrill(ctx context.Context, in *newDrillInput) (*createdDrill, error) {
	var body v1.NewDrill
	if in.Body != nil {
		body = *in.Body
	}
	drill, err := a.DB.StartDrill(ctx, actorOf(ctx), in.ID, body.Point)
	if err != nil {
		return nil, err
	}
	return &createdDrill{Location: v1.Prefix + "/stores/" + drill.StoreID + "/drills", Body: drillOf(drill)}, nil
}

func drillOf(d store.Drill) v1.Drill {
	return v1.Drill{
		ID: d.ID, Store: d.StoreID, Point: d.PointID, PointMadeAt: d.MadeAt, State: v1.DrillStateOf(d), Order: word(d.Order), Simulated: d.Simulated,
		Failure: explainDrill(d.Failure), BeganAt: d.BeganAt, EndedAt: at(d.EndedAt), Seconds: d.Took().Seconds(),
	}
}

// explainDrill is [explain] for a drill, whose store is gone.
func explainDrill(f store.Failure) *v1.Failure {
	shown := explain(f)
	if shown != nil {
		shown.Next = legible.Text(phrase.Drill(f).Next)
	}
	return shown
}

func drillScheduleOf(d store.Drills) v1.DrillSchedule {
	return v1.DrillSchedule{EveryDays: int(d.Every / (24 * time.Hour)), Next: at(d.Next), Overdue: d.Overdue}
}

func drillSummaryOf(d store.Drills) *v1.DrillSummary {
	summary := v1.DrillSummary{DrillSchedule: drillScheduleOf(d)}
	if last := d.Last(); last.ID != "" {
		shown := drillOf(last)
		summary.Last = &shown
	}
	if running := d.Running(); running.ID != "" {
		shown := drillOf(running)
		summary.Running = &shown
	}
	return &summary
}
