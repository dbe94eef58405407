package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"shopwright.dev/shopwright/cmd/shopwright/client"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
)

// waiting says whether, and how long, a command waits for the work that it has started.
type waiting struct {
	Wait    bool          `help:"Wait until the work is done, and show its steps."`
	Timeout time.Duration `default:"15m" help:"Maximum time to wait."`
}

// lookAtLeastEvery is how often the store is read if no event arrives.
const lookAtLeastEvery = 10 * time.Second

// storeFailed says that the work on a store has failed.
type storeFailed struct{ failure v1.Failure }

// Error implements error.
func (e storeFailed) Error() string {
	text := "the store failed: " + e.failure.Title
	if e.failure.Next != "" {
		text += ". " + e.failure.Next
	}
	return text
}

// notBegun says that the backup before a change has failed, and that the store is what it was.
type notBegun struct{ failure v1.Failure }

// Error implements error.
func (e notBegun) Error() string {
	return "nothing was changed, because the backup failed: " + e.failure.Title + ". Fix the cause and repeat the command, or add --no-backup"
}

// stillAtWork is the error of a wait whose timeout is over before the work is.
type stillAtWork struct{ message string }

// Error implements error.
func (e stillAtWork) Error() string { return e.message }

// finish shows the store, after waiting for the work on it if that is wanted.
func (w waiting) finish(ctx context.Context, at console, to *client.Client, o output, st v1.Store) error {
	if !w.Wait {
		return o.show(at.out, st, nil, storeRows(st))
	}
	late := stillAtWork{"the store is still in progress and continues on the server: follow it with shopwright stores show"}
	ctx, cancel := context.WithTimeoutCause(ctx, w.Timeout, late)
	defer cancel()
	done, err := follow(ctx, at, to, st)
	if done.ID != "" {
		err = errors.Join(o.show(at.out, done, nil, storeRows(done.Store)), err)
	}
	return err
}

// follow shows the steps of the work on a store until it has ended. The result is empty for a store that
// was deleted.
func follow(ctx context.Context, at console, to *client.Client, asked v1.Store) (done v1.StoreDetail, err error) {
	told := steps{}
	err = await(ctx, to, asked.ID, func() (over bool, err error) {
		st, err := to.Store(ctx, asked.ID)
		if problem, known := errors.AsType[*v1.Problem](err); known && problem.Status == http.StatusNotFound && asked.Status == store.Deleting {
			at.say("Deleted.")
			return true, nil
		}
		if err != nil {
			return false, err
		}
		told.tell(at, st.Work)
		if over, err = ended(asked, st); over {
			done = st
		}
		return over, err
	})
	return done, err
}

// await calls look whenever something may have changed about a store, until the work is over. It returns what
// look returns then, or an error that another call would return again.
func await(ctx context.Context, to *client.Client, storeID string, look func() (over bool, err error)) error {
	changed := to.Follow(ctx, storeID)
	for {
		var asleep time.Duration // how long the server asks us to wait
		over, err := look()
		switch problem, known := errors.AsType[*v1.Problem](err); {
		case over:
			return err
		case known && problem.Status == http.StatusTooManyRequests:
			asleep = cmp.Or(time.Duration(problem.Retry)*time.Second, lookAtLeastEvery)
		case known && problem.Status < http.StatusInternalServerError:
			return err
		}
		if !pause(ctx, asleep, changed) {
			return whyEnded(ctx)
		}
	}
}

// pause waits for the given time or, if that is zero, for a change or a while. It reports false if the
// context has ended.
func pause(ctx context.Context, least time.Duration, changed <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(least):
	}
	if least > 0 {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-time.After(lookAtLeastEvery):
	}
	return true
}

// whyEnded returns the error that says what happens to the work after the waiting has ended.
func whyEnded(ctx context.Context) error {
	if late, ok := errors.AsType[stillAtWork](context.Cause(ctx)); ok {
		return late
	}
	return fmt.Errorf("stopped waiting; the work continues on the server: %w", context.Canceled)
}

// ended reports whether the requested work has ended, and its failure.
func ended(asked v1.Store, st v1.StoreDetail) (bool, error) {
	switch st.Status {
	case store.Failed:
		if st.Failure != nil {
			return true, storeFailed{*st.Failure}
		}
		return true, storeFailed{v1.Failure{Title: "unknown reason"}}
	case store.Provisioning, store.Upgrading, store.Deleting:
		return false, nil
	}
	if st.Aborted != nil && asked.Generation == st.Generation && asked.Status != st.Status {
		return true, notBegun{*st.Aborted}
	}
	if st.Undone != nil && asked.Generation != st.Generation { // with the same generation the request was the cancellation itself
		return true, storeFailed{v1.Failure{Title: st.Undone.Title, Next: "The change was rolled back. The shop runs the previous revision again."}}
	}
	if asked.Status == st.Status && asked.Generation == st.Generation { // a check changes neither
		return checked(asked, st)
	}
	return true, nil
}

// checked reports whether a check has run since it was requested, and its failure.
func checked(asked v1.Store, st v1.StoreDetail) (bool, error) {
	if st.Health == nil || st.Health.CheckedAt == nil || asked.Health != nil && asked.Health.CheckedAt != nil && !st.Health.CheckedAt.After(*asked.Health.CheckedAt) {
		return false, nil
	}
	if !st.Health.OK {
		return true, storeFailed{v1.Failure{Title: "the order check failed at " + st.Health.Failed, Next: st.Health.Message}}
	}
	return true, nil
}

// steps are the lines that were shown, by step.
type steps map[string]string

// tell shows the lines that are new.
func (s steps) tell(at console, work v1.Work) {
	for _, step := range work.Steps {
		if step.State == "todo" || step.State == "done" && step.Seconds == 0 && step.Message == "" {
			continue
		}
		key, text := work.Title+"/"+step.Label, fmt.Sprintf("%-12s %s", step.Label, stepText(step))
		if s[key] != text {
			s[key] = text
			at.say("%s", text)
		}
	}
}
