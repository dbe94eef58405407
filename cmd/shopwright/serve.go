package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/erasure"
	"shopwright.dev/shopwright/provisioner/notify"
	"shopwright.dev/shopwright/provisioner/recovery"
	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// grace is how long requests may take to finish at shutdown.
const grace = 10 * time.Second

// unready says when a ready shop is checked because its pods are not ready.
var unready = provisioner.Unready{After: 30 * time.Second, Again: time.Minute}

// mostHeader is the maximum size of a request header, in bytes.
const mostHeader = 32 << 10

// retryOpen is the pause between two tries to open the database.
const retryOpen = 3 * time.Second

// serveCmd serves the pages and runs the work until it is stopped.
type serveCmd struct {
	config `embed:""`
}

// Run implements the subcommand.
func (c *serveCmd) Run(ctx context.Context, stdout io.Writer) error {
	if err := c.validate(); err != nil {
		return err
	}
	log := newLogger(stdout, c.LogLevel)
	if c.trustsNoProxy() {
		log.Warn("SHOPWRIGHT_TRUSTED_PROXIES is empty: everyone behind a proxy shares one request limit; set it to the networks of the proxies")
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("can’t write the data directory %s: make it writable for the user who runs Shopwright, or set SHOPWRIGHT_DATA_DIR to another one (%w)", c.DataDir, err)
	}
	db, err := c.openRecords(ctx, log)
	if err != nil {
		return err
	}
	defer func() { logError(log, "close the database", db.Close()) }()
	if err := c.checkPlan(ctx, db); err != nil {
		return err
	}
	if err := errors.Join(reseal(ctx, db, log), bringBack(ctx, db, log)); err != nil {
		return err
	}
	return c.serve(ctx, db, log)
}

// bringBack finishes a restore into another cluster that was interrupted after the database was loaded.
func bringBack(ctx context.Context, db *database.DB, log *slog.Logger) error {
	due, err := db.UnguardedReplacing(ctx)
	if err != nil || !due {
		return err
	}
	back, lost, err := db.UnguardedReplaceClusters(ctx)
	if err == nil {
		log.Info("stores of lost clusters are rebuilt from their restore points", "rebuilt", back, "without a restore point", lost)
	}
	return err
}

// reseal seals the secrets of backups with the first secret key, so that an older one can be removed.
func reseal(ctx context.Context, db *database.DB, log *slog.Logger) error {
	unreadable, err := db.Reseal(ctx)
	if err == nil && unreadable > 0 {
		log.Warn("secrets of backups were encrypted with a key that isn’t in SHOPWRIGHT_SECRET_KEY", "count", unreadable)
	}
	return err
}

// checkPlan makes sure that the default plan is in the database.
func (c *serveCmd) checkPlan(ctx context.Context, db *database.DB) error {
	plans, err := db.UnguardedPlans(ctx)
	if err != nil || slices.ContainsFunc(plans, func(p store.Plan) bool { return p.Name == c.DefaultPlan }) {
		return err
	}
	names := make([]string, len(plans))
	for i, p := range plans {
		names[i] = p.Name
	}
	return usageError{fmt.Errorf("SHOPWRIGHT_DEFAULT_PLAN is %q: it must be one of the plans, which are %s", c.DefaultPlan, strings.Join(names, ", "))}
}

// openRecords opens the database. It retries while the database does not respond, but not after other errors.
func (c *serveCmd) openRecords(ctx context.Context, log *slog.Logger) (*database.DB, error) {
	keys, err := c.sessionKeys()
	if err != nil {
		return nil, err
	}
	sealer, err := store.NewSealer(keys)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(c.DatabaseWait)
	for {
		db, err := database.Open(ctx, c.databaseURL(), database.WithLog(log), database.Exclusively(), database.WithDefaultPlan(c.DefaultPlan), database.WithSealer(sealer))
		if store.ErrorCode(err) == store.Invalid {
			return nil, usageError{err}
		}
		left := time.Until(deadline)
		if !database.Passing(err) || left <= 0 || ctx.Err() != nil {
			return db, err
		}
		log.Warn("the database can’t be opened yet", "error", err, "waiting", left.Round(time.Second))
		select {
		case <-ctx.Done():
		case <-time.After(min(left, retryOpen)):
		}
	}
}

