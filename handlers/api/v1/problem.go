package v1

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

// Problem is what is wrong, as RFC 9457 has it.
type Problem struct {
	Type   string  `json:"type" example:"about:blank" doc:"Always about:blank; use code to tell problems apart."`
	Title  string  `json:"title" example:"Unprocessable Entity"`
	Status int     `json:"status" example:"422"`
	Code   string  `json:"code" example:"invalid" doc:"Stable error code for programs."`
	Detail string  `json:"detail" example:"\"www\" is reserved for the platform. Choose another address." doc:"What is wrong and what to do, for people."`
	Errors []Fault `json:"errors,omitempty" nullable:"false" doc:"Which parts of the request are invalid."`

	// Retry is after how many seconds it may be better, zero for nobody knows. It is told in a
	// header.
	Retry int `json:"-"`

	// Challenge is the WWW-Authenticate header, empty for none.
	Challenge string `json:"-"`
}

// Fault is one mistake in a request.
type Fault struct {
	Detail    string `json:"detail" example:"expected string"`
	Pointer   string `json:"pointer,omitempty" example:"#/name" doc:"JSON pointer into the body."`
	Parameter string `json:"parameter,omitempty" example:"limit" doc:"Name of a URL parameter."`
	Header    string `json:"header,omitempty" example:"Idempotency-Key"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	header := http.Header{}
	if p.Challenge != "" {
		header.Set("WWW-Authenticate", p.Challenge)
	}
	if p.Retry > 0 {
		header.Set("Retry-After", strconv.Itoa(p.Retry))
	}
	return header
}

// Complete is the problem with what its status says.
func (p *Problem) Complete() *Problem {
	full := *p
	full.Type, full.Title = "about:blank", http.StatusText(p.Status)
	return &full
}

// Path names the part of the request, for a person.
func (f Fault) Path() string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(f.Pointer, "#"), "/"), f.Parameter, f.Header)
}
