package handlers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const (
	gatherFor     = 50 * time.Millisecond // how long lines are collected for one message
	gatherMost    = 200                   // lines in one message
	openAgain     = 3 * time.Second       // after a log was interrupted, or could not be opened
	mostLogs      = 100                   // open at once; each is a request to the cluster
	mostLogsOfOne = 8                     // of those, for one user
	mostDownload  = 64 << 20              // bytes
)

const tooManyLogs = "Too many logs are open. Close another log, or try again in a moment."

// logReading is one browser's reading of a log.
type logReading struct {
	*live.Reader
	app *App
	st  store.Store
	q   logQuery
}

// readingLog lets a visitor read a log for as long as the visitor may see it.
func (a *App) readingLog(c echo.Context, read func(logReading) error) error {
	st, err := a.find(c)
	if err != nil {
		return err
	}
	return a.read(c, a.logReaders, func(r *live.Reader) error {
		return read(logReading{Reader: r, app: a, st: st, q: parseLogQuery(c.QueryParams())})
	})
}

// container returns the container whose log is read, from the informers' caches.
func (r logReading) container() (kube.Container, bool) {
	snapshot, _ := r.app.clusters.Of(r.st).Snapshot(r.st)
	return provisioner.FindContainer(snapshot.Pods, r.q.Pod, r.q.Container)
}

// streamLog streams a log from the last line that the browser has. It waits for a container that has not
// started, and continues after a restart.
func (a *App) streamLog(c echo.Context) error {
	return a.readingLog(c, func(r logReading) error {
		if _, known := r.container(); !known && a.clusters.Of(r.st).Cluster().Link == provisioner.Connected {
			return errNoSuchLog
		}
		last := cmp.Or(c.Request().Header.Get("Last-Event-ID"), c.QueryParam("after"))
		r.q.Previous = false
		r.stream(c.Request().Context(), parsePosition(last))
		return nil
	})
}

var errNoSuchLog = &store.Error{Code: store.NotFound, Message: "This log doesn’t exist. Choose another."}

// stream writes until the browser disconnects or may no longer read the log.
func (r logReading) stream(ctx context.Context, last position) {
	if r.Begin() != nil {
		return
	}
	defer r.End()
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	f := &following{logReading: r, last: last, lines: make(chan followed)}
	reading.Go(func() { f.run(ctx) })
	beat := time.NewTimer(r.UntilBeat())
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-r.Closing():
			return
		case <-r.Doubted():
			err = r.CheckRights(ctx)
		case line := <-f.lines:
			err = r.send(ctx, f.gather(ctx, line))
		case <-beat.C:
			err = r.Beat(ctx)
			beat.Reset(r.UntilBeat())
		}
		if err != nil {
			return
		}
	}
}

// send writes the lines, if the visitor may still read them.
func (r logReading) send(ctx context.Context, lines []followed) error {
	if err := r.SettleDoubt(ctx); err != nil {
		return err
	}
	shown := make([]views.LogLine, len(lines))
	for i, line := range lines {
		shown[i] = line.LogLine
	}
	var text bytes.Buffer
	if err := views.LogLines(shown).Render(ctx, &text); err != nil {
		return err
	}
	return r.Write(live.Frame(lines[len(lines)-1].position.String(), text.Bytes()))
}

// followed is a line, with the position in the log after it.
type followed struct {
	views.LogLine
	position position
}

// following reads one container's log through all its restarts.
type following struct {
	logReading
	last      position
	restarts  int32 // of the container when the log was last opened
	opened    bool
	restarted bool // since the last line
	lines     chan followed
}

// gather waits a moment for more lines, to send them in one message.
func (f *following) gather(ctx context.Context, line followed) []followed {
	lines := []followed{line}
	enough := time.NewTimer(gatherFor)
	defer enough.Stop()
	for len(lines) < gatherMost {
		select {
		case line := <-f.lines:
			lines = append(lines, line)
		case <-enough.C:
			return lines
		case <-ctx.Done():
			return lines
		}
	}
	return lines
}

// run reads until the context is done.
func (f *following) run(ctx context.Context) {
	for ctx.Err() == nil {
		at, _ := f.container()
		err := service.Guard(func() error { return f.read(ctx, at) })
		if panicked, ok := errors.AsType[*service.PanicError](err); ok {
			f.app.Log.Error("follow a log", "store", f.st.ID, "error", panicked)
		}
		over := err == nil && at.State.Kind == "terminated" || errors.Is(err, provisioner.ErrNotStarted)
		f.wait(ctx, at, over)
	}
}

