package handlers

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// render writes the component only when all of it could be drawn.
func render(c echo.Context, status int, component templ.Component) error {
	var page bytes.Buffer
	if err := component.Render(c.Request().Context(), &page); err != nil {
		return err
	}
	return c.HTMLBlob(status, page.Bytes())
}

// goTo sends the browser to a page after something was done.
func goTo(c echo.Context, path string) error {
	if fromHTMX(c) {
		c.Response().Header().Set("HX-Redirect", path)
		return c.NoContent(http.StatusOK)
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// fail answers with a page that says in plain words what is wrong. What is behind it goes
// to the log, once, with the request.
func (a *App) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if forPrograms(c) {
		if err := a.api.Fail(c, err); err != nil {
			a.Log.Error("answer an error", "error", err)
		}
		return
	}
	page := describeError(err)
	if refused, ok := errors.AsType[*store.Error](err); ok {
		retryAfter(c, refused)
	}
	page.Version = a.Version
	page.SignedIn = visitorOf(c).sessionID != ""
	if page.Code >= http.StatusInternalServerError && store.ErrorCode(err) != store.Unavailable {
		page.RequestID = c.Response().Header().Get(echo.HeaderXRequestID)
	}
	if isStream(c) {
		err = c.NoContent(page.Code)
	} else {
		err = render(c, page.Code, views.Error(page))
	}
	if err != nil {
		a.Log.Error("answer an error", "error", err)
	}
}

// describeError is the one place that maps errors to what a user sees.
func describeError(err error) views.ErrorPage {
	if e, ok := errors.AsType[*store.Error](err); ok {
		return views.ErrorPage{Code: api.StatusOf(e.Code), Title: titleOf(e.Code), Message: e.Message}
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		return describeHTTPError(e)
	}
	return views.ErrorPage{
		Code: http.StatusInternalServerError, Title: "Something went wrong here",
		Message: "It is not your fault. Load the page again; if it stays, tell the administrator the number below.",
	}
}

func describeHTTPError(e *echo.HTTPError) views.ErrorPage {
	switch e.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return views.ErrorPage{Code: http.StatusNotFound, Title: "There is nothing here", Message: "The address is wrong, or what was here is gone."}
	case http.StatusRequestEntityTooLarge:
		return views.ErrorPage{Code: e.Code, Title: "Too much", Message: "What was sent is larger than any form here. Go back and send less."}
	}
	message, ok := e.Message.(string)
	if !ok || e.Code >= http.StatusInternalServerError {
		message = http.StatusText(e.Code)
	}
	title := http.StatusText(e.Code)
	if e.Code == http.StatusForbidden {
		title = "Refused"
	}
	return views.ErrorPage{Code: e.Code, Title: title, Message: message}
}

func titleOf(code store.Code) string {
	switch code {
	case store.NotFound:
		return "There is nothing here"
	case store.Conflict:
		return "That cannot be done now"
	case store.Forbidden:
		return "That is not yours to do"
	case store.Limited:
		return "The limit is reached"
	case store.Unavailable:
		return "The records cannot be used"
	default:
		return "That did not work"
	}
}

// retryAfter tells programs when to ask again.
func retryAfter(c echo.Context, refused *store.Error) {
	if refused.RetryAfter > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(api.Seconds(refused.RetryAfter)))
	}
}
