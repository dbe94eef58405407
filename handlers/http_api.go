package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const (
	mostPrograms      = 200 // streams for API clients
	mostProgramsOfOne = 16  // of those, of one user
)

// mountAPI registers the API.
func (a *App) mountAPI(e *echo.Echo) {
	a.api = api.New(e, api.Config{
		DB: a.DB, Provisioner: a.Provisioner, Clusters: a.clusters, Shops: a.shops, Engines: a.Engines, Version: a.Version, Log: a.Log,
		Limits: a.Limits, ClusterTimeout: a.ClusterTimeout, Invited: a.tellInvited, Work: workOf,
		Follow: a.followAPI, Ending: a.hub.Closing(), Heartbeat: a.hub.Heartbeat, WriteTimeout: a.hub.WriteTimeout,
	})
}

// forPrograms reports whether the request is for the API.
func forPrograms(c echo.Context) bool {
	path := c.Request().URL.Path
	return path == v1.Prefix || strings.HasPrefix(path, v1.Prefix+"/")
}

// cors lets pages of the configured origins use the API. They need a token like any client: the API
// accepts no cookie.
func (a *App) cors() echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper:      func(c echo.Context) bool { return len(a.CORSOrigins) == 0 || !forPrograms(c) },
		AllowOrigins: a.CORSOrigins, AllowMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete},
		AllowHeaders:  []string{"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"},
		ExposeHeaders: []string{"Location", "Retry-After", echo.HeaderXRequestID}, MaxAge: int(time.Hour.Seconds()),
	})
}

func (a *App) followAPI(userID string) (leave func(), ok bool) {
	leave, err := a.programs.Enter(userID)
	return leave, err == nil
}

// workOf returns the timeline of a job for the API.
func workOf(job store.Job, events []store.Event) v1.Work {
	w := workOn(job, events)
	shown := w.view()
	told := v1.Work{Title: shown.Title, Running: shown.Running, BeganAt: moment(shown.Began), Seconds: shown.Took.Seconds(), Steps: []v1.Step{}}
	for i, s := range shown.Steps {
		told.Steps = append(told.Steps, v1.Step{
			Step: w.steps[i], Label: s.Name, State: stateOf(s.State), Message: s.Message, BeganAt: moment(s.Began), Seconds: s.Took.Seconds(),
		})
	}
	return told
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func stateOf(t views.Tick) string {
	switch t {
	case views.TickDone:
		return "done"
	case views.TickRunning:
		return "running"
	case views.TickBad:
		return "failed"
	default:
		return "todo"
	}
}
