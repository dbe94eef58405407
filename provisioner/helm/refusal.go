package helm

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// longestStatus limits how much of an error response's body is read.
const longestStatus = 1 << 20

// refusals keeps the first refusal of a write. Helm joins the errors of an upgrade into one
// text, from which the API server's status cannot be recovered. It is safe for concurrent use.
type refusals struct {
	mu    sync.Mutex
	first *apierrors.StatusError
}

// wrap returns a RoundTripper that inspects every response.
func (s *refusals) wrap(next http.RoundTripper) http.RoundTripper {
	return listening{next: next, refusals: s}
}

type listening struct {
	next     http.RoundTripper
	refusals *refusals
}

// RoundTrip implements http.RoundTripper.
func (l listening) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	if err != nil || !isRefusal(r.Method, response.StatusCode) {
		return response, err
	}
	head, err := io.ReadAll(io.LimitReader(response.Body, longestStatus))
	if err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	response.Body = rereadBody{Reader: io.MultiReader(bytes.NewReader(head), response.Body), Closer: response.Body}
	l.refusals.note(head)
	return response, nil
}

// isRefusal reports whether the API server has understood a write and rejected it for good. Conflicts
// and rate limits are temporary, and an upgrade succeeds even if objects cannot be deleted.
func isRefusal(method string, code int) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return false
	}
	switch code {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// note keeps the status in a response, if it has one and none was kept before.
func (s *refusals) note(answer []byte) {
	var status metav1.Status
	if err := json.Unmarshal(answer, &status); err != nil || status.Kind != "Status" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = &apierrors.StatusError{ErrStatus: status}
	}
}

// explain adds the API server's first refusal, if there was one, to an error of Helm's.
func (s *refusals) explain(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || s.first == nil {
		return err
	}
	return refusedError{error: err, status: s.first}
}

// refusedError is an error of Helm's with the status of the API server that caused it.
type refusedError struct {
	error
	status *apierrors.StatusError
}

// Unwrap returns both.
func (e refusedError) Unwrap() []error { return []error{e.error, e.status} }

// rereadBody is a response body whose beginning was read and can be read again.
type rereadBody struct {
	io.Reader
	io.Closer
}
