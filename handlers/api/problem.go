package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
)

// problemResponse documents what every operation can answer.
func (a *API) problemResponse() *huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[v1.Problem](), true, "Problem")
	return &huma.Response{
		Description: "Problem",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}

// whenBack is after how many seconds it is worth to ask a cluster or a database again.
const whenBack = 10

// problem is the error as a program is told it. What it cannot be told is logged.
func (a *API) problem(ctx context.Context, err error) *v1.Problem {
	known := describe(err)
	if known.Status >= http.StatusInternalServerError && known.Code == string(store.Internal) && ctx.Err() == nil {
		a.Log.Error("write a response", "error", err)
	}
	return known.Complete()
}

func describe(err error) *v1.Problem {
	if p, ok := errors.AsType[*v1.Problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*store.Error](err); ok {
		return describeStoreError(e)
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		return describeHTTPError(e)
	}
	if errors.Is(err, provisioner.ErrUnreachable) {
		return errClusterAway
	}
	return &v1.Problem{Status: http.StatusInternalServerError, Code: string(store.Internal), Detail: "Something went wrong on the server. Try again. If it happens again, tell the administrator."}
}

var errClusterAway = &v1.Problem{
	Status: http.StatusServiceUnavailable, Code: "cluster_unreachable", Retry: whenBack,
	Detail: "The cluster is unreachable. Try again in a moment.",
}

func describeStoreError(e *store.Error) *v1.Problem {
	p := &v1.Problem{Status: StatusOf(e.Code), Code: string(e.Code), Detail: e.Message, Retry: Seconds(e.RetryAfter)}
	if e.Code == store.Unavailable {
		p.Retry = whenBack
	}
	if e.Field != "" {
		p.Errors = []v1.Fault{faultAt(e.Field, e.Message)}
	}
	return p
}

// StatusOf is the status of an answer that tells of an error with that code.
func StatusOf(code store.Code) int {
	switch code {
	case store.Invalid:
		return http.StatusUnprocessableEntity
	case store.NotFound:
		return http.StatusNotFound
	case store.Conflict:
		return http.StatusConflict
	case store.Forbidden:
		return http.StatusForbidden
	case store.Limited:
		return http.StatusTooManyRequests
	case store.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// Seconds is a time as the header Retry-After has it: who waits so long has waited enough.
func Seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

const keyHeader = "Idempotency-Key"

func faultAt(field, detail string) v1.Fault {
	if field == keyHeader {
		return v1.Fault{Detail: detail, Header: field}
	}
	return v1.Fault{Detail: detail, Pointer: "#/" + field}
}

func describeHTTPError(e *echo.HTTPError) *v1.Problem {
	switch e.Code {
	case http.StatusNotFound:
		return &v1.Problem{Status: e.Code, Code: "not_found", Detail: "Nothing exists at this URL. " + v1.Prefix + "/openapi.json lists the operations."}
	case http.StatusMethodNotAllowed:
		return &v1.Problem{Status: e.Code, Code: "method_not_allowed", Detail: "This URL doesn’t support that method. " + v1.Prefix + "/openapi.json lists the operations."}
	case http.StatusRequestEntityTooLarge:
		return &v1.Problem{Status: e.Code, Code: "too_large", Detail: "The request is too large. Send less."}
	}
	message, ok := e.Message.(string)
	if !ok || e.Code >= http.StatusInternalServerError {
		message = http.StatusText(e.Code) + "."
	}
	return &v1.Problem{Status: e.Code, Code: codeOf(e.Code), Detail: message}
}

// codeOf is a status as a code, for what nobody has given a better one.
func codeOf(status int) string {
	return strings.ReplaceAll(strings.ToLower(cmp.Or(http.StatusText(status), "error")), " ", "_")
}

// asProblem makes problems of what huma finds wrong with a request.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &v1.Problem{Status: e.Status, Code: codeOf(e.Status), Detail: sentence(e.Detail)}
	switch e.Status {
	case http.StatusUnprocessableEntity:
		p.Code = string(store.Invalid)
	case http.StatusRequestEntityTooLarge:
		p.Code, p.Detail = "too_large", "The request is too large. Send less."
	}
	for _, detail := range e.Errors {
		p.Errors = append(p.Errors, faultOf(detail))
	}
	if len(p.Errors) > 0 {
		p.Detail = sentence(strings.TrimPrefix(p.Errors[0].Path()+": "+p.Errors[0].Detail, ": "))
	}
	return p.Complete(), nil
}

// faultOf points to what huma names as body.scopes[0], query.limit or header.Accept.
func faultOf(d *huma.ErrorDetail) v1.Fault {
	from, name, _ := strings.Cut(d.Location, ".")
	fault := v1.Fault{Detail: d.Message}
	switch from {
	case "body":
		fault.Pointer = "#"
		if name != "" {
			fault.Pointer = "#/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(name)
		}
	case "query", "path":
		fault.Parameter = name
	case "header":
		fault.Header = name
	}
	return fault
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.TrimSuffix(strings.ToUpper(text[:1])+text[1:], ".") + "."
}

// refuse answers instead of the operation.
func (a *API) refuse(c huma.Context, err error) {
	p := a.problem(c.Context(), err)
	for name, values := range p.GetHeaders() {
		c.SetHeader(name, values[0])
	}
	c.SetHeader("Content-Type", p.ContentType(""))
	c.SetStatus(p.Status)
	_ = json.NewEncoder(c.BodyWriter()).Encode(p) // the one who asked is gone
}

// Fail answers for what no operation does, such as an address at which there is nothing.
func (a *API) Fail(c echo.Context, err error) error {
	p := a.problem(c.Request().Context(), err)
	for name, values := range p.GetHeaders() {
		c.Response().Header().Set(name, values[0])
	}
	c.Response().Header().Set(echo.HeaderContentType, p.ContentType(""))
	c.Response().WriteHeader(p.Status)
	return json.NewEncoder(c.Response()).Encode(p)
}
