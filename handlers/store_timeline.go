package handlers

import (
	"cmp"
	"slices"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

// span is one step, as reported by events.
type span struct {
	message string
	began   time.Time
	ended   time.Time
	failed  bool
}

// work is a job, as reported by events.
type work struct {
	title string
	steps []store.Step
	spans map[store.Step]*span
	began time.Time
	ended time.Time
}

// workOn folds the events of a store, oldest first, into the steps of one job. Events of other jobs, and
// events without a job, are ignored.
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
		w.spans[e.Step] = &span{began: e.At, message: phrase.Note(e.Data.Note)}
	case store.StepProgressed:
		w.span(e.Step, e.At).message = phrase.Note(e.Data.Note)
	case store.StepFinished:
		s := w.span(e.Step, e.At)
		s.ended = e.At
		if said := phrase.Note(e.Data.Note); said != "" {
			s.message = said
		}
	case store.StoreFailed:
		w.fail(e.Step, phrase.Failure(e.Data.Failure).Title, e.At)
	case store.StoreReady:
		w.finish(e, "Address and admin login are available")
	case store.StoreDeleted:
		w.finish(e, "The address is available again")
	default:
		w.addBackup(e)
	}
}

// addBackup adds what tells of a backup. A step of it ends with the next one.
func (w *work) addBackup(e store.Event) {
	switch e.Kind {
	case store.BackupProgressed:
		w.moveOn(e.Step, e.At)
	case store.BackupDone:
		s := w.moveOn(e.Step, e.At)
		s.ended, s.message, w.ended = e.At, phrase.Note(e.Data.Note), e.At
	case store.BackupFailed, store.BackupCancelled:
		w.fail(cmp.Or(e.Step, store.StepQueued), phrase.Event(e).Message, e.At)
	}
}

// moveOn ends the steps that are open and begins another one.
func (w *work) moveOn(step store.Step, at time.Time) *span {
	w.leaveQueue(at)
	for open, s := range w.spans {
		if open != step && s.ended.IsZero() {
			s.ended = at
		}
	}
	return w.span(step, at)
}

func (w *work) fail(step store.Step, why string, at time.Time) {
	s := w.span(step, at)
	s.ended, s.failed, s.message, w.ended = at, true, why, at
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
	shown := views.TimelineStep{Name: phrase.Step(step), State: views.TickToDo}
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

// passed reports whether a later step has begun. A step that had nothing to do leaves no event.
func (w *work) passed(step store.Step) bool {
	at := slices.Index(w.steps, step)
	return slices.ContainsFunc(w.steps[at+1:], func(later store.Step) bool { return w.spans[later] != nil })
}

// place returns where the step's bar starts and how wide it is, in percent of the work so far.
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

// story returns what people did with a store and how it ended, newest first.
func story(events []store.Event) []views.Entry {
	var all []views.Entry
	for _, e := range slices.Backward(events) {
		if entry, told := entryOf(e); told {
			all = append(all, entry)
		}
	}
	return all
}

// entryOf returns the event as an entry of a list. told is false for events that are shown elsewhere.
func entryOf(e store.Event) (entry views.Entry, told bool) {
	line := phrase.Event(e)
	entry = views.Entry{
		At: e.At, Actor: cmp.Or(word(e.Actor), store.Platform), Object: word(line.Object), Verb: line.Verb, Detail: word(line.Detail),
		Kind: entryKind(e.Kind), Tone: entryTone(e.Kind),
	}
	switch e.Kind {
	case store.StepStarted, store.StepProgressed, store.StepFinished:
		return views.Entry{}, false
	case store.Checked:
		return entry, e.Data.Asked // scheduled checks are on the store's page, and there are many
	case store.StoreDegraded, store.StoreRecovered, store.DrillPassed, store.DrillFailed, store.DrillOverdue:
		entry.Actor = ""
	case store.SignedIn, store.SignedOut, store.IdentityLinked, store.IdentityRemoved, store.MemberJoined:
		entry.Object = ""
	case store.MemberRemoved:
		if e.ActorID == e.Data.UserID {
			entry.Object = ""
		}
	case store.SessionEnded:
		if e.Data.UserID == "" { // one's own
			entry.Object = ""
		}
	case store.MemberInvited, store.InvitationAnew, store.InvitationEnded:
		if e.Object == "" { // a link that anyone can use, or the reader may not see who was invited
			entry.Object = "someone"
		}
	}
	return entry, entry.Verb != ""
}

func entryKind(k store.Kind) views.EntryKind {
	switch k {
	case store.StoreCreated, store.OwnerAsked, store.OwnerChanged:
		return views.EntryStore
	case store.StoreRetried, store.StoreRebuilt, store.StoreRepaired, store.UpgradeAsked, store.RollbackAsked, store.ChangeCancelled, store.CheckAsked, store.DrillAsked, store.DrillScheduled, store.DrillCancelled:
		return views.EntryRetry
	case store.StoreDeleteAsked, store.StoreDeleted:
		return views.EntryDelete
	case store.CredentialsShown, store.TokenCreated, store.TokenRevoked:
		return views.EntryLogin
	case store.SignedIn, store.SignedOut, store.SessionEnded, store.IdentityLinked, store.IdentityRemoved, store.LoginLinkMade:
		return views.EntrySign
	case store.StoreUndone, store.StoreReady, store.StoreFailed, store.StoreDegraded, store.StoreRecovered, store.Checked, store.DrillPassed, store.DrillFailed, store.DrillOverdue:
		return ""
	}
	return views.EntryTeam
}

func entryTone(k store.Kind) views.Tone {
	switch k {
	case store.StoreUndone, store.StoreFailed, store.StoreDegraded, store.DrillFailed, store.DrillOverdue:
		return views.ToneBad
	case store.StoreReady, store.StoreRecovered, store.DrillPassed:
		return views.ToneOK
	}
	return views.TonePlain
}
