package provisioner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

const (
	checkAgain   = 5 * time.Minute // after one that failed
	checkTimeout = 6 * time.Minute
)

// nextCheck is how long until a shop is checked again: not all at the same time. It is zero
// for never.
func (p *Provisioner) nextCheck(ok bool) time.Duration {
	if p.checkEvery == 0 {
		return 0
	}
	if !ok {
		return min(checkAgain, p.checkEvery)
	}
	return p.checkEvery - p.checkEvery/10 + rand.N(p.checkEvery/5+1) //nolint:gosec // nobody gains by guessing it
}

// errUnwanted says that somebody wants something else of the store than to have it checked.
var errUnwanted = errors.New("something else is wanted of the store")

// examine checks a store that is ready, and records what came of it. What cannot be checked
// now stays due.
func (w *worker) examine(ctx context.Context) {
	conn, err := w.cluster.waitAtMost(ctx, w.giveBack)
	if conn == nil || err != nil {
		return
	}
	w.worked = w.claim.Job.Worked
	check, err := w.checkUp(ctx, conn)
	if err == nil && !check.OK {
		check.Cause = w.causeOf(ctx, conn)
	}
	if err == nil {
		_, err = w.db.RecordCheck(ctx, w.claim, check, w.nextAfter(conn, check))
	}
	switch {
	case errors.Is(err, errUnwanted), errors.Is(err, store.ErrStale), ctx.Err() != nil:
	case err != nil:
		w.log.Warn("the order check can’t run", "error", err)
		w.cluster.doubt(ctx)
		_ = sleep(ctx, pingEvery) // the next to claim it would meet the same
	case !check.OK:
		w.log.Warn("the order check failed", "at", check.Failed, "message", check.Message, "cause", check.Cause)
	}
}

// checkUp shops, and asks the public address. An error says that the check could not be made.
func (w *worker) checkUp(ctx context.Context, conn *connection) (check store.Check, err error) {
	err = conn.inNamespace(ctx, w.owner(), func() error {
		check, err = w.shop(ctx, conn)
		return err
	})
	if err != nil && terminal(err) {
		return store.Check{Failed: "check", Message: sentence(firstLine(err))}, nil
	}
	if err != nil {
		return check, err
	}
	check.Address = w.probeAddress(ctx)
	if check.OK && check.Address.Outcome == store.WrongAnswer {
		check.OK, check.Failed, check.Message = false, "address", check.Address.Message
	}
	return check, nil
}

// shop runs the check's pod to its end.
func (w *worker) shop(ctx context.Context, conn *connection) (store.Check, error) {
	release, err := conn.helm.Release(ctx, w.claim.Store.Namespace, releaseName)
	switch {
	case err != nil:
		return store.Check{}, err
	case release.Status == helm.None: // nobody can shop without the check that is kept with the release
		return store.Check{}, w.putBackRelease(ctx)
	case release.Test == "":
		return store.Check{OK: true, Message: "The engine has no check"}, nil
	}
	if err := w.reopen(ctx, conn); err != nil {
		return store.Check{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	st := w.claim.Store
	run := examination(w.claim.Job)
	err = w.beginCheck(ctx, conn, conn.watcher.Snapshot(st.Namespace), kube.CheckRun{
		Manifest: release.Test, Key: run.key(1), Env: map[string]string{placeOrder: strconv.FormatBool(w.claim.Job.Place)},
	})
	if err != nil {
		return store.Check{}, err
	}
	for {
		updates := w.subscribe(conn)
		run = runOf(conn.watcher.Snapshot(st.Namespace), run.Name)
		if run.Done {
			updates.cancel()
			return run.Result, nil
		}
		updates.wait(ctx, w.lookAgain)
		updates.cancel()
		if w.cluster.connection() == nil { // nobody sees how it ends
			return store.Check{}, ErrUnreachable
		}
		if ctx.Err() != nil {
			return store.Check{Failed: "check", Message: fmt.Sprintf("It didn’t finish within %s.", checkTimeout)}, nil
		}
		if err := w.stillWanted(ctx); err != nil {
			return store.Check{}, err
		}
	}
}

// examination names the run of a check. One that is to place an order is another one than that
// which it takes the place of.
func examination(j store.Job) checkRun {
	name := runOfJob(j)
	if j.Place {
		name += "o"
	}
	return checkRun{Name: name}
}

// putBackRelease has the store repaired, which ends with an order, in place of being checked.
func (w *worker) putBackRelease(ctx context.Context) error {
	if err := w.db.RepairMissing(ctx, w.claim.Store.ID, "The Helm release is missing."); err != nil {
		return err
	}
	return errUnwanted
}

func (w *worker) stillWanted(ctx context.Context) error {
	st, err := w.db.Store(ctx, w.claim.Store.ID)
	if err == nil && (!st.CanCheck() || st.Job.ID != w.claim.Store.Job.ID) {
		return errUnwanted
	}
	return err
}
