// Package provisioner brings stores about: it takes what people asked for from the database,
// observes the cluster, decides purely what to do next, and does it, until the store is as
// it should be. It also reads for the pages what the cluster says of a store now.
//
// It knows the database, the engines, Helm and Kubernetes. It does not know HTTP.
package provisioner

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// Config is what a Provisioner needs. All fields but Connect, Renew, Advice, Shared, CheckEvery
// and Unready are required.
type Config struct {
	DB          *database.DB
	Cluster     store.Cluster
	Connect     Connector                    // nil when no cluster is configured
	Renew       func() (*rest.Config, error) // reads the cluster's credentials again when they are refused; nil where they renew themselves
	Advice      string                       // what may help when the cluster cannot be reached, a sentence or nothing
	Engines     engine.Registry
	Site        engine.Spec // what is the same for all stores
	Shared      Shared      // Secrets that all stores get a copy of
	URLPort     int         // in the stores' addresses; zero for the scheme's own
	Concurrency store.Concurrency
	Timeout     time.Duration // of working time, until a store fails
	CheckEvery  time.Duration // how often a shop that is ready is checked; zero for never
	Unready     Unready
	Holder      string // this process, in claims
	Log         *slog.Logger
}

// Provisioner works on the stores of one cluster.
type Provisioner struct {
	db          *database.DB
	cluster     *cluster
	engines     engine.Registry
	site        engine.Spec
	shared      []kube.Shared
	urlPort     int
	demands     *demands
	concurrency store.Concurrency
	timeout     time.Duration
	checkEvery  time.Duration
	unready     Unready
	lookAgain   time.Duration
	giveBack    time.Duration // see giveBackAfter
	putOffFor   time.Duration // see the constant
	backoff     func(failures int) time.Duration
	holder      string
	log         *slog.Logger
	requests    *kube.Signals // by store id: somebody asked for something
	freed       *kube.Signals // a worker has ended
	events      *eventWatches
}

// New returns a Provisioner that does nothing until Run.
func New(c Config) *Provisioner {
	p := &Provisioner{
		db: c.DB, cluster: newCluster(c), engines: c.Engines, site: c.Shared.into(c.Site), shared: c.Shared.list(), urlPort: c.URLPort,
		demands: &demands{}, concurrency: c.Concurrency, timeout: c.Timeout, checkEvery: c.CheckEvery, unready: c.Unready,
		lookAgain: lookAgain, giveBack: giveBackAfter, putOffFor: putOffFor, backoff: backoff, holder: c.Holder, log: c.Log,
		requests: &kube.Signals{}, freed: &kube.Signals{},
	}
	p.concurrency.Cluster = c.Cluster.ID
	p.events = newEventWatches(p.cluster)
	return p
}

// pollEvery bounds how long work waits that nobody told us of, such as that of another
// process which is gone.
const pollEvery = 5 * time.Second

const anyWorker = "worker"

// Run works until the context is done and returns when all work has been handed over. What
// is unfinished goes on when a Provisioner runs again, here or elsewhere.
func (p *Provisioner) Run(ctx context.Context) {
	if !p.db.SharedByProcesses() {
		if err := p.db.ReleaseAll(ctx); err != nil {
			p.log.Error("claims of an earlier run stay until they expire", "error", err)
		}
	}
	var all sync.WaitGroup
	all.Go(func() { p.cluster.run(ctx) })
	all.Go(func() { service.Run(ctx, p.log, p.services()...) })
	p.dispatch(ctx, &all)
	all.Wait()
	p.events.close()
}

// services are what goes on beside the work on stores. The connection is none of them: nothing goes on without it.
func (p *Provisioner) services() []service.Service {
	return []service.Service{
		{Name: "relay", Run: p.relay},
		{Name: "keeper", Run: p.keep},
		{Name: "shared secrets", Run: p.share},
		{Name: "readiness", Run: p.watchReadiness},
		{Name: "capacity", Run: p.count},
		{Name: "scheduled backups", Run: p.scheduleBackups},
		{Name: "drills", Run: p.rehearse},
	}
}

