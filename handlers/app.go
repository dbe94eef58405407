// Package handlers is the web layer: routes, pages, fragments, live streams, sessions and sign-in. Only
// this package and those below it know echo. Data comes from the database and the provisioner; views
// renders it.
package handlers

import (
	"cmp"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/notify"
	"shopwright.dev/shopwright/static"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// Config is what the pages need.
type Config struct {
	DB          *database.DB
	Provisioner *provisioner.Provisioner // of the cluster in which new stores are placed
	Engines     engine.Registry
	SessionKeys [][]byte // of 32 bytes each; the first one signs, all of them verify
	BaseURL     string   // of the pages for browsers, without a trailing slash
	// HSTSSubdomains makes browsers use https for all subdomains of the BaseURL as well.
	HSTSSubdomains bool
	Limits         store.Limits
	Rates          Rates
	// MaxStreams and MaxStreamsPerUser limit how many pages have a live stream at once; 0 is no limit.
	MaxStreams, MaxStreamsPerUser int
	// ClusterTimeout is how long an answer waits for what it shows of a cluster, such as a log or a
	// quota's usage, and is shown without it then. 0 is 5 seconds.
	ClusterTimeout time.Duration

	Mail        notify.Sender // sends invitations; nil if no mail is sent
	Proxies     []*net.IPNet  // trusted to set X-Forwarded-For
	DevLogin    bool          // anybody may sign in as the developer
	Providers   []provider.Config
	Admission   store.Admission // decides whom a sign-in with a provider lets in
	CORSOrigins []string        // of pages that may use the API
	Version     string
	Log         *slog.Logger
}

// clusterTimeout is the ClusterTimeout unless another is configured.
const clusterTimeout = 5 * time.Second

// App serves the pages.
type App struct {
	Config
	shops      *shop.Service
	clusters   *provisioner.Fleet
	entrance   *signin.Entrance
	flashes    *reply.Sealed // what the next page shows once
	hub        *live.Hub
	api        *api.API
	logReaders *live.Ceiling
	programs   *live.Ceiling // of streams for API clients
	pages      *live.Ceiling // of streams for pages
	ending     atomic.Bool
}

// New returns the app for the configuration. Drain stops what it starts.
func New(c Config) *App {
	c.ClusterTimeout = cmp.Or(c.ClusterTimeout, clusterTimeout)
	a := &App{Config: c, flashes: newFlashes(c.SessionKeys, strings.HasPrefix(c.BaseURL, "https://"))}
	a.clusters = provisioner.NewFleet(c.Provisioner)
	a.shops = &shop.Service{DB: c.DB, Clusters: a.clusters, Placement: c.Provisioner, Engines: c.Engines, Limits: c.Limits}
	a.logReaders = live.NewCeiling(mostLogs, mostLogsOfOne, tooManyLogs)
	a.programs = live.NewCeiling(mostPrograms, mostProgramsOfOne, "Too many streams are open.")
	a.pages = live.NewCeiling(c.MaxStreams, c.MaxStreamsPerUser, "Too many pages are open.")
	a.hub = live.New(live.Config{
		Events: c.DB, Log: c.Log,
		WriteTimeout: 10 * time.Second,
		Heartbeat:    15 * time.Second, // far below the 60 s after which proxies cut a silent connection
	})
	a.entrance = signin.New(signin.Config{
		DB: c.DB, SessionKeys: c.SessionKeys, BaseURL: c.BaseURL, DevLogin: c.DevLogin, Providers: c.Providers, Admission: c.Admission,
		Version: c.Version, Log: c.Log, Invited: a.invited, IsStream: isStream, Newest: a.hub.Newest,
	})
	return a
}

// Leave makes /readyz fail, so that no more requests are sent here. Requests that still come are answered.
func (a *App) Leave() { a.ending.Store(true) }

// Drain prepares the shutdown: it calls Leave and ends all live streams for good, so that a server can
// shut down without waiting for their readers.
func (a *App) Drain() {
	a.Leave()
	a.hub.Stop()
	a.entrance.Close()
}

// Handler returns all routes behind the middleware.
func (a *App) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = a.fail
	e.IPExtractor = addressOf(a.Proxies)
	e.Use(
		a.identifyRequests,
		a.logRequests(),
		middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: func(_ echo.Context, err error, _ []byte) error { return err }}),
		a.secureHeaders,
		a.onlyKnownHosts,
		a.cors(),
		onlyText,
		a.limitRequests(),
		a.crossOriginGuard,
		middleware.BodyLimit("64K"),
		wholeForms,
		middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024, Skipper: isStreamOrFile}),
	)
	a.mount(e)
	leadBack(e)
	a.mountAPI(e)
	return pages{e}
}

const (
	staticPath      = static.Prefix + "*"
	logStreamPath   = "/stores/:id/logs/stream"
	logDownloadPath = "/stores/:id/logs/download"
)

// isStreamOrFile reports whether the response must not be compressed: a stream must not be buffered, and
// files are compressed already.
func isStreamOrFile(c echo.Context) bool { return isStream(c) || c.Path() == staticPath }

// isStream reports whether the response is read while it is written.
func isStream(c echo.Context) bool {
	switch c.Path() {
	case "/events", logStreamPath, v1.Prefix + "/events", v1.Prefix + "/stores/:id/logs":
		return true
	}
	return false
}
