package store

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies an error for those who must answer it.
type Code string

// What can be wrong: with a request, with the database, or with us.
const (
	Invalid     Code = "invalid"
	NotFound    Code = "not_found"
	Conflict    Code = "conflict"
	Forbidden   Code = "forbidden"
	Limited     Code = "limited"
	Unavailable Code = "unavailable" // the database cannot be used now
	Internal    Code = "internal"
)

// Error is an error that a user can be told. Message is one plain sentence with a next
// step; Field names the input it belongs to, if any.
type Error struct {
	Code    Code
	Field   string
	Message string
	// RetryAfter is when to ask again, where waiting is what helps; zero otherwise.
	RetryAfter time.Duration
	// Cause is what the database said, if the error is about that. It is for the log.
	Cause error
}

// Error implements error.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Message
	if e.Cause != nil {
		text += " (" + e.Cause.Error() + ")"
	}
	return text
}

// Unwrap returns what the database said, if the error is about that.
func (e *Error) Unwrap() error { return e.Cause }

// ErrorCode returns the code of the first *Error in the chain, Internal for any other
// error and "" for none.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// ErrStale says that a record changed between reading and writing it: its status or
// generation moved on, or the claim on it was lost. Read it again and decide again.
var ErrStale = errors.New("the row has changed since it was read")

// Invalidf is an error about that input of a request; about all of it when the field is empty.
func Invalidf(field, format string, args ...any) error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NoSuch is an error that does not reveal whether the object exists.
func NoSuch(what string) error {
	return &Error{Code: NotFound, Message: "No such " + what + ", or you don’t have access to it."}
}
