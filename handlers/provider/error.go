package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"shopwright.dev/shopwright/provisioner/legible"
)

// Error is why a provider did not tell who somebody is. Its text is for the log, and has no
// token, code or secret in it.
type Error struct {
	Unreachable bool // it did not answer; otherwise it did, but not with what can be believed
	reason      string
}

// Error implements error.
func (e *Error) Error() string { return e.reason }

// longestReason is how much of what somebody else wrote goes into the log, in characters.
const longestReason = 300

// explain makes an *Error of what went wrong, without the secrets.
func (p *Provider) explain(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	reason := []rune(legible.Text(hide(summarise(err), append(secrets, p.ClientSecret)...).Error()))
	return &Error{Unreachable: isUnreachable(err), reason: string(reason[:min(len(reason), longestReason)])}
}

// summarise leaves out the body of an answer to the trade of a code, which may repeat what
// was sent.
func summarise(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		return fmt.Errorf("trade the code: the answer is %d %s", status, refused.ErrorCode)
	}
	return err
}

func isUnreachable(err error) bool {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return refused.Response != nil && refused.Response.StatusCode >= http.StatusInternalServerError
	}
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network)
}

// hidden is an error that does not repeat secrets.
type hidden struct {
	error
	text string
}

// Error implements error.
func (h hidden) Error() string { return h.text }

// Unwrap returns the error that does.
func (h hidden) Unwrap() error { return h.error }

func hide(err error, secrets ...string) error {
	text := err.Error()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "•••")
		}
	}
	return hidden{err, text}
}
