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

// waiting is whether a command waits until what it has asked for is done.
type waiting struct {
	Wait    bool          `help:"Wait until the work is done, and show its steps."`
	Timeout time.Duration `default:"15m" help:"Maximum time to wait."`
}

// lookAtLeastEvery is how often a store is looked at when its events tell nothing.
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

var errStillAtWork = errors.New("the store is still in progress and continues on the server: follow it with shopwright stores show")

// finish shows the store, once the work on it is done if that is to be waited for.
func (w waiting) finish(ctx context.Context, at console, to *client.Client, o output, st v1.Store) error {
	if !w.Wait {
		return o.show(at.out, st, nil, storeRows(st))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, w.Timeout, errStillAtWork)
	defer cancel()
	done, err := follow(ctx, at, to, st)
	if done.ID != "" {
		err = errors.Join(o.show(at.out, done, nil, storeRows(done.Store)), err)
	}
	return err
}

// follow tells the steps of the work on a store until it has ended. A store that is gone at
// the end is empty.
func follow(ctx context.Context, at console, to *client.Client, asked v1.Store) (v1.StoreDetail, error) {
	changed := to.Follow(ctx, asked.ID)
	told := steps{}
	for {
		var asleep time.Duration // for which the server wants not to be asked
		st, err := to.Store(ctx, asked.ID)
		switch problem, known := errors.AsType[*v1.Problem](err); {
		case known && problem.Status == http.StatusNotFound && asked.Status == store.Deleting:
			at.say("Deleted.")
			return v1.StoreDetail{}, nil
		case known && problem.Status == http.StatusTooManyRequests:
			asleep = cmp.Or(time.Duration(problem.Retry)*time.Second, lookAtLeastEvery)
		case known && problem.Status < http.StatusInternalServerError:
			return v1.StoreDetail{}, err
		case err == nil:
			told.tell(at, st)
			if over, err := ended(asked, st); over {
				return st, err
			}
		}
		if !pause(ctx, asleep, changed) {
			return v1.StoreDetail{}, whyEnded(ctx)
		}
	}
}

// pause waits until something has changed, or for long enough, but at least so long. It
// reports whether there is any use in going on.
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

// whyEnded tells a person who waits no longer what becomes of the store.
func whyEnded(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errStillAtWork) {
		return errStillAtWork
	}
	return fmt.Errorf("stopped waiting; the work continues on the server: %w", context.Canceled)
}

// ended reports whether what was asked for is done, and how it went.
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
	if st.Undone != nil && asked.Generation != st.Generation { // it is what a cancellation asks for
		return true, storeFailed{v1.Failure{Title: st.Undone.Title, Next: "The change was rolled back. The shop runs the previous revision again."}}
	}
	if asked.Status == st.Status && asked.Generation == st.Generation { // a check changes neither
		return checked(asked, st)
	}
	return true, nil
}

// checked reports whether there was a check since it was asked for.
func checked(asked v1.Store, st v1.StoreDetail) (bool, error) {
	if st.Health == nil || st.Health.CheckedAt == nil || asked.Health != nil && asked.Health.CheckedAt != nil && !st.Health.CheckedAt.After(*asked.Health.CheckedAt) {
		return false, nil
	}
	if !st.Health.OK {
		return true, storeFailed{v1.Failure{Title: "the order check failed at " + st.Health.Failed, Next: st.Health.Message}}
	}
	return true, nil
}

// steps are what a person was told of the work.
type steps map[string]string

// tell says what is new.
func (s steps) tell(at console, st v1.StoreDetail) {
	for _, step := range st.Work.Steps {
		if step.State == "todo" || step.State == "done" && step.Seconds == 0 && step.Message == "" {
			continue
		}
		key, text := st.Work.Title+"/"+step.Label, fmt.Sprintf("%-12s %s", step.Label, stepText(step))
		if s[key] != text {
			s[key] = text
			at.say("%s", text)
		}
	}
}
