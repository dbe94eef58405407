// Package api is the face for programs: JSON under /api/v1, for whoever comes with a token,
// and the OpenAPI document that is made of the same code. It shows what the database and the
// provisioner tell; it knows no pages.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// mostBody is how large a request may be, in bytes.
const mostBody = 32 << 10

// Config is what the API needs.
type Config struct {
	DB          *database.DB
	Provisioner *provisioner.Provisioner // of the cluster in which new stores are placed
	Clusters    shop.Clusters
	Shops       *shop.Service
	Engines     engine.Registry
	Version     string
	Log         *slog.Logger

	// Work tells from the events of a store, oldest first, how far that job is.
	Work func(store.Job, []store.Event) v1.Work
	// Invited tells of an invitation that was just made, by mail where it is for an address and
	// mail is sent. It returns where the secret leads, and whether that is on its way.
	Invited func(ctx context.Context, who store.Actor, made store.Invitation, secret string) (link string, mailed bool)
	// Limits are those of stores beside what plans say.
	Limits store.Limits
	// Follow reports whether the user of that id may keep one more answer open, until leave.
	Follow func(userID string) (leave func(), ok bool)
	// Ending is closed when answers that do not end by themselves must.
	Ending <-chan struct{}
	// ClusterTimeout is how long an answer waits for what it shows of a cluster, which is left out then.
	ClusterTimeout time.Duration
	// Heartbeat is how often an answer that goes on gives a sign of life.
	Heartbeat time.Duration
	// WriteTimeout is how long one message may take to a reader who has stopped reading.
	WriteTimeout time.Duration
}

// API answers programs.
type API struct {
	Config
	huma huma.API
}

// New registers the API's routes.
func New(e *echo.Echo, c Config) *API {
	a := &API{Config: c}
	a.huma = humaecho.NewWithGroup(e, e.Group(v1.Prefix), a.settings())
	a.huma.UseMiddleware(negotiate, a.authenticate)
	a.registerStores()
	a.registerReleases()
	a.registerBackups()
	a.registerDrills()
	a.registerCluster()
	a.registerAccount()
	a.registerStreams()
	a.registerTeams()
	a.registerTargets()
	a.registerOverview()
	a.nameAnEngine()
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own, in whose place is Problem
	delete(schemas, "ErrorDetail")
	return a
}

// Document describes the API.
func (a *API) Document() *huma.OpenAPI { return a.huma.OpenAPI() }

// negotiate leaves, of what a program accepts, the one choice that there is: all else is
// answered with JSON. Huma would look for more, and panics at some values, such as "*/*;,text/html".
func negotiate(c huma.Context, next func(huma.Context)) {
	header := humaecho.Unwrap(c).Request().Header
	lines := strings.Contains(strings.Join(header.Values("Accept"), ","), ndjson)
	header.Del("Accept")
	if lines {
		header.Set("Accept", ndjson)
	}
	next(c)
}

// nameAnEngine takes an engine that there is for the document's examples.
func (a *API) nameAnEngine() {
	document, engines := a.huma.OpenAPI(), a.Engines.All()
	if len(engines) == 0 {
		return
	}
	name, label := []any{engines[0].Name()}, []any{engines[0].Label()}
	schemas := document.Components.Schemas.Map()
	for _, schema := range schemas {
		if field := schema.Properties["engine"]; field != nil {
			field.Examples = name
		}
	}
	schemas["Engine"].Properties["name"].Examples, schemas["Engine"].Properties["label"].Examples = name, label
	for _, p := range document.Paths["/engines/{engine}/templates"].Get.Parameters {
		p.Schema.Examples = name
	}
}

func (a *API) settings() huma.Config {
	c := huma.DefaultConfig(store.Platform, a.Version)
	c.Info.Description = description
	c.Servers = []*huma.Server{{URL: v1.Prefix}}
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{asProblem}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		SecurityScheme: {Type: "http", Scheme: "bearer", Description: "An API token from your account page, shopwright_…"},
	}
	c.Tags = []*huma.Tag{
		{Name: tagStores, Description: "Create, view, change and delete stores."},
		{Name: tagReleases, Description: "Revisions, upgrades and rollbacks of a store."},
		{Name: tagBackups, Description: "Restore points of a store, and drills that prove them."},
		{Name: tagCluster, Description: "State of a store in the cluster."},
		{Name: tagStreams, Description: "Live events and logs."},
		{Name: tagTeams, Description: "Teams, members and the audit log."},
		{Name: tagOffer, Description: "Engines, templates and countries for new stores."},
		{Name: tagAccount, Description: "The token’s user, permissions and tokens."},
		{Name: tagInstallation, Description: "Backup targets. For administrators, with a token of the scope installation."},
	}
	return c
}

// SecurityScheme is the name that the document gives to the token, by which each operation lists its scopes.
const SecurityScheme = "token"