// dispatch claims stores while there are any and the cluster can be reached.
func (p *Provisioner) dispatch(ctx context.Context, workers *sync.WaitGroup) {
	wanted, cancel := p.requests.Subscribe("")
	defer cancel()
	freed, stop := p.freed.Subscribe(anyWorker)
	defer stop()
	for {
		if _, err := p.cluster.wait(ctx); err != nil {
			return
		}
		for p.take(ctx, workers) {
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-ctx.Done():
		case <-wanted:
		case <-freed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// take claims the next store and starts to work on it, or reports that there is none.
func (p *Provisioner) take(ctx context.Context, workers *sync.WaitGroup) bool {
	claim, ok, err := p.db.Claim(ctx, p.holder, leaseTime, p.concurrency)
	if err != nil && ctx.Err() == nil {
		p.log.Error("can’t read the queue", "error", err)
	}
	if !ok {
		return false
	}
	workers.Go(func() {
		defer p.freed.Send(anyWorker)
		p.work(ctx, claim)
	})
	return true
}

func (p *Provisioner) work(ctx context.Context, claim store.Claim) {
	log := p.log.With("store", claim.Store.ID, "slug", claim.Store.Slug)
	e, known := p.engines.Find(claim.Store.Engine)
	if !known {
		p.unknownEngine(ctx, claim, log)
		return
	}
	w := &worker{Provisioner: p, claim: claim, engine: e, log: log}
	if err := w.runGuarded(ctx); errors.Is(err, errLost) {
		log.Warn("stopped", "error", err)
		return
	}
	p.release(ctx, claim, log)
}

func (p *Provisioner) unknownEngine(ctx context.Context, claim store.Claim, log *slog.Logger) {
	facts := store.Facts{Engine: claim.Store.Engine}
	var err error
	switch claim.Job.Kind {
	case store.CheckJob:
		_, err = p.db.RecordCheck(ctx, claim, store.Check{Failed: store.AtCheck, Note: store.Note{Code: store.CheckUnknown, Facts: facts}}, p.untilCheck(false))
	case store.BackupJob:
		err = p.db.FailBackup(ctx, claim, store.Failure{Code: store.EngineUnknown, Facts: facts})
	default:
		_, err = p.db.Fail(ctx, claim, store.Failure{Code: store.EngineUnknown, Facts: facts})
	}
	if err != nil {
		log.Error("unknown engine", "error", err)
	}
	p.release(ctx, claim, log)
}

// release hands the claim back even when the context is done, so that nobody has to wait
// for the lease to run out.
func (p *Provisioner) release(ctx context.Context, claim store.Claim, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := p.db.Release(ctx, claim); err != nil {
		log.Error("the claim stays until it expires", "error", err)
	}
}

// relay passes on what people ask for: to the queue, and to whoever works on that store.
func (p *Provisioner) relay(ctx context.Context) {
	for ctx.Err() == nil {
		sub := p.db.Subscribe()
		p.requests.Send("") // for what came before the subscription
		p.relayFrom(ctx, sub)
		sub.Close()
	}
}

func (p *Provisioner) relayFrom(ctx context.Context, sub *database.Subscription) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-sub.Events:
			if !open {
				return
			}
			if e.Kind.Asks() {
				p.requests.Send("")
				p.requests.Send(e.StoreID)
				p.requests.Send(e.JobID) // of a drill it is the store that the drill is made in
			}
		}
	}
}

// storeURL is where customers find the store. That of a drill leads nowhere, but has the scheme that the restored shop
// may insist on.
func (p *Provisioner) storeURL(st store.Store) string {
	scheme, port := p.AddressParts()
	return scheme + "://" + st.Host + port
}

// AddressParts are what stands before and after the host in a store's address: the scheme,
// and a colon with the port where it is not the scheme's own.
func (p *Provisioner) AddressParts() (scheme, port string) {
	scheme = "http"
	if p.site.TLS.Mode != engine.TLSNone {
		scheme = "https"
	}
	if p.urlPort != 0 {
		port = ":" + strconv.Itoa(p.urlPort)
	}
	return scheme, port
}

// Off tells what the store cannot do as this installation has it made, and what to do about it.
func (p *Provisioner) Off(st store.Store) []string {
	e, known := p.engines.Find(st.Engine)
	if !known {
		return nil
	}
	return e.Off(p.spec(st))
}

// OwnerUse is what another address of its owner means to the store's shop.
func (p *Provisioner) OwnerUse(st store.Store) engine.OwnerUse {
	e, known := p.engines.Find(st.Engine)
	if !known {
		return engine.OwnerUse{}
	}
	return e.Owner()
}

// Placement is the cluster in which new stores are placed.
func (p *Provisioner) Placement() store.Cluster { return p.cluster.record }

// BaseDomain is the domain under which new stores get their addresses.
func (p *Provisioner) BaseDomain() string { return p.cluster.record.BaseDomain }
