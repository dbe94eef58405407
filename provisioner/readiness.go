package provisioner

import (
	"context"
	"regexp"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// Unready says when a ready shop is checked because its pods are not ready. With scheduled checks alone,
// a broken shop could be called ready for hours.
type Unready struct {
	After time.Duration // how long pods must have been unready; zero for never
	Again time.Duration // until the next check, while the first failure is not confirmed
}

// readiness remembers since when stores lack ready pods, and for which of them it has requested a check.
type readiness struct {
	after time.Duration
	since map[string]time.Time
	asked map[string]bool
}

// watchReadiness requests a check when the pods of a shop have been unready for too long, once per
// outage, and another one when they are ready again. It sends no request to the API server: it reads the
// informers' caches.
func (p *Provisioner) watchReadiness(ctx context.Context) {
	if p.unready.After == 0 || p.checkEvery == 0 {
		return
	}
	r := &readiness{after: p.unready.After, since: map[string]time.Time{}, asked: map[string]bool{}}
	for sleep(ctx, min(p.unready.After/4, pingEvery)) == nil {
		conn := p.cluster.connection()
		if conn == nil {
			continue
		}
		for id, since := range r.look(conn.watcher.Unready(), time.Now()) {
			can, err := p.db.UnguardedCheckSince(ctx, id, since)
			switch {
			case err != nil:
				p.log.Warn("the order check of a shop with unready pods is delayed", "store", id, "error", err)
			case can:
				r.checked(id)
				p.requests.Send("")
			default:
				r.forget(id)
			}
		}
	}
}

// look returns the stores to check, with the time since which their pods are unready, or ready again.
func (r *readiness) look(unready map[string]bool, now time.Time) map[string]time.Time {
	due := map[string]time.Time{}
	for id := range unready {
		if r.since[id].IsZero() {
			r.since[id] = now
		}
		if now.Sub(r.since[id]) >= r.after && !r.asked[id] {
			due[id] = r.since[id]
		}
	}
	for id := range r.since {
		switch {
		case unready[id]:
		case r.asked[id]:
			due[id] = now
		default:
			delete(r.since, id)
		}
	}
	return due
}

// checked notes that a check which look returned was requested.
func (r *readiness) checked(id string) {
	if r.asked[id] { // it is ready again
		r.forget(id)
		return
	}
	r.asked[id] = true
}

// forget is for a store that cannot be checked now: while a store is opened or changed, it is expected to
// lack ready pods.
func (r *readiness) forget(id string) {
	delete(r.since, id)
	delete(r.asked, id)
}

// nextAfter is the time from this check until the next one.
func (w *worker) nextAfter(conn *connection, check store.Check) time.Duration {
	next, st := w.untilCheck(check.OK), w.claim.Store
	if !check.OK && st.Status == store.Ready && w.unready.Again > 0 && len(unreadyPods(conn.watcher.Snapshot(st.Namespace))) > 0 {
		next = min(next, w.unready.Again)
	}
	return next
}

// causeOf returns why a shop does not sell, according to its pods and their logs.
func (w *worker) causeOf(ctx context.Context, conn *connection) store.Failure {
	s := withoutScheduled(conn.watcher.Snapshot(w.claim.Store.Namespace))
	if pod, line := w.fullDisk(ctx, s); pod != "" {
		return store.Failure{Code: store.DiskFull, Facts: store.Facts{Pod: pod, Quote: line}}
	}
	if f, bad := hopeless(s); bad {
		return f
	}
	if waiting := unreadyPods(s); len(waiting) > 0 {
		all := len(shopPods(s))
		return store.Failure{Code: store.PodsNotReady, Facts: store.Facts{Count: all - len(waiting), Of: all, Names: waiting}}
	}
	return store.Failure{}
}

// ReadyPods says how many of the shop's pods are ready, or nothing if all are.
func ReadyPods(s kube.Snapshot) string {
	waiting, all := unreadyPods(s), len(shopPods(withoutScheduled(s)))
	if len(waiting) == 0 {
		return ""
	}
	return phrase.ReadyPods(all-len(waiting), all)
}

// unreadyPods returns the names of the unready pods of the shop.
func unreadyPods(s kube.Snapshot) (names []string) {
	for _, pod := range shopPods(withoutScheduled(s)) {
		if pod.Ready < pod.Want {
			names = append(names, pod.Name)
		}
	}
	return names
}

// diskFull matches the messages of programs on a full disk: MariaDB, PostgreSQL and others.
var diskFull = regexp.MustCompile(`(?i)no space left on device|disk (is )?full|err(or|no|code):? ?28\b`)

// fullDisk looks for a pod of the shop whose latest log lines report a full disk.
func (w *worker) fullDisk(ctx context.Context, s kube.Snapshot) (pod, line string) {
	const recent = 40 // lines
	ctx, cancel := context.WithTimeout(ctx, wordsTimeout)
	defer cancel()
	for _, pod := range shopPods(s) {
		for _, c := range pod.Containers {
			options := kube.LogOptions{Previous: c.State.Kind == "waiting", Tail: recent}
			if c.Init || !c.HasLog(options.Previous) {
				continue
			}
			if line := w.lineLike(ctx, LogQuery{Pod: pod.Name, Container: c.Name, LogOptions: options}, diskFull); line != "" {
				return pod.Name, line
			}
		}
	}
	return "", ""
}

// lineLike returns the last line of the log that matches, or nothing if the log cannot be opened.
func (w *worker) lineLike(ctx context.Context, query LogQuery, pattern *regexp.Regexp) (found string) {
	log, err := w.OpenLog(ctx, w.claim.Store, query)
	if err != nil {
		return ""
	}
	defer log.Close() //nolint:errcheck // it is read
	for {
		line, err := log.Next()
		if err != nil {
			return found
		}
		if pattern.MatchString(line.Text) {
			found = strings.TrimSpace(line.Text)
		}
	}
}
