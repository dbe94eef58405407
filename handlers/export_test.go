package handlers

import "time"

// SetWriteTimeout sets how long a stream waits for a reader who has stopped reading.
func (a *App) SetWriteTimeout(d time.Duration) { a.writeTimeout = d }
