package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
)

const ndjson = "application/x-ndjson"

type logInput struct {
	StoreInput
	Pod       string `query:"pod" maxLength:"253" doc:"Defaults to the first running pod."`
	Container string `query:"container" maxLength:"253" doc:"Defaults to the pod’s first container."`
	Tail      int64  `query:"tail" minimum:"1" maximum:"100000" default:"500" doc:"Number of lines from the end."`
	Since     string `query:"since" maxLength:"40" doc:"Start time such as 2026-01-02T15:04:05Z, or age such as 10m."`
	Previous  bool   `query:"previous" doc:"Log from before the container’s last restart."`
	Follow    bool   `query:"follow" doc:"Follow the log until the container exits. Ignore empty lines: they keep the connection open."`
	Accept    string `header:"Accept" doc:"application/x-ndjson, or text."`
}

func (a *API) readLog(ctx context.Context, in *logInput) (*huma.StreamResponse, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	query, err := a.logQuery(st, in)
	if err != nil {
		return nil, err
	}
	log := a.openLog(ctx, st, query)
	if err := log.soon(in.Follow); err != nil {
		log.close()
		return nil, a.whyNoLog(ctx, st, err, in.Previous)
	}
	kind, format := "text/plain; charset=utf-8", plainLine
	if in.Accept == ndjson {
		kind, format = ndjson, jsonLine
	}
	answer, err := a.streaming(ctx, func(huma.Context) string { return kind }, func(ctx context.Context, s *stream) {
		defer log.close()
		l := logCopy{stream: s, logOpening: log, format: format}
		if in.Follow {
			l.alive = []byte("\n")
		}
		l.run(ctx)
	})
	if err != nil {
		log.close()
	}
	return answer, err
}

// logOpening is a log that is being opened. A node says nothing of one that is followed before
// something is written to it.
type logOpening struct {
	cancel func()
	done   chan struct{} // closed when it is open, or cannot be
	log    *provisioner.Log
	err    error
}

// openLog begins to open a log. Whoever asked closes it.
func (a *API) openLog(ctx context.Context, st store.Store, query provisioner.LogQuery) *logOpening {
	ctx, cancel := context.WithCancel(ctx)
	o := &logOpening{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(o.done)
		o.err = service.Guard(func() (err error) {
			o.log, err = a.Clusters.Of(st).OpenLog(ctx, st, query)
			return err
		})
	}()
	return o
}

// untilQuiet is how long a log that is followed may take to open before it is thought to be
// quiet: what cannot be read is refused sooner.
const untilQuiet = 2 * time.Second

// soon waits until the log is open, and returns why it cannot be. One that is followed may be
// quiet, and not be open yet.
func (o *logOpening) soon(followed bool) error {
	var quiet <-chan time.Time
	if followed {
		quiet = time.After(untilQuiet)
	}
	select {
	case <-o.done:
		return o.err
	case <-quiet:
		return nil
	}
}

// close ends the reading, whether it has begun or not.
func (o *logOpening) close() {
	o.cancel()
	if <-o.done; o.err == nil {
		_ = o.log.Close()
	}
}

func (a *API) logQuery(st store.Store, in *logInput) (provisioner.LogQuery, error) {
	query := provisioner.LogQuery{Pod: in.Pod, Container: in.Container, LogOptions: kube.LogOptions{Previous: in.Previous, Follow: in.Follow, Tail: in.Tail}}
	since, err := readSince(in.Since)
	if err != nil {
		return query, err
	}
	query.Since = since
	snapshot, known := a.Clusters.Of(st).Snapshot(st)
	if !known {
		return query, provisioner.ErrUnreachable
	}
	if query.Pod == "" {
		query.Pod, query.Container = provisioner.LikelyContainer(snapshot.Pods)
	}
	for _, pod := range snapshot.Pods {
		if pod.Name == query.Pod && query.Container == "" {
			_, query.Container = provisioner.LikelyContainer([]kube.Pod{pod})
		}
	}
	return query, nil
}

func readSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return time.Now().Add(-d), nil
	}
	return time.Time{}, &v1.Problem{
		Status: http.StatusUnprocessableEntity, Code: string(store.Invalid), Detail: "since is not a valid time. Use a time such as 2026-01-02T15:04:05Z, or an age such as 10m.",
		Errors: []v1.Fault{{Detail: "Not a valid time.", Parameter: "since"}},
	}
}

func (a *API) whyNoLog(ctx context.Context, st store.Store, err error, previous bool) error {
	if why, known := shop.WhyNoLog(err, previous); known {
		return &store.Error{Code: why.Code, Message: why.Message}
	}
	return a.ofCluster(ctx, st, err)
}

// logCopy copies a log to its reader.
type logCopy struct {
	*stream
	*logOpening
	format func(*bytes.Buffer, provisioner.LogLine)
	alive  []byte // what is written now and then, to keep the connection
}

// run writes lines until there are no more, nobody reads them or may.
func (l *logCopy) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.watch(ctx)
		l.cancel()
	}()
	defer func() { stop(); <-watched }()
	if <-l.done; l.err != nil { // it is not there any more, or nobody reads
		return
	}
	var text bytes.Buffer
	for {
		line, err := l.log.Next()
		if err != nil || ctx.Err() != nil {
			break
		}
		l.format(&text, line)
		if l.log.Buffered() && text.Len() < 32<<10 {
			continue
		}
		if l.write(text.Bytes()) != nil {
			return
		}
		text.Reset()
	}
	_ = l.write(text.Bytes())
}

// watch keeps the connection, and returns when nobody reads, the token is good no more, the
// program ends or the context is done.
func (l *logCopy) watch(ctx context.Context) {
	beat := time.NewTicker(l.api.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.api.Ending:
			return
		case e, open := <-l.sub.Events:
			if !open || e.RightsOf() == l.who.User.ID && !l.good(ctx) {
				return
			}
		case <-beat.C:
			if !l.good(ctx) || l.write(l.alive) != nil {
				return
			}
		}
	}
}

func plainLine(out *bytes.Buffer, l provisioner.LogLine) {
	fmt.Fprintf(out, "%s %s", l.At.UTC().Format(time.RFC3339Nano), l.Text)
	if l.Cut > 0 {
		fmt.Fprintf(out, " … %d more bytes", l.Cut)
	}
	out.WriteByte('\n')
}

func jsonLine(out *bytes.Buffer, l provisioner.LogLine) {
	_ = json.NewEncoder(out).Encode(v1.LogLine{At: l.At.UTC(), Text: l.Text, Cut: l.Cut}) // into memory
}
