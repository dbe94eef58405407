package helm

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	journalLines = 20
	lineLength   = 300
)

// Error is why an action failed, with the last log lines of Helm and warnings of the API server.
// Neither contains values of the release.
type Error struct {
	Log   []string
	cause error
}

// Error implements error.
func (e *Error) Error() string { return e.cause.Error() }

// Unwrap returns why the action failed.
func (e *Error) Unwrap() error { return e.cause }

// LockedError says that another action on the release has begun and not ended.
type LockedError struct {
	Name     string
	Revision int       // that the other action makes
	Status   string    // in Helm's words, such as pending-upgrade
	Since    time.Time // when it was begun
}

// Error implements error.
func (e *LockedError) Error() string {
	return fmt.Sprintf("another operation on the release %s is in progress: its revision %d is %s", e.Name, e.Revision, e.Status)
}

// LogOf returns the log lines that came before the error, if it comes from an action.
func LogOf(err error) []string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Log
	}
	return nil
}

// journal keeps the last log lines of one action, and the API server's first refusal. It is safe for
// concurrent use.
type journal struct {
	refusals refusals

	mu    sync.Mutex
	lines []string
}

// logf is the log function that Helm gets.
func (j *journal) logf(format string, args ...any) { j.add(fmt.Sprintf(format, args...)) }

// HandleWarningHeader implements rest.WarningHandler. The API server warns of objects that it accepts
// but that may not work, such as pods that violate the restricted Pod Security Standard.
func (j *journal) HandleWarningHeader(_ int, _, text string) { j.add("Warning: " + text) }

func (j *journal) add(text string) {
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > lineLength {
		line = append(line[:lineLength-1], '…')
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(line))
	j.lines = j.lines[max(0, len(j.lines)-journalLines):]
}

// explain adds the log lines and the first refusal, if there is one, to the error.
func (j *journal) explain(err error) error {
	if err == nil {
		return nil
	}
	err = j.refusals.explain(err)
	j.mu.Lock()
	defer j.mu.Unlock()
	return &Error{Log: j.lines, cause: err}
}
