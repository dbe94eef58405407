package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

func (a *App) engineLabel(name string) (label, letter string) {
	if e, ok := a.Engines.Find(name); ok {
		return e.Label(), e.Letter()
	}
	return name, "?"
}

// row returns a store for the list, from the database and the state of the cluster.
func (a *App) row(who signin.Visitor, st store.Store, teams map[string]string) views.StoreRow {
	label, letter := a.engineLabel(st.Engine)
	row := views.StoreRow{
		ID: st.ID, Name: st.Name, Host: st.Host, Team: word(teams[st.TeamID]), URL: shopURL(st), Status: views.Status(st.Status), Detail: a.detail(st),
		Ticks: ticks(st), Engine: label, Letter: letter, CreatedAt: st.CreatedAt,
		CanRetry: st.CanRetry() && who.Actor.May(store.RetryStores, st.TeamID), CanDelete: canDelete(who, st),
	}
	if st.Wanted() {
		row.Since = st.Job.AskedAt
	}
	return row
}

func canDelete(who signin.Visitor, st store.Store) bool {
	return st.CanDelete() && who.Actor.May(store.DeleteStores, st.TeamID)
}

// shopURL returns the shop's URL, once it can be visited.
func shopURL(st store.Store) string {
	if st.Status == store.Deleting {
		return ""
	}
	return st.URL
}

func (a *App) detail(st store.Store) string {
	switch st.Status {
	case store.Provisioning, store.Deleting, store.Upgrading:
		if waiting := a.waiting(st); waiting != "" {
			return waiting
		}
		parts := []string{phrase.Step(st.Job.Step)}
		if said := phrase.Note(st.Job.Note); said != "" {
			parts = append(parts, word(said))
		}
		return strings.Join(parts, " · ")
	case store.Failed:
		return word(phrase.Failure(st.Job.Failure).Title)
	case store.Ready:
		if pods := a.readyPods(st); pods != "" {
			return pods
		}
		return "Opened in " + views.Took(st.ReadyAt.Sub(st.CreatedAt))
	case store.Degraded:
		return plain(phrase.Check(st.Health.Last))
	default:
		return ""
	}
}

// waiting says that the work on a store waits for its backup or for the cluster, if it does.
func (a *App) waiting(st store.Store) string {
	if st.Job.Waits() {
		return phrase.Note(st.Job.Note)
	}
	queued := st.Job.Step == "" || st.Job.Step == store.StepQueued
	switch link := a.clusters.Of(st).Cluster().Link; {
	case link == provisioner.Unreachable, link == provisioner.Foreign:
		return "Waiting for the cluster"
	case queued && link == provisioner.Unconfigured:
		return "Waiting for a cluster"
	case queued && link != provisioner.Connected:
		return "Waiting for the cluster"
	}
	return ""
}

func ticks(st store.Store) []views.Tick {
	running := views.TickRunning
	switch {
	case st.Wanted():
	case st.Status == store.Failed:
		running = views.TickBad
	default:
		return nil
	}
	steps := st.Job.Steps()
	at := slices.Index(steps, st.Job.Step)
	marks := make([]views.Tick, len(steps))
	for i := range marks {
		switch {
		case i < at:
			marks[i] = views.TickDone
		case i == max(at, 0):
			marks[i] = running
		default:
			marks[i] = views.TickToDo
		}
	}
	return marks
}

func (a *App) head(who signin.Visitor, st store.Store) views.StoreHead {
	label, _ := a.engineLabel(st.Engine)
	head := views.StoreHead{
		ID: st.ID, Name: st.Name, Slug: st.Slug, Host: st.Host, URL: shopURL(st),
		Status: views.Status(st.Status), Engine: label, Plan: st.Plan, Cluster: a.clusters.Of(st).Cluster().Name,
		CanDelete: canDelete(who, st),
	}
	if who.Actor.May(store.RetryStores, st.TeamID) {
		head.CanRetry, head.CanRebuild, head.CanRepair = st.CanRetry(), st.CanRebuild(), st.CanRepair()
	}
	if who.Actor.May(store.UpgradeStores, st.TeamID) && st.CanCancel() {
		switch head.Cancel = "Cancel " + string(st.Job.Change.Kind); {
		case st.Job.Kind == store.RemoveJob:
			head.Cancel = "Cancel deletion"
		case st.Job.Change.Kind == store.OwnerChange:
			head.Cancel = "Cancel change"
		}
	}
	if head.URL != "" {
		head.AdminURL = st.AdminURL
	}
	head.Pods = a.readyPods(st)
	return head
}