// wait returns when the container or the connection to the cluster has changed. Unless the log is over,
// it also returns after a pause for another try.
func (f *following) wait(ctx context.Context, at kube.Container, over bool) {
	linked, unlink := f.app.clusters.Of(f.st).SubscribeCluster()
	defer unlink()
	changed, cancel := f.app.clusters.Of(f.st).SubscribeStore(f.st)
	defer cancel()
	var again <-chan time.Time
	if !over {
		timer := time.NewTimer(openAgain)
		defer timer.Stop()
		again = timer.C
	}
	for {
		if now, _ := f.container(); now.State != at.State || now.Restarts != at.Restarts {
			return
		}
		select {
		case <-changed:
		case <-linked:
			return
		case <-again:
			return
		case <-ctx.Done():
			return
		}
	}
}

// read passes on the lines after the last one, until the log ends.
func (f *following) read(ctx context.Context, at kube.Container) error {
	log, err := f.app.clusters.Of(f.st).OpenLog(ctx, f.st, f.q.options(kube.LogOptions{Follow: true, Tail: views.MostLogLines, Since: f.last.at}))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	f.restarted = f.restarted || f.opened && at.Restarts != f.restarts
	f.opened, f.restarts = true, at.Restarts
	from, seen := f.last, position{}
	told := from.nth == 0 // false while lines may be missing after the last one
	for {
		line, err := log.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		told = told || line.At.Equal(from.at)
		if seen.add(line.At); !seen.after(from) {
			continue
		}
		if f.restarted || !told {
			f.note(ctx)
			f.restarted, told = false, true
		}
		f.last = seen
		f.pass(ctx, logLine(line, ""))
	}
}

func (f *following) note(ctx context.Context) {
	text := "Some lines are missing here."
	if f.restarted {
		text = "The container restarted."
	}
	f.pass(ctx, views.LogLine{Text: text, Note: true})
}

func (f *following) pass(ctx context.Context, line views.LogLine) {
	select {
	case f.lines <- followed{line, f.last}:
	case <-ctx.Done():
	}
}

// downloadLog sends a log as a file.
func (a *App) downloadLog(c echo.Context) error {
	return a.readingLog(c, func(r logReading) error {
		ctx := c.Request().Context()
		log, err := a.clusters.Of(r.st).OpenLog(ctx, r.st, r.q.options(kube.LogOptions{}))
		if err != nil {
			return downloadError(err, r.q.Previous)
		}
		defer func() { _ = log.Close() }()
		header := c.Response().Header()
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("Content-Disposition", `attachment; filename="`+r.fileName()+`"`)
		c.Response().WriteHeader(http.StatusOK)
		defer r.End()
		r.copy(ctx, log)
		return nil
	})
}

func (r logReading) fileName() string {
	parts := []string{r.st.Slug, r.q.Pod, r.q.Container}
	if r.q.Previous {
		parts = append(parts, "previous")
	}
	return strings.Join(parts, "_") + ".log"
}

func downloadError(err error, previous bool) error {
	known := &store.Error{Code: store.Conflict, Message: silence(err, previous)}
	switch {
	case errors.Is(err, provisioner.ErrNoContainer):
		return errNoSuchLog
	case errors.Is(err, provisioner.ErrUnreachable):
		known.Code = store.Unavailable
	}
	return known
}

// copy writes the log in pieces, until it ends, or the visitor disconnects or may no longer read it.
func (r logReading) copy(ctx context.Context, log *provisioner.Log) {
	var text bytes.Buffer
	for sent := 0; sent < mostDownload; sent += text.Len() {
		text.Reset()
		err := fill(&text, log)
		if r.SettleDoubt(ctx) != nil || r.Write(text.Bytes()) != nil || errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			_ = r.Write([]byte("[Shopwright: the log was interrupted here.]\n"))
			return
		}
	}
	_ = r.Write([]byte("[Shopwright: the rest is omitted.]\n"))
}

// fill reads a piece of the log.
func fill(text *bytes.Buffer, log *provisioner.Log) error {
	for text.Len() < 64<<10 {
		line, err := log.Next()
		if err != nil {
			return err
		}
		fmt.Fprintln(text, plainLine(line))
	}
	return nil
}

func plainLine(l provisioner.LogLine) string {
	text := l.At.UTC().Format(time.RFC3339Nano) + " " + l.Text
	if l.Cut > 0 {
		text += fmt.Sprintf(" … %d more bytes", l.Cut)
	}
	return text
}
