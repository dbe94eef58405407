package handlers

import (
	"context"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

// replacementPath is the page on a cluster that is lost.
func replacementPath(clusterID string) string {
	return "/admin/clusters/" + url.PathEscape(clusterID) + "/recovery"
}

// showReplacement shows which stores of a lost cluster can come back in another one, or how far they are.
func (a *App) showReplacement(c echo.Context) error {
	return a.replacementPage(c, http.StatusOK, views.ReplacementForm{})
}

func (a *App) replacementPage(c echo.Context, code int, form views.ReplacementForm) error {
	who := signin.VisitorOf(c)
	r, err := a.DB.Replacement(c.Request().Context(), who.Actor, c.Param("cluster"))
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Recovery of "+word(r.Cluster.Name), nil)
	if err != nil {
		return err
	}
	shell.Stream = streamAddress(url.Values{"view": {"replacement"}, "id": {r.Cluster.ID}}, who.Since)
	form.ClusterID, form.Open = r.Cluster.ID, a.replaceable(r.Cluster)
	return reply.Render(c, code, views.ClusterReplacement(views.ReplacementPage{Shell: shell, R: a.replacementView(r), Form: form}))
}

// replaceable reports whether another cluster may take the place of that one: it answers under its name.
func (a *App) replaceable(cluster store.Cluster) bool {
	state := a.Provisioner.Cluster()
	return state.Name == cluster.Name && state.Link == provisioner.Foreign
}

func (a *App) replaceCluster(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	r, err := a.DB.Replacement(ctx, who.Actor, c.Param("cluster"))
	if err != nil {
		return err
	}
	if !a.replaceable(r.Cluster) {
		return &store.Error{Code: store.Conflict, Message: "No other cluster answers in place of " + r.Cluster.Name + ". Configure the new cluster and restart Shopwright first."}
	}
	typed := c.FormValue("confirm")
	if name, _ := store.CleanName(typed); name != r.Cluster.Name {
		return a.replacementPage(c, http.StatusUnprocessableEntity, views.ReplacementForm{Typed: typed, Error: "The name doesn’t match. Type it exactly as shown above."})
	}
	if err := a.DB.ReplaceCluster(ctx, who.Actor, r.Cluster.ID, a.Provisioner.Cluster().Answering); err != nil {
		return err
	}
	return reply.GoTo(c, replacementPath(r.Cluster.ID))
}

func (a *App) replacementView(r store.Replacement) views.Replacement {
	shown := views.Replacement{Cluster: word(r.Cluster.Name), At: r.At}
	for _, one := range r.Stores {
		row := views.ReturningRow{ID: one.Store.ID, Name: word(one.Store.Name), Team: word(one.Team), Status: views.Status(one.Store.Status), Detail: returnDetail(one)}
		switch {
		case one.Store.BroughtBack():
			row.Point = one.Store.Origin.MadeAt
		case one.Point.ID != "":
			row.Point = one.Point.EndedAt
		}
		if row.Point.IsZero() {
			shown.Without++
		} else {
			shown.Points++
		}
		if one.State() == store.Returned {
			shown.Back++
		}
		shown.Rows = append(shown.Rows, row)
	}
	if state := a.Provisioner.Cluster(); !r.At.IsZero() && state.Link != provisioner.Connected {
		shown.Blocked = "The cluster isn’t connected. Work resumes automatically when it is."
	}
	return shown
}

// returnDetail says how far a store is that comes back; empty if there is nothing to add to its status.
func returnDetail(r store.Returning) string {
	switch r.State() {
	case store.Waits:
		return "Waiting for its turn"
	case store.Returns:
		return phrase.Step(r.Store.Job.Step)
	case store.Stuck:
		return phrase.Failure(r.Store.Job.Failure).Title
	case store.ReturnsNot:
		if r.Store.Status == store.Failed {
			return phrase.Failure(r.Store.Job.Failure).Title
		}
	}
	return ""
}

// liveReplacement is the page on a cluster that is lost.
type liveReplacement struct {
	liveFrame
	cluster string // id
}

func (l *liveReplacement) Concerns(e store.Event) live.Change {
	return live.Change{All: e.StoreID != "" || e.Kind == store.ClusterReplaced}
}

func (l *liveReplacement) Parts(ctx context.Context, c live.Change) ([]live.Part, error) {
	frame, err := l.liveFrame.Parts(ctx, c)
	if err != nil {
		return nil, err
	}
	r, err := l.DB.Replacement(ctx, l.who.Actor, l.cluster)
	return append(frame, live.Part{Target: views.ReplacementID, Component: views.ReplacementPane(l.replacementView(r))}), err
}