// readyPods says how many pods of a ready shop are ready, unless all are.
func (a *App) readyPods(st store.Store) string {
	snapshot, seen := a.clusters.Of(st).Snapshot(st)
	if !seen || !st.CanCheck() {
		return ""
	}
	return provisioner.ReadyPods(snapshot)
}

func (a *App) tabBar(st store.Store, current views.Tab) views.StoreTabs {
	snapshot, _ := a.clusters.Of(st).Snapshot(st)
	return views.StoreTabs{ID: st.ID, Current: current, Pods: len(snapshot.Pods)}
}

func (a *App) overview(ctx context.Context, who signin.Visitor, st store.Store) (views.Overview, error) {
	events, err := a.DB.StoreEvents(ctx, who.Actor, st.ID)
	if err != nil {
		return views.Overview{}, err
	}
	snapshot, _ := a.clusters.Of(st).Snapshot(st)
	overview := views.Overview{
		Head: a.head(who, st), Timeline: workOn(st.Job, events).view(), Facts: a.facts(st), Credentials: a.credentials(who, st),
		Story: story(events), Simulated: a.clusters.Of(st).Cluster().Simulated, Off: a.clusters.Of(st).Off(st),
	}
	origin, err := a.originFacts(ctx, who, st)
	if err != nil {
		return views.Overview{}, err
	}
	overview.Facts = append(overview.Facts, origin...)
	if st.OwnerEmail != "" {
		overview.Facts = append(overview.Facts, views.Fact{Name: "Owner", Value: word(st.OwnerEmail)})
	}
	for _, pod := range snapshot.Pods {
		overview.Pods = append(overview.Pods, podView(pod))
	}
	if st.Status != store.Failed && st.Desired == store.Present {
		overview.Undone = undone(st)
	}
	if st.CanRepair() {
		overview.Drift, overview.Health = drift(snapshot), health(who, st)
	}
	if waiting, at := a.waiting(st), overview.Timeline.Current; waiting != "" && at > 0 {
		overview.Timeline.Steps[at-1].Message = waiting
	}
	if st.Status == store.Failed {
		overview.Failure = failureView(st)
		overview.Left = left(st, snapshot)
		if err := a.offerPoint(ctx, who, st, overview.Failure); err != nil {
			return views.Overview{}, err
		}
	}
	return overview, nil
}

// offerPoint adds to a failure the restore point that a store without its data can be rebuilt with.
func (a *App) offerPoint(ctx context.Context, who signin.Visitor, st store.Store, f *views.Failure) error {
	if !st.CanRebuild() {
		return nil
	}
	b, err := a.DB.ListBackups(ctx, who.Actor, st.ID, store.PointQuery{Limit: 1})
	if err != nil {
		return err
	}
	for _, p := range b.Points {
		f.Point, f.PointAt = p.ID, p.EndedAt
	}
	return nil
}

// undone describes a change that failed and was rolled back, or is being rolled back.
func undone(st store.Store) views.Undone {
	if st.Aborted() {
		return aborted(st)
	}
	f := st.Job.Change.Undone
	if f.Code == "" {
		return views.Undone{}
	}
	said := phrase.Failure(f)
	shown := views.Undone{StoreID: st.ID, Title: "The change failed and was rolled back: " + said.Title, Cause: plain(said.Cause), Next: "The shop runs the previous revision again."}
	underWay := st.Status == store.Upgrading
	if underWay {
		shown.Title, shown.Next = "The change failed and is being rolled back: "+said.Title, ""
	}
	switch cancelled := f.Code == store.ChangeWasCancelled; {
	case cancelled && underWay:
		shown.Title = "The change is being cancelled"
	case cancelled:
		shown.Title = "The change was cancelled"
	}
	return shown
}

