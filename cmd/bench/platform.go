package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/phrase"
)

// platform is our own way: the database and the provisioner, in this process.
type platform struct {
	work    *provisioner.Provisioner
	db      *database.DB
	actor   store.Actor
	team    string
	settled kube.Signals // by store id: it is ready, failed or gone
	stop    context.CancelFunc
	running sync.WaitGroup
	dir     string // of the database, as the program's data directory
	log     *os.File

	mu  sync.Mutex
	ids map[string]string // by slug
}

// defaultConcurrency is that of the program's own configuration.
const defaultConcurrency = 24

// newPlatform starts one with records of its own; so many stores at a time, zero for no
// limit. It returns when it is connected.
func newPlatform(ctx context.Context, b *bench, at target, concurrency int) (*platform, error) {
	dir, err := os.MkdirTemp(b.scratch, "platform-")
	if err != nil {
		return nil, err
	}
	p := &platform{dir: dir, ids: map[string]string{}}
	if p.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	record, err := p.db.EnsureCluster(ctx, store.ClusterSettings{Name: "local", BaseDomain: "localhost"})
	if err != nil {
		return nil, err
	}
	p.work = provisioner.New(provisioner.Config{
		DB: p.db, Cluster: record, Engines: engine.NewRegistry(neutral{}), Timeout: patience,
		Connect: func(context.Context, func(provisioner.Progress)) (*rest.Config, error) { return at.config, nil },
		Site:    engine.Spec{Environment: "local", TLS: engine.TLS{Mode: engine.TLSNone}},
		Holder:  uuid.NewString(), Log: slog.New(slog.NewTextHandler(p.log, nil)),
		Concurrency: store.Concurrency{Global: concurrency},
	})
	p.start()
	return p, p.connected(ctx)
}

// open makes the database, and in it the user whom the program signs in.
func (p *platform) open(ctx context.Context) (err error) {
	if p.db, err = database.Open(ctx, "sqlite:"+filepath.Join(p.dir, "shopwright.db")); err != nil {
		return err
	}
	id, err := p.db.SignIn(ctx, developer(), store.Browser{})
	if err != nil {
		return err
	}
	session, err := p.db.Session(ctx, id)
	if err != nil {
		return err
	}
	p.actor = session.Actor
	for p.team = range session.Actor.Roles {
	}
	return nil
}

func (p *platform) start() {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.running.Go(func() { p.work.Run(ctx) })
	p.running.Go(func() { p.relay(ctx) })
}

// close ends the work and leaves the database where it is.
func (p *platform) close() {
	p.stop()
	p.running.Wait()
	_ = p.db.Close()
	_ = p.log.Close()
}

func (p *platform) connected(ctx context.Context) error {
	changed, cancel := p.work.SubscribeCluster()
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for p.work.Cluster().Link != provisioner.Connected {
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the platform does not connect: %s", p.work.Cluster().Problem)
		}
	}
	return nil
}

// lastSaid is the end of the log.
func (p *platform) lastSaid() string {
	const size = 4000
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-size):])
}

// relay signals what waits for a store when the database says that it has come to an end.
func (p *platform) relay(ctx context.Context) {
	for ctx.Err() == nil {
		sub := p.db.Subscribe()
		p.wakeAll() // for what came before the subscription
		p.relayFrom(ctx, sub)
		sub.Close()
	}
}

func (p *platform) relayFrom(ctx context.Context, sub *database.Subscription) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-sub.Events:
			if !open {
				return
			}
			switch e.Kind {
			case store.StoreReady, store.StoreFailed, store.StoreDeleted:
				p.settled.Send(e.StoreID)
			}
		}
	}
}

func (p *platform) wakeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range p.ids {
		p.settled.Send(id)
	}
}

func (p *platform) create(ctx context.Context, name string) error {
	st, err := p.db.CreateStore(ctx, p.actor, store.NewStore{
		TeamID: p.team, Cluster: p.work.Placement(), Name: name, Slug: name, Engine: neutral{}.Name(),
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.ids[name] = st.ID
	p.mu.Unlock()
	return p.until(ctx, st.ID, store.Ready)
}

func (p *platform) remove(ctx context.Context, name string) error {
	p.mu.Lock()
	id := p.ids[name]
	p.mu.Unlock()
	if _, err := p.db.RequestDelete(ctx, p.actor, id, store.DeleteRequest{}); err != nil {
		return err
	}
	return p.until(ctx, id, store.Deleted)
}

func (p *platform) until(ctx context.Context, id string, status store.Status) error {
	settled, cancel := p.settled.Subscribe(id)
	defer cancel()
	for {
		st, err := p.db.UnguardedStore(ctx, id)
		switch {
		case err != nil:
			return err
		case st.Status == status:
			return nil
		case st.Status == store.Failed:
			return fmt.Errorf("store %s failed: %s: %s", st.Slug, phrase.Failure(st.Job.Failure).Title, phrase.Failure(st.Job.Failure).Cause)
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return fmt.Errorf("store %s is %s at %q: %w\n%s", st.Slug, st.Status, st.Job.Step, ctx.Err(), p.lastSaid())
		}
	}
}
