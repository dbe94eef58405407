package handlers

import (
	"context"
	"time"
)

// SetWriteTimeout sets how long a stream waits for a reader who has stopped reading.
func (a *App) SetWriteTimeout(d time.Duration) { a.writeTimeout = d }

// SetInvited makes everybody hold an invitation whose sign-in leads to that page.
func (a *App) SetInvited(page string) {
	a.invited = func(_ context.Context, next string) (bool, error) { return next == page, nil }
}

// Device says in words what a user agent means.
func Device(userAgent string) string { return device(userAgent) }