// aborted describes an upgrade or a deletion that was not begun, because the backup before it failed.
func aborted(st store.Store) views.Undone {
	what := "The upgrade"
	if st.Job.Kind == store.RemoveJob {
		what = "The deletion"
	}
	said := phrase.Failure(st.Job.Failure)
	return views.Undone{Title: what + " was not started: " + said.Title, Cause: plain(said.Cause), Next: "The shop is unchanged. Fix the cause and try again, or continue without a restore point."}
}

// drift names the workloads that were scaled since their chart was applied.
func drift(s kube.Snapshot) (sentences []string) {
	for _, w := range s.Workloads {
		if w.Drifted() {
			sentences = append(sentences, fmt.Sprintf("%s was scaled to %d manually; the chart specifies %d.", w.Name, w.Want, w.Asked))
		}
	}
	return sentences
}

func (a *App) facts(st store.Store) []views.Fact {
	label, _ := a.engineLabel(st.Engine)
	facts := []views.Fact{
		{Name: "Address", Value: st.Host, URL: shopURL(st)},
		{Name: "Engine", Value: label},
		{Name: "Template", Value: a.templateLabel(st)},
		{Name: "Country", Value: countryLabel(st)},
		{Name: "Plan", Value: st.Plan},
		{Name: "Cluster", Value: a.clusters.Of(st).Cluster().Name},
		{Name: "Namespace", Value: st.Namespace, Code: true},
	}
	if st.ChartVersion != "" {
		facts = append(facts, views.Fact{Name: "Chart", Value: st.Engine + " " + st.ChartVersion})
	}
	return facts
}

// templateLabel returns the label of the store's template, or its name if this version no longer has the
// template.
func (a *App) templateLabel(st store.Store) string {
	templates, _ := a.Engines.Templates(st.Engine)
	if template, known := engine.FindTemplate(templates, st.Template); known {
		return template.Label
	}
	return st.Template
}

func countryLabel(st store.Store) string {
	if country, known := store.FindCountry(st.Country); known {
		return country.Name + ", " + st.Currency
	}
	return st.Country + ", " + st.Currency
}

func left(st store.Store, s kube.Snapshot) []views.Fact {
	ready := 0
	for _, pod := range s.Pods {
		if pod.Ready == pod.Want {
			ready++
		}
	}
	facts := []views.Fact{
		{Name: "Namespace", Value: st.Namespace, Code: true},
		{Name: "Pods", Value: fmt.Sprintf("%d, %d ready", len(s.Pods), ready)},
	}
	for _, v := range s.Volumes {
		facts = append(facts, views.Fact{Name: "Disk", Value: v.Name + ", " + strings.ToLower(v.Phase)})
	}
	return facts
}

func failureView(st store.Store) *views.Failure {
	f := st.Job.Failure
	said := phrase.Failure(f)
	shown := &views.Failure{Title: said.Title, Cause: plain(said.Cause), Next: said.Next, At: f.At}
	for _, line := range f.HelmLog {
		shown.HelmLog = append(shown.HelmLog, plain(line))
	}
	if words := f.LastWords; len(words.Lines) > 0 {
		shown.Words = views.LastWords{Of: word(words.Pod + "/" + words.Container), URL: logURL(st.ID, words)}
		for _, line := range words.Lines {
			shown.Words.Lines = append(shown.Words.Lines, plain(line))
		}
	}
	for _, e := range f.Evidence {
		shown.Evidence = append(shown.Evidence, views.Evidence{
			Object: word(e.Object), Reason: word(e.Reason), Message: plain(e.Message), Count: e.Count, Last: e.Last,
		})
	}
	return shown
}

// logURL returns the URL of the whole log that ends with these words.
func logURL(id string, words store.LastWords) string {
	query := url.Values{}
	logQuery{Pod: words.Pod, Container: words.Container}.addTo(query)
	return "/stores/" + id + "/logs?" + query.Encode()
}

func (a *App) credentials(who signin.Visitor, st store.Store) views.Credentials {
	return views.Credentials{
		StoreID: st.ID, Can: who.Actor.May(store.ViewCredentials, st.TeamID),
		Ready: st.Status == store.Ready || st.Status == store.Degraded, AdminURL: st.AdminURL,
	}
}

