package handlers

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// fail answers with a page that says what is wrong. The cause goes to the log, once, with the request.
func (a *App) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if forPrograms(c) {
		if err := a.api.Fail(c, err); err != nil {
			a.Log.Error("write an error page", "error", err)
		}
		return
	}
	page := describeError(err)
	if refused, ok := errors.AsType[*store.Error](err); ok {
		retryAfter(c, refused)
	}
	page.Version = a.Version
	page.SignedIn = signin.VisitorOf(c).SessionID != ""
	if page.Code >= http.StatusInternalServerError && store.ErrorCode(err) != store.Unavailable {
		page.RequestID = c.Response().Header().Get(echo.HeaderXRequestID)
	}
	if isStream(c) {
		err = c.NoContent(page.Code)
	} else {
		err = reply.Render(c, page.Code, views.Error(page))
	}
	if err != nil {
		a.Log.Error("write an error page", "error", err)
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
		Code: http.StatusInternalServerError, Title: "Something went wrong",
		Message: "Reload the page. If it happens again, give the administrator the request ID below.",
	}
}

func describeHTTPError(e *echo.HTTPError) views.ErrorPage {
	switch e.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return views.ErrorPage{Code: http.StatusNotFound, Title: "Not found", Message: "The address is wrong, or the page no longer exists."}
	case http.StatusRequestEntityTooLarge:
		return views.ErrorPage{Code: e.Code, Title: "Request too large", Message: "The request is larger than any form allows. Go back and send less."}
	}
	message, ok := e.Message.(string)
	if !ok || e.Code >= http.StatusInternalServerError {
		message = http.StatusText(e.Code)
	}
	title := http.StatusText(e.Code)
	if e.Code == http.StatusForbidden {
		title = "Not allowed"
	}
	return views.ErrorPage{Code: e.Code, Title: title, Message: message}
}

func titleOf(code store.Code) string {
	switch code {
	case store.NotFound:
		return "Not found"
	case store.Conflict:
		return "Not possible right now"
	case store.Forbidden:
		return "You don’t have permission to do this"
	case store.Limited:
		return "Limit reached"
	case store.Unavailable:
		return "Database unavailable"
	default:
		return "That didn’t work"
	}
}

// retryAfter sets the header that tells clients when to retry.
func retryAfter(c echo.Context, refused *store.Error) {
	if refused.RetryAfter > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(api.Seconds(refused.RetryAfter)))
	}
}
