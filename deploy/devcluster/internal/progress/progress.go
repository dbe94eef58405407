// Package progress tells people, or the program that started us, how far a cluster is on its way up.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// The phases of a cluster on its way up.
const (
	Build  = "build"
	Start  = "start"
	Ready  = "ready"
	Failed = "failed"
)

// Event is one step on the way. Done and Total count compiled packages and are 0 elsewhere; the paths come with
// Ready only, details with Failed only.
type Event struct {
	Phase string `json:"phase"`
	// Message is one line.
	Message         string `json:"message"`
	Detail          string `json:"detail,omitempty"`
	Done            int    `json:"done,omitempty"`
	Total           int    `json:"total,omitempty"`
	Kubeconfig      string `json:"kubeconfig,omitempty"`
	AdminKubeconfig string `json:"adminKubeconfig,omitempty"`
}

// Reporter takes events as they happen. It is called from one goroutine at a time.
type Reporter func(Event)

// JSON writes one JSON object a line. Nobody is told of a write that fails: a reader that has gone away must not
// keep a cluster from starting.
func JSON(w io.Writer) Reporter {
	encoder := json.NewEncoder(w)
	return func(e Event) { _ = encoder.Encode(e) }
}

// textSteps is how many lines a whole build is worth to a person.
const textSteps = 20

// Text writes lines for people: each new message, and of a count one line in each twentieth.
func Text(w io.Writer) Reporter {
	var message string
	var step int
	return func(e Event) {
		at := 0
		if e.Total > 0 {
			at = e.Done * textSteps / e.Total
		}
		if e.Message == message && at == step {
			return
		}
		message, step = e.Message, at
		fmt.Fprintln(w, line(e))
	}
}

func line(e Event) string {
	switch {
	case e.Total > 0:
		return fmt.Sprintf("%s: %d of %d packages", e.Message, e.Done, e.Total)
	case e.Detail != "":
		return e.Message + "\n" + e.Detail
	}
	return e.Message
}

// Failure is the event of an error: its first line, and what follows as detail.
func Failure(err error) Event {
	message, detail, _ := strings.Cut(err.Error(), "\n")
	return Event{Phase: Failed, Message: message, Detail: detail}
}
