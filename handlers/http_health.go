package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
)

// healthz says that the process is alive.
func (a *App) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz says whether requests can be served: the database can be read and written, and the program is
// not shutting down. The pages also work while a cluster is unreachable.
func (a *App) readyz(c echo.Context) error {
	if a.ending.Load() {
		return c.String(http.StatusServiceUnavailable, "ending\n")
	}
	err := a.DB.Check(c.Request().Context())
	if e, ok := errors.AsType[*store.Error](err); ok {
		return c.String(http.StatusServiceUnavailable, e.Message+"\n")
	}
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, "ready\n")
}