const (
	tagStores       = "Stores"
	tagReleases     = "Releases"
	tagCluster      = "Cluster"
	tagStreams      = "Streams"
	tagOffer        = "Offer"
	tagAccount      = "Account"
	tagTeams        = "Teams"
	tagBackups      = "Backups"
	tagInstallation = "Installation"

	description = `Everything the pages can do with stores. Send a token in the header ` +
		"`Authorization: Bearer shopwright_…`" + `, never in a URL. Times are in UTC. Errors are ` +
		`application/problem+json with a code and one sentence. Requests that need the cluster while it is unreachable return 503 with Retry-After.`
)

// operation says where something is done, and what a token needs for it.
type operation struct {
	id, method, path, tag string
	summary               string
	description           string
	scope                 store.Scope // none for any token
	status                int         // of success, where it is not 200
	content               []string    // types of what is no JSON
	headers               map[string]*huma.Header
}

// register adds an operation. Whatever its function returns as an error becomes a [Problem].
func register[I, O any](a *API, o operation, do func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, a.document(o), func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

func (a *API) document(o operation) huma.Operation {
	needs := []string{}
	if o.scope != "" {
		needs = append(needs, string(o.scope))
	}
	if strings.HasPrefix(o.path, "/stores/{id}") && o.scope != store.ReadStores { // who may not see it cannot change it
		needs = append(needs, string(store.ReadStores))
	}
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Tags: []string{o.tag}, Summary: o.summary, Description: o.description,
		Security: []map[string][]string{{SecurityScheme: needs}}, DefaultStatus: o.status, MaxBodyBytes: mostBody,
		Responses: map[string]*huma.Response{"default": a.problemResponse()},
	}
	if o.content != nil {
		success := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{}, Headers: o.headers}
		for _, kind := range o.content {
			success.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
		op.Responses["200"] = success
	}
	return op
}

type bearerKey struct{}

// caller is who comes with a token, and the token.
type caller struct {
	store.Bearer
	secret string
}

func callerOf(ctx context.Context) caller {
	who, _ := ctx.Value(bearerKey{}).(caller)
	return who
}

func actorOf(ctx context.Context) store.Actor { return callerOf(ctx).Actor }

const callerKey = "caller"

// CallerOf is who has sent the request with a good token, for the log.
func CallerOf(c echo.Context) store.Actor {
	who, _ := c.Get(callerKey).(store.Actor)
	return who
}

// authenticate lets pass who comes with a good token that has the operation's scope. Cookies
// count for nothing, so that no other site can make a browser ask for something.
func (a *API) authenticate(c huma.Context, next func(huma.Context)) {
	who, err := a.identify(c)
	if err == nil {
		humaecho.Unwrap(c).Set(callerKey, who.Actor)
		err = checkScope(c.Operation(), who.Actor)
	}
	if err != nil {
		a.refuse(c, err)
		return
	}
	c.SetHeader("Cache-Control", "no-store")
	next(huma.WithValue(c, bearerKey{}, who))
}

var (
	errTokenInAddress = &v1.Problem{Status: http.StatusBadRequest, Code: "token_in_address",
		Detail: "Send the token in the header Authorization: Bearer …, never in the URL, because URLs are logged. Revoke this token and create another."}
	errNoToken = &v1.Problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Challenge: `Bearer realm="Shopwright"`,
		Detail: "Send a token in the header Authorization: Bearer …. Create one on your account page."}
	errBadToken = &v1.Problem{Status: http.StatusUnauthorized, Code: "invalid_token", Challenge: `Bearer realm="Shopwright", error="invalid_token"`,
		Detail: "This token is unknown, expired or revoked. Create another on your account page."}
)

func (a *API) identify(c huma.Context) (caller, error) {
	address := c.URL()
	if strings.Contains(address.Path, store.TokenPrefix) {
		return caller{}, errTokenInAddress
	}
	for name, values := range address.Query() {
		if isTokenName(name) || strings.Contains(strings.Join(values, " "), store.TokenPrefix) {
			return caller{}, errTokenInAddress
		}
	}
	scheme, secret, _ := strings.Cut(c.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return caller{}, errNoToken
	}
	secret = strings.TrimSpace(secret)
	who, err := a.DB.TokenActor(c.Context(), secret, humaecho.Unwrap(c).RealIP())
	if store.ErrorCode(err) == store.NotFound {
		return caller{}, errBadToken
	}
	return caller{Bearer: who, secret: secret}, err
}

func isTokenName(name string) bool {
	switch strings.ToLower(name) {
	case "token", "access_token", "api_key", "apikey", "key", "authorization", "bearer":
		return true
	}
	return false
}

func checkScope(op *huma.Operation, who store.Actor) error {
	for _, scope := range op.Security[0][SecurityScheme] {
		if !slices.Contains(who.Scopes, store.Scope(scope)) {
			return &v1.Problem{Status: http.StatusForbidden, Code: "scope_missing", Challenge: `Bearer realm="Shopwright", error="insufficient_scope", scope="` + scope + `"`,
				Detail: "This token lacks the scope " + scope + ". Create one with it on your account page."}
		}
	}
	return nil
}
