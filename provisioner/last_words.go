package provisioner

import (
	"context"
	"errors"
	"io"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

const (
	wordsKept    = 12 // lines
	wordsTimeout = 5 * time.Second
)

// lastWords reads what the first container wrote that ended badly. Without any, or when the
// node does not tell, there are none.
func (p *Provisioner) lastWords(ctx context.Context, st store.Store, s kube.Snapshot) store.LastWords {
	query, found := endedBadly(s)
	if !found {
		return store.LastWords{}
	}
	ctx, cancel := context.WithTimeout(ctx, wordsTimeout)
	defer cancel()
	log, err := p.OpenLog(ctx, st, query)
	if err != nil {
		p.log.Warn("no log lines for the failure", "store", st.ID, "pod", query.Pod, "error", err)
		return store.LastWords{}
	}
	defer log.Close() //nolint:errcheck // it is read
	words := store.LastWords{Pod: query.Pod, Container: query.Container}
	for {
		line, err := log.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.log.Warn("log lines are incomplete", "store", st.ID, "error", err)
			}
			return words
		}
		words.Lines = append(words.Lines, line.Text)
	}
}

// endedBadly finds the log of a container that ended with an error: of this run, or of the
// one before the restart that it waits for.
func endedBadly(s kube.Snapshot) (q LogQuery, found bool) {
	for _, pod := range s.Pods {
		for _, c := range pod.Containers {
			now, before := badEnd(c.State), c.State.Kind == "waiting" && badEnd(c.Previous)
			if now || before {
				return LogQuery{Pod: pod.Name, Container: c.Name, LogOptions: kube.LogOptions{Previous: before, Tail: wordsKept}}, true
			}
		}
	}
	return LogQuery{}, false
}

func badEnd(s kube.State) bool { return s.Kind == "terminated" && s.ExitCode != 0 }