// serve runs the work and the server, and stops them in order: it first reports that it is not ready, and
// serves on until requests go elsewhere; then it ends streams and requests, and last the work.
func (c *serveCmd) serve(ctx context.Context, db *database.DB, log *slog.Logger) error {
	connect, ended := c.connector(log)
	work, err := c.newProvisioner(ctx, db, connect, log)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return cannotListen("SHOPWRIGHT_ADDR", c.Addr, err)
	}
	server, app, err := c.newServer(db, work, listener, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	services, err := c.services(db, listener, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	endProfiles, err := c.serveProfiles(ctx, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer endProfiles()
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var running sync.WaitGroup
	running.Go(func() { work.Run(working) })
	running.Go(func() { service.Run(working, log, services...) })
	failed := make(chan error, 1)
	running.Go(func() { failed <- server.Serve(listener) })
	log.Info("serving", "url", c.baseURL(listener.Addr().String()), "version", currentVersion())
	logError(log, "create a login link", c.welcome(ctx, db, listener, log))

	select {
	case <-ctx.Done():
		log.Info("shutting down")
		app.Leave()
		select {
		case <-time.After(c.EndDelay):
		case err = <-failed:
		}
	case err = <-failed:
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	logError(log, "close open requests", server.Shutdown(closing))
	stopWork()
	running.Wait()
	ended()
	return err
}

// services are the program's background services, besides those of the provisioner.
func (c *serveCmd) services(db *database.DB, listener net.Listener, log *slog.Logger) ([]service.Service, error) {
	keys, err := c.sessionKeys()
	if err != nil {
		return nil, err
	}
	all := []service.Service{
		{Name: "retention", Run: func(ctx context.Context) { c.prune(ctx, db, log) }},
		{Name: "erasure", Run: erasure.Eraser{DB: db, After: c.KeepPoints, Log: log}.Run},
		{Name: "backup of the records", Run: recovery.Saver{DB: db, Secrets: recovery.Secrets{Key: secretKeyText(keys)}, Log: log}.Run},
	}
	if mail := c.mail(); mail != nil {
		notifier := notify.Notifier{DB: db, BaseURL: c.baseURL(listener.Addr().String()), Sender: mail, Log: log}
		all = append(all, service.Service{Name: "mail", Run: notifier.Run})
	}
	return all, nil
}

// prune asks the database every hour to remove old rows. The database does so once a day for all replicas
// together.
func (c *serveCmd) prune(ctx context.Context, db *database.DB, log *slog.Logger) {
	for {
		removed, err := db.Prune(ctx, store.Retention{Events: c.KeepEvents, Deleted: c.KeepDeleted, Ended: c.KeepEnded})
		if ctx.Err() != nil {
			return
		}
		logError(log, "remove old rows", err)
		if removed > 0 {
			log.Info("removed old rows", "rows", removed)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

// cannotListen explains why the address of a setting cannot be listened on, and what to do.
func cannotListen(setting, addr string, err error) error {
	todo := "set another one with " + setting
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		todo = "another program uses it: stop it, or " + todo
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		todo = "this machine doesn’t have it: " + todo
	case errors.Is(err, syscall.EACCES):
		todo = "its port is privileged: let a proxy serve it, or " + todo
	}
	return fmt.Errorf("can’t listen on the address %s: %s (%w)", addr, todo, err)
}

func (c *serveCmd) newProvisioner(ctx context.Context, db *database.DB, connect provisioner.Connector, log *slog.Logger) (*provisioner.Provisioner, error) {
	record, err := db.EnsureCluster(ctx, store.ClusterSettings{
		Name: "local", BaseDomain: c.BaseDomain, IngressClass: c.IngressClass, StorageClass: c.StorageClass,
	})
	if err != nil {
		return nil, err
	}
	return provisioner.New(provisioner.Config{
		DB: db, Cluster: record, Connect: connect, Renew: c.renewal(), Advice: c.advice(), Engines: engine.Offered(), Site: c.site(), Shared: c.shared(), URLPort: c.URLPort,
		Concurrency: store.Concurrency{Global: c.MaxConcurrent, Removals: c.MaxRemovals, Checks: c.MaxChecks, Backups: c.MaxBackups}, Timeout: c.ProvisionTimeout, CheckEvery: c.CheckInterval, Unready: unready,
		Holder: uuid.NewString(), Log: log,
	}), nil
}

func (c *serveCmd) newServer(db *database.DB, work *provisioner.Provisioner, listener net.Listener, log *slog.Logger) (*http.Server, *handlers.App, error) {
	keys, err := c.sessionKeys()
	if err != nil {
		return nil, nil, err
	}
	providers, err := c.providers()
	if err != nil {
		return nil, nil, err
	}
	proxies, err := c.proxies()
	if err != nil {
		return nil, nil, err
	}
	app := handlers.New(handlers.Config{
		DB: db, Provisioner: work, Engines: engine.Offered(), SessionKeys: keys, BaseURL: c.baseURL(listener.Addr().String()), HSTSSubdomains: c.HSTSSubdomains,
		Limits: c.limits(), Rates: c.rates(), MaxStreams: c.MaxStreams, MaxStreamsPerUser: c.MaxStreamsPerUser, Proxies: proxies, Mail: c.mail(),
		Providers: providers, Admission: c.admission(providers),
		DevLogin: c.DevLogin, CORSOrigins: c.CORSOrigins, Version: currentVersion(), Log: log,
	})
	server := &http.Server{
		Handler: app.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: mostHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(app.Drain)
	return server, app, nil
}

// welcome logs a login link for the first administrator while no user exists.
func (c *serveCmd) welcome(ctx context.Context, db *database.DB, listener net.Listener, log *slog.Logger) error {
	known, err := db.AnybodyKnown(ctx)
	if err != nil || known || c.DevLogin {
		return err
	}
	secret, err := db.CreateLoginLink(ctx)
	if err != nil {
		return err
	}
	log.Info("nobody has signed in yet: this link signs in an administrator, once and within 10 minutes",
		"link", signin.LoginLink(c.baseURL(listener.Addr().String()), secret))
	return nil
}

func newLogger(out io.Writer, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // validated before
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: l}))
}

func logError(log *slog.Logger, doing string, err error) {
	if err != nil {
		log.Error(doing, "error", err)
	}
}
