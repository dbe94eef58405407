package v1

import "time"

// LogLine is a line of a log.
type LogLine struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
	Cut  int       `json:"cut,omitempty"` // bytes that are missing at its end
}
