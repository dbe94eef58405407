package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const mostLogPage = 1 << 20 // bytes of text

// logQuery is the log that a URL names, and how it is shown.
type logQuery struct {
	Pod       string
	Container string
	Previous  bool
	Times     bool
	Search    string
	Tail      int
}

func logTails() []int { return []int{100, 500, views.MostLogLines} }

func parseLogQuery(values url.Values) logQuery {
	pod, container, _ := strings.Cut(values.Get("of"), "/")
	tail, err := strconv.Atoi(values.Get("tail"))
	if err != nil || !slices.Contains(logTails(), tail) {
		tail = 500
	}
	return logQuery{
		Pod: word(pod), Container: word(container), Previous: values.Get("previous") == "on",
		Times:  values.Get("times") == "on" || !values.Has("of"), // the default
		Search: legible.FirstRunes(word(values.Get("q")), 200), Tail: tail,
	}
}

// source returns the container in the form that URLs have.
func (q logQuery) source() string { return q.Pod + "/" + q.Container }

// addTo adds the container, if there is one, to the values of a URL.
func (q logQuery) addTo(values url.Values) {
	if q.Pod != "" {
		values.Set("of", q.source())
	}
	if q.Previous {
		values.Set("previous", "on")
	}
}

// address returns a URL for that container's log.
func (q logQuery) address(st store.Store, path string) string {
	values := url.Values{}
	q.addTo(values)
	return "/stores/" + st.ID + "/logs/" + path + "?" + values.Encode()
}

// chosen returns the query. If it names no container, it gets the one that is most likely wanted.
func (q logQuery) chosen(pods []kube.Pod) logQuery {
	if q.Pod == "" {
		q.Pod, q.Container = provisioner.LikelyContainer(pods)
	}
	return q
}

// logsTab returns the tab with the log as written so far.
func (a *App) logsTab(ctx context.Context, st store.Store, q logQuery) views.LogsTab {
	tab := a.logsFrame(st, q)
	if tab.Pod == "" {
		return tab
	}
	q.Pod, q.Container = tab.Pod, tab.Container
	tab.Times, tab.Search, tab.Download = q.Times, q.Search, q.address(st, "download")
	if !q.Previous {
		tab.Stream = q.address(st, "stream")
	}
	for _, n := range logTails() {
		tab.Tails = append(tab.Tails, views.Choice{Value: strconv.Itoa(n), Label: fmt.Sprintf("Last %d lines", n), Selected: n == q.Tail})
	}
	lines, err := a.readLog(ctx, st, q)
	tab.Silence = silence(err, q.Previous)
	if err != nil && !expected(err) {
		a.Log.Warn("read a log", "store", st.ID, "pod", q.Pod, "container", q.Container, "error", err)
	}
	var last position
	for _, line := range lines {
		last.add(line.At)
		tab.Lines = append(tab.Lines, logLine(line, q.Search))
	}
	tab.Last = last.String()
	return tab
}

// logsFrame returns the tab without the log, with no request to the cluster.
func (a *App) logsFrame(st store.Store, q logQuery) views.LogsTab {
	snapshot, known := a.clusters.Of(st).Snapshot(st)
	q = q.chosen(snapshot.Pods)
	tab := views.LogsTab{
		StoreID: st.ID, Known: known, Pod: q.Pod, Container: q.Container, Previous: q.Previous,
		State: logState(snapshot.Pods, known, q), Simulated: a.clusters.Of(st).Cluster().Simulated,
	}
	for _, pod := range snapshot.Pods {
		for _, c := range pod.Containers {
			of := logQuery{Pod: pod.Name, Container: c.Name}
			label := pod.Name + " · " + c.Name
			if c.Init {
				label += ", first"
			}
			tab.Sources = append(tab.Sources, views.Choice{Value: of.source(), Label: label, Selected: of.source() == q.source()})
		}
	}
	if q.Pod != "" && !slices.ContainsFunc(tab.Sources, func(c views.Choice) bool { return c.Selected }) {
		// The form would lose the container that the page shows while the cluster, or the pod, is away.
		shown := views.Choice{Value: q.source(), Label: q.Pod + " · " + q.Container, Selected: true}
		tab.Sources = append([]views.Choice{shown}, tab.Sources...)
	}
	return tab
}

// chosenLog returns the container that a page shows.
func chosenLog(tab views.LogsTab) logQuery {
	return logQuery{Pod: tab.Pod, Container: tab.Container, Previous: tab.Previous}
}

// logParts returns the parts of the page that change with the pods. The lines have a stream of their own.
func (a *App) logParts(st store.Store, q logQuery) []live.Part {
	tab := a.logsFrame(st, q)
	if q.Pod == "" {
		return []live.Part{{Target: "tab-logs", Component: views.LogsWait(tab), Fleeting: true}}
	}
	return []live.Part{
		{Target: "log-sources", Component: views.LogSources(tab), Fleeting: true},
		{Target: "log-state", Component: views.LogStateNote(tab.State), Fleeting: true},
	}
}

