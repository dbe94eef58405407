package gate

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// Fault says which requests go wrong, and how. Exactly one of Hold, Drop, Status and Delay is set.
type Fault struct {
	ID string `json:"id"`
	// Method is an HTTP method; empty stands for all.
	Method string `json:"method,omitempty"`
	// Path is a regular expression that the request's path, without its query, must match.
	Path string `json:"path,omitempty"`

	// Hold keeps the request back until the fault is cleared; then it goes on to the API server.
	Hold bool `json:"hold,omitempty"`
	// Drop closes the connection, as if the API server were gone.
	Drop bool `json:"drop,omitempty"`
	// Status answers the request with this HTTP status instead of passing it on.
	Status int `json:"status,omitempty"`
	// Delay passes the request on after this time.
	Delay time.Duration `json:"delay,omitempty"`

	// Times is how many requests are hit at most; 0 stands for any number.
	Times int `json:"times,omitempty"`
	// Hits is how many requests have been hit.
	Hits int `json:"hits"`
}

// validate reports all that is wrong with a fault at once.
func (f Fault) validate() error {
	var problems []error
	if _, err := regexp.Compile(f.Path); err != nil {
		problems = append(problems, fmt.Errorf("path: %w", err))
	}
	if f.actions() != 1 {
		problems = append(problems, errors.New("say one of hold, drop, status and delay"))
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		problems = append(problems, fmt.Errorf("status %d is no error: use 400 to 599", f.Status))
	}
	if f.Delay < 0 || f.Times < 0 {
		problems = append(problems, errors.New("delay and times must not be negative"))
	}
	return errors.Join(problems...)
}

func (f Fault) actions() int {
	n := 0
	for _, set := range []bool{f.Hold, f.Drop, f.Status != 0, f.Delay != 0} {
		if set {
			n++
		}
	}
	return n
}

// String is the line that `fault list` prints.
func (f Fault) String() string {
	action := "delay " + f.Delay.String()
	switch {
	case f.Hold:
		action = "hold"
	case f.Drop:
		action = "drop"
	case f.Status != 0:
		action = fmt.Sprintf("answer %d %s", f.Status, http.StatusText(f.Status))
	}
	hits := fmt.Sprint(f.Hits)
	if f.Times > 0 {
		hits += fmt.Sprintf(" of %d", f.Times)
	}
	return fmt.Sprintf("%s  %s %s: %s, hits: %s", f.ID, cmp.Or(f.Method, "*"), cmp.Or(f.Path, "*"), action, hits)
}
