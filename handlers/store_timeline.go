package handlers

import (
	"slices"
	"strings"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// stepLabel is a step's name for people.
func stepLabel(s store.Step) string {
	switch s {
	case "", store.StepQueued:
		return "Queued"
	case store.StepNamespace:
		return "Namespace"
	case store.StepLimits:
		return "Limits"
	case store.StepCredentials:
		return "Credentials"
	case store.StepRelease:
		return "Release"
	case store.StepWorkloads:
		return "Workloads"
	case store.StepSetup:
		return "Setup"
	case store.StepCheck:
		return "Order check"
	case store.StepAddress:
		return "Address"
	case store.StepReady:
		return "Ready"
	case store.StepUninstall:
		return "Uninstall"
	case store.StepVolumes:
		return "Disks"
	case store.StepRemove:
		return "Namespace"
	case store.StepGone:
		return "Deleted"
	}
	return string(s)
}

// span is what the events tell about one step.
type span struct {
	message string
	began   time.Time
	ended   time.Time
	failed  bool
}

// work is what the events tell about a job.
type work struct {
	title string
	steps []store.Step
	spans map[store.Step]*span
	began time.Time
	ended time.Time
}

// workOn folds the events of a store, oldest first, into the steps of one job on it. Events of other
// jobs are among them, and of what people do beside it.
func workOn(job store.Job, events []store.Event) *work {
	w := &work{
		title: jobTitle(job), steps: job.Steps(), began: job.AskedAt,
		spans: map[store.Step]*span{store.StepQueued: {began: job.AskedAt}},
	}
	for _, e := range events {
		if e.JobID == job.ID {
			w.add(e)
		}
	}
	return w
}

func (w *work) add(e store.Event) {
	switch e.Kind {
	case store.StepStarted:
		w.leaveQueue(e.At)
		w.spans[e.Step] = &span{began: e.At, message: e.Message}
	case store.StepProgressed:
		w.span(e.Step, e.At).message = e.Message
	case store.StepFinished:
		s := w.span(e.Step, e.At)
		s.ended = e.At
		if e.Message != "" {
			s.message = e.Message
		}
	case store.StoreFailed:
		s := w.span(e.Step, e.At)
		s.ended, s.failed, s.message, w.ended = e.At, true, e.Message, e.At
	case store.StoreReady:
		w.finish(e, "Address and admin login are available")
	case store.StoreDeleted:
		w.finish(e, "The address is available again")
	}
}

func (w *work) finish(e store.Event, message string) {
	w.spans[e.Step] = &span{began: e.At, ended: e.At, message: message}
	w.ended = e.At
}

func (w *work) leaveQueue(at time.Time) {
	queued := w.span(store.StepQueued, at)
	if !queued.ended.IsZero() {
		return
	}
	queued.ended, queued.message = at, "Started immediately"
	if waited := at.Sub(queued.began); waited > time.Second {
		queued.message = "Waited in the queue"
	}
}

func (w *work) span(step store.Step, at time.Time) *span {
	if w.spans[step] == nil {
		w.spans[step] = &span{began: at}
	}
	return w.spans[step]
}

func (w *work) view() views.Timeline {
	t := views.Timeline{Title: w.title, Began: w.began, Running: w.ended.IsZero()}
	end := w.lastMoment()
	if !t.Running {
		t.Took = end.Sub(w.began)
	}
	for i, step := range w.steps {
		shown := w.step(step, end)
		if shown.State == views.TickRunning {
			t.Current = i + 1
		}
		t.Steps = append(t.Steps, shown)
	}
	return t
}

func (w *work) step(step store.Step, end time.Time) views.TimelineStep {
	shown := views.TimelineStep{Name: stepLabel(step), State: views.TickToDo}
	s := w.spans[step]
	if s == nil {
		if w.passed(step) {
			shown.State = views.TickDone
		}
		return shown
	}
	shown.Message = plain(s.message)
	switch {
	case s.failed:
		shown.State, shown.Took = views.TickBad, s.ended.Sub(s.began)
	case s.ended.IsZero():
		shown.State, shown.Began = views.TickRunning, s.began
	default:
		shown.State, shown.Took = views.TickDone, s.ended.Sub(s.began)
	}
	shown.Start, shown.Width = w.place(s, end)
	return shown
}

// passed reports whether a later step was begun: one that needed nothing leaves no event.
func (w *work) passed(step store.Step) bool {
	at := slices.Index(w.steps, step)
	return slices.ContainsFunc(w.steps[at+1:], func(later store.Step) bool { return w.spans[later] != nil })
}

// place is where the step's bar lies between the beginning of the work and its end so far,
// in percent.
func (w *work) place(s *span, end time.Time) (start, width float64) {
	whole := end.Sub(w.began).Seconds()
	if whole <= 0 {
		return 0, 0
	}
	until := s.ended
	if until.IsZero() {
		until = end
	}
	start = 100 * s.began.Sub(w.began).Seconds() / whole
	return start, max(100*until.Sub(s.began).Seconds()/whole, 0.8)
}

func (w *work) lastMoment() time.Time {
	if !w.ended.IsZero() {
		return w.ended
	}
	last := w.began
	for _, s := range w.spans {
		for _, t := range []time.Time{s.began, s.ended} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}

// story tells newest first what people did with a store and how it ended.
func story(events []store.Event) []views.Entry {
	var all []views.Entry
	for _, e := range slices.Backward(events) {
		if entry, told := entryOf(e); told {
			all = append(all, entry)
		}
	}
	return all
}

// entryOf makes a sentence of an event, unless it is told elsewhere.
func entryOf(e store.Event) (entry views.Entry, told bool) {
	entry = views.Entry{At: e.At, Actor: word(e.Actor), Object: word(e.Object), Tone: views.TonePlain}
	if entry.Actor == "" {
		entry.Actor = store.Platform
	}
	switch e.Kind {
	case store.StoreCreated:
		entry.Kind, entry.Verb = views.EntryStore, "created"
	case store.StoreRetried:
		entry.Kind, entry.Verb = views.EntryRetry, "retried"
	case store.StoreRebuilt:
		entry.Kind, entry.Verb, entry.Detail = views.EntryRetry, "rebuilt", "Empty, because its data was lost"
	case store.StoreRepaired:
		entry.Kind, entry.Verb, entry.Detail = views.EntryRetry, "repaired", word(e.Message)
	case store.UpgradeAsked:
		entry.Kind, entry.Verb, entry.Detail = views.EntryRetry, "requested an upgrade of", word(e.Message)
	case store.RollbackAsked:
		entry.Kind, entry.Verb, entry.Detail = views.EntryRetry, "requested a rollback of", word(e.Message)
	case store.OwnerAsked, store.OwnerChanged:
		entry.Kind, entry.Verb, entry.Detail = views.EntryStore, "changed the owner’s email of", "To "+word(e.Data.After)
	case store.ChangeCancelled:
		entry.Kind, entry.Verb, entry.Detail = views.EntryRetry, "cancelled the change to", word(e.Message)
	case store.StoreUndone:
		entry.Tone, entry.Verb, entry.Detail = views.ToneBad, "rolled back the change to", stepLabel(e.Step)+": "+word(e.Message)
	case store.StoreReady:
		entry.Tone, entry.Verb, entry.Detail = views.ToneOK, "opened", ""
		if !strings.HasPrefix(e.Message, "Opened") {
			entry.Verb, entry.Detail = "finished work on", word(e.Message)
		}
	case store.StoreFailed:
		entry.Tone, entry.Verb, entry.Detail = views.ToneBad, "failed to finish work on", stepLabel(e.Step)+": "+word(e.Message)
	case store.StoreDegraded:
		entry.Actor, entry.Tone, entry.Verb, entry.Detail = "", views.ToneBad, "Checkout failed at", word(e.Message)
	case store.StoreRecovered:
		entry.Actor, entry.Tone, entry.Verb, entry.Detail = "", views.ToneOK, "Checkout works again at", ""
	case store.CheckAsked:
		entry.Kind, entry.Verb = views.EntryRetry, "requested an order check of"
	case store.Checked:
		entry.Verb, entry.Detail = "checked", word(e.Message)
		return entry, e.Data.Asked // the others are on the store's page, and there are many
	case store.StoreDeleteAsked:
		entry.Kind, entry.Verb = views.EntryDelete, "requested the deletion of"
	case store.StoreDeleted:
		entry.Kind, entry.Verb = views.EntryDelete, "deleted"
	case store.CredentialsShown:
		entry.Kind, entry.Verb = views.EntryLogin, "viewed the admin login of"
	case store.SignedIn:
		entry.Kind, entry.Verb, entry.Object = views.EntrySign, "signed in", ""
		entry.Detail = word(strings.TrimPrefix(e.Message, "Signed in "))
	case store.SignedOut:
		entry.Kind, entry.Verb, entry.Object = views.EntrySign, "signed out", ""
	case store.IdentityLinked:
		entry.Kind, entry.Verb, entry.Object, entry.Detail = views.EntrySign, "added a sign-in method", "", word(e.Message)
	case store.IdentityRemoved:
		entry.Kind, entry.Verb, entry.Object, entry.Detail = views.EntrySign, "removed a sign-in method", "", word(e.Message)
	case store.TokenCreated:
		entry.Kind, entry.Verb, entry.Detail = views.EntryLogin, "created the API token", word(e.Message)
	case store.TokenRevoked:
		entry.Kind, entry.Verb = views.EntryLogin, "revoked the API token"
	default:
		return teamEntry(e, entry)
	}
	return entry, true
}

// teamEntry makes a sentence of what happens to a team and the people in it.
func teamEntry(e store.Event, entry views.Entry) (_ views.Entry, told bool) {
	entry.Kind = views.EntryTeam
	switch e.Kind {
	case store.TeamCreated:
		entry.Verb = "created the team"
	case store.TeamRenamed:
		entry.Verb, entry.Detail = "renamed the team", "Was "+word(e.Data.Before)
	case store.TeamDeleted:
		entry.Verb = "deleted the team"
	case store.MemberAdded:
		entry.Verb, entry.Detail = "added", word(e.Message)
	case store.MemberJoined:
		entry.Verb, entry.Object, entry.Detail = "joined the team", "", word(strings.TrimPrefix(e.Message, "Joined "))
	case store.MemberRemoved:
		entry.Verb, entry.Detail = "removed", "From the team"
		if e.ActorID == e.Data.UserID {
			entry.Verb, entry.Object, entry.Detail = "left the team", "", ""
		}
	case store.RoleChanged:
		entry.Verb, entry.Detail = "changed the role of", word(e.Message)
	case store.MemberInvited:
		entry.Verb, entry.Object, entry.Detail = "invited", invited(e), "As "+word(e.Data.After)
	case store.InvitationAnew:
		entry.Verb, entry.Object = "renewed the invitation for", invited(e)
	case store.InvitationEnded:
		entry.Verb, entry.Object = "revoked the invitation for", invited(e)
	case store.TeamPlanSet:
		entry.Verb, entry.Detail = "changed the plan of", word(e.Message)
	default:
		return installationEntry(e, entry)
	}
	return entry, true
}

// installationEntry makes a sentence of what an administrator does.
func installationEntry(e store.Event, entry views.Entry) (_ views.Entry, told bool) {
	switch e.Kind {
	case store.UserDisabled:
		entry.Verb, entry.Detail = "disabled", word(strings.TrimPrefix(e.Message, "Disabled; "))
	case store.UserEnabled:
		entry.Verb = "enabled"
	case store.AdminMade:
		entry.Verb, entry.Detail = "changed the permissions of", word(e.Message)
	case store.AdminUnmade:
		entry.Verb, entry.Detail = "changed the permissions of", "No longer an administrator"
	case store.LoginLinkMade:
		entry.Kind, entry.Verb, entry.Detail = views.EntrySign, "created a login link for", "Works once, within 10 minutes"
	case store.PlanAdded:
		entry.Verb = "added the plan"
	case store.PlanChanged:
		entry.Verb = "changed the plan"
	case store.SessionEnded:
		entry.Kind, entry.Verb = views.EntrySign, "ended the sessions of"
		if e.Data.UserID == "" { // one's own
			entry.Verb, entry.Object, entry.Detail = "ended a session", "", word(e.Message)
		}
	default:
		return views.Entry{}, false
	}
	return entry, true
}

// invited is who an invitation is for, as far as the reader may know and anybody does.
func invited(e store.Event) string {
	if e.Object == "" || e.Object == store.AnybodyInvited {
		return "someone"
	}
	return word(e.Object)
}