// logState describes the state of the container whose log is shown.
func logState(pods []kube.Pod, known bool, q logQuery) views.LogState {
	if !known {
		return views.LogState{Tone: views.ToneWarn, Title: "The cluster is unreachable.", Message: "Logs appear when it is back."}
	}
	if q.Pod == "" {
		return views.LogState{}
	}
	c, found := provisioner.FindContainer(pods, q.Pod, q.Container)
	says := strings.Join(slices.DeleteFunc([]string{word(c.State.Reason), plain(c.State.Message)}, func(s string) bool { return s == "" }), ": ")
	switch {
	case !found:
		return views.LogState{Tone: views.ToneWarn, Title: "This pod no longer exists.", Message: "Its log is gone. Choose another container."}
	case c.State.Kind == "running" && q.Previous:
		return views.LogState{Tone: views.TonePlain, Title: "This is the log before the last restart.", Message: ended(c.Previous)}
	case c.State.Kind == "terminated":
		return views.LogState{Tone: views.TonePlain, Title: "The container has exited.", Message: ended(c.State)}
	case c.State.Kind == "running":
		return views.LogState{}
	case c.HasLog(true):
		return views.LogState{Tone: views.ToneBad, Title: "The container keeps crashing.", Message: says}
	case !c.Stuck():
		return views.LogState{Tone: views.TonePlain, Title: "The container has not started.", Message: cmp.Or(podMessage(pods, q.Pod), says)}
	}
	return views.LogState{Tone: views.ToneBad, Title: "The container can’t start.", Message: says}
}

func podMessage(pods []kube.Pod, name string) string {
	for _, pod := range pods {
		if pod.Name == name {
			return plain(pod.Message)
		}
	}
	return ""
}

// ended says how a container ended.
func ended(s kube.State) string {
	parts := []string{fmt.Sprintf("Exit code %d", s.ExitCode)}
	for _, part := range []string{word(s.Reason), plain(s.Message)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// silence is the text shown if there are no lines.
func silence(err error, previous bool) string {
	why, known := shop.WhyNoLog(err, previous)
	switch {
	case err == nil:
		return "No output yet."
	case known:
		return why.Note
	case errors.Is(err, context.DeadlineExceeded):
		return "The node didn’t respond in time."
	}
	return "The cluster is unreachable. The log appears when it is back."
}

// expected reports whether the error is temporary, as when pods are replaced or the cluster is unreachable.
func expected(err error) bool {
	why, known := shop.WhyNoLog(err, false)
	return known && why.Passing || errors.Is(err, provisioner.ErrUnreachable)
}

// readLog reads the end of a log as it is now, and fewer lines if they are long.
func (a *App) readLog(ctx context.Context, st store.Store, q logQuery) ([]provisioner.LogLine, error) {
	ctx, cancel := context.WithTimeout(ctx, a.ClusterTimeout)
	defer cancel()
	if q.Search != "" {
		q.Tail = views.MostLogLines
	}
	log, err := a.clusters.Of(st).OpenLog(ctx, st, q.options(kube.LogOptions{Tail: int64(q.Tail)}))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	var lines []provisioner.LogLine
	size := 0
	for {
		line, err := log.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		lines, size = append(lines, line), size+len(line.Text)
		for len(lines) > views.MostLogLines || size > mostLogPage {
			size -= len(lines[0].Text)
			lines = lines[1:]
		}
	}
}

func (q logQuery) options(o kube.LogOptions) provisioner.LogQuery {
	o.Previous = q.Previous
	return provisioner.LogQuery{Pod: q.Pod, Container: q.Container, LogOptions: o}
}

// logLine returns a line for the page, hidden if it does not contain the search.
func logLine(l provisioner.LogLine, search string) views.LogLine {
	return views.LogLine{At: l.At, Text: l.Text, Cut: l.Cut, Hidden: !strings.Contains(strings.ToLower(l.Text), strings.ToLower(search))}
}

// position is how far a log was read: the time of the last line, and how many lines with that time were read.
type position struct {
	at  time.Time
	nth int
}

// add moves past a line with that time.
func (p *position) add(at time.Time) {
	if at.Equal(p.at) || at.IsZero() {
		p.nth++
		return
	}
	p.at, p.nth = at, 1
}

// after reports whether p is after the other position.
func (p position) after(other position) bool {
	return cmp.Or(p.at.Compare(other.at), cmp.Compare(p.nth, other.nth)) > 0
}

// String returns the position in the form that URLs have; it is empty at the beginning.
func (p position) String() string {
	if p.nth == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%d", p.at.UnixNano(), p.nth)
}

// parsePosition parses what String returns; anything else is the beginning.
func parsePosition(text string) position {
	at, nth, _ := strings.Cut(text, "-")
	nanoseconds, err := strconv.ParseInt(at, 10, 64)
	n, err2 := strconv.Atoi(nth)
	if errors.Join(err, err2) != nil || nanoseconds < 0 || n < 1 {
		return position{}
	}
	return position{at: time.Unix(0, nanoseconds), nth: n}
}