func (a *App) podsTab(st store.Store) views.PodsTab {
	snapshot, known := a.clusters.Of(st).Snapshot(st)
	tab := views.PodsTab{Known: known, Simulated: a.clusters.Of(st).Cluster().Simulated}
	for _, pod := range snapshot.Pods {
		tab.Pods = append(tab.Pods, podView(pod))
	}
	return tab
}

func podView(p kube.Pod) views.Pod {
	pod := views.Pod{
		Name: p.Name, Component: p.Component, Phase: word(p.Phase), Tone: podTone(p), Ready: fmt.Sprintf("%d/%d", p.Ready, p.Want),
		Restarts: p.Restarts, Node: p.Node, CreatedAt: p.CreatedAt, Message: plain(p.Message),
	}
	for _, c := range p.Containers {
		pod.Containers = append(pod.Containers, containerView(c))
	}
	return pod
}

func podTone(p kube.Pod) views.Tone {
	switch {
	case p.Finished():
		return views.TonePlain
	case p.Phase == "Failed", slices.ContainsFunc(p.Containers, troubled):
		return views.ToneBad
	case p.Phase == "Running" && p.Ready == p.Want:
		return views.ToneOK
	default:
		return views.TonePlain
	}
}

// troubled reports whether a container waits because of a problem, or has failed.
func troubled(c kube.Container) bool {
	return c.State.Kind == "waiting" && c.State.Message != "" || c.State.Kind == "terminated" && c.State.ExitCode != 0
}

func containerView(c kube.Container) views.Container {
	shown := views.Container{
		Name: c.Name, Init: c.Init, Image: word(c.Image), Reason: word(c.State.Reason), Message: plain(c.State.Message),
		Restarts: c.Restarts, Since: c.State.Since,
	}
	switch {
	case c.State.Kind == "running":
		shown.State, shown.Tone = "Running", views.TonePlain
		if c.Ready {
			shown.Tone = views.ToneOK
		}
	case c.State.Kind == "terminated" && c.State.ExitCode == 0:
		shown.State, shown.Tone = "Completed", views.TonePlain
	case c.State.Kind == "terminated":
		shown.State, shown.Tone = "Exited with code "+strconv.Itoa(int(c.State.ExitCode)), views.ToneBad
	default:
		shown.State, shown.Tone = "Waiting", views.TonePlain
		if troubled(c) {
			shown.Tone = views.ToneBad
		}
	}
	return shown
}

func (a *App) eventsTab(ctx context.Context, st store.Store) (views.EventsTab, error) {
	events, err := a.clusters.Of(st).Events(ctx, st)
	if errors.Is(err, provisioner.ErrUnreachable) {
		return views.EventsTab{}, nil
	}
	if err != nil {
		return views.EventsTab{}, err
	}
	return eventsView(events), nil
}

func eventsView(events []kube.Event) views.EventsTab {
	const most = 200
	tab := views.EventsTab{Known: true}
	for _, e := range events[:min(len(events), most)] {
		tab.Events = append(tab.Events, views.Event{
			Warning: e.Warning, Object: word(e.Object), Reason: word(e.Reason), Message: plain(e.Message), Count: e.Count, Last: e.Last,
		})
	}
	return tab
}

func (a *App) settingsTab(ctx context.Context, who signin.Visitor, st store.Store) (views.SettingsTab, error) {
	form, err := a.deleteForm(ctx, who, st)
	return views.SettingsTab{Facts: a.facts(st), Owner: a.ownerForm(who, st), Delete: form}, err
}

func (a *App) deleteForm(ctx context.Context, who signin.Visitor, st store.Store) (views.DeleteForm, error) {
	backsUp, err := a.DB.BacksUp(ctx, who.Actor, st)
	return views.DeleteForm{
		ID: st.ID, Name: st.Name, Host: st.Host, Namespace: st.Namespace, Can: canDelete(who, st), Retains: a.clusters.Of(st).RetainsDisks(st), BacksUp: backsUp, Backup: true,
	}, err
}
