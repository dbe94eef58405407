package provisioner

import (
	"context"
	"time"

	"shopwright.dev/shopwright/store"
)

// The steps between the release and a ready store.
const (
	takeNotice  verb = "take the maintenance page down"
	createCheck verb = "create check"
	askAddress  verb = "ask address"
	complete    verb = "complete"
)

func saleActs() map[verb]act {
	return map[verb]act{takeNotice: (*worker).takeNotices, createCheck: (*worker).createCheck, askAddress: (*worker).askAddress}
}

func saleEnds() map[verb]act { return map[verb]act{complete: (*worker).complete} }

// proveSale lets a customer in: a shop is ready when it has sold.
func proveSale(st store.Store, o observed) (action, bool) {
	switch {
	case len(leaving(o.Snapshot)) > 0:
		return action{Do: fail, Step: store.StepWorkloads, Failure: dataLost(st, leaving(o.Snapshot), o.Snapshot)}, true
	case len(o.Notices) > 0:
		return action{Do: takeNotice, Step: store.StepCheck}, true
	case !o.Untested && (o.Check.Attempt == 0 || o.Check.failed() && o.Check.Attempt < checkAttempts):
		return action{Do: createCheck, Step: store.StepCheck}, true
	case !o.Untested && !o.Check.Done:
		return action{Do: wait, Step: store.StepCheck, Note: store.Note{Code: store.OrderComing}}, true
	case o.Check.failed():
		return action{Do: fail, Step: store.StepCheck, Failure: checkFailed(o.Check.Result)}, true
	case o.Address.Outcome == store.WrongAnswer && o.Misled >= addressPatience:
		return action{Do: fail, Step: store.StepAddress, Failure: addressWrong(o.Address)}, true
	case o.Address.Outcome == store.WrongAnswer, o.Address.Outcome == store.NotAsked:
		return action{Do: askAddress, Step: store.StepAddress, Note: o.Address.Note}, true
	default:
		return action{Do: complete, Step: store.StepReady}, true
	}
}

// observeOpening reads what the last steps of opening a store depend on.
func (w *worker) observeOpening(o *observed) {
	w.observeRun(o, runOfJob(w.claim.Store.Job))
	o.Misled = w.misled.during(o.Address.Outcome == store.WrongAnswer)
	if o.Check.Done && w.claim.Store.Job.Step == store.StepCheck {
		w.outcome = o.Check.Result.Outcome()
	}
}

func (w *worker) complete(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	url := w.storeURL(w.claim.Store)
	opened := store.Opened{Finished: w.outcome, URL: url, AdminURL: w.engine.AdminURL(url)}
	opened.Check, opened.Next = o.Check.Result, w.untilCheck(true)
	opened.Check.Address = o.Address
	opened.Volumes = o.Release.Claims
	st, err := w.db.Complete(ctx, w.claim, opened)
	if err != nil {
		return store.Note{}, err
	}
	if st.IsDrill() {
		w.log.Info("the restore drill passed", "of", st.Origin.StoreID, "point", st.Origin.Point, "worked", w.worked.Round(time.Millisecond))
		return store.Note{}, nil // its store is removed now
	}
	w.log.Info("store is ready", "worked", w.worked.Round(time.Millisecond))
	if err := w.prune(ctx, conn, st); err != nil {
		w.log.Warn("old revisions are deleted after the next change", "error", err)
	}
	return store.Note{}, nil
}

// prune deletes from the cluster the revisions that the database does not list as kept. It comes
// after they have been marked there, so that no revision is offered that is gone.
func (w *worker) prune(ctx context.Context, conn *connection, st store.Store) error {
	revisions, err := w.db.ClaimedRevisions(ctx, w.claim)
	if err != nil {
		return err
	}
	var keep []int
	for _, r := range revisions {
		if r.Kept {
			keep = append(keep, r.Number)
		}
	}
	if len(keep) == st.Revision { // all there can be
		return nil
	}
	return conn.helm.Prune(ctx, st.Namespace, releaseName, keep)
}
