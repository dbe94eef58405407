package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// healthz says that the process is alive.
func (a *App) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz says whether requests can be served: that the records answer. A cluster that
// cannot be reached does not take the pages away.
func (a *App) readyz(c echo.Context) error {
	if err := a.DB.Ping(c.Request().Context()); err != nil {
		a.Log.Error("the records do not answer", "error", err)
		return c.String(http.StatusServiceUnavailable, "the database does not answer\n")
	}
	return c.String(http.StatusOK, "ready\n")
}
