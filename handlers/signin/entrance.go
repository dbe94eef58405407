// Package signin is the ways in: providers, login links and the development login; the sessions that they open; and
// the sign-in methods of an account. It decides who a visitor is, and knows nothing of what visitors then see.
package signin

import (
	"context"
	"log/slog"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// Config is what the ways in need.
type Config struct {
	DB          *database.DB
	SessionKeys [][]byte // of 32 bytes each; the first one signs, and what the others signed is taken too
	BaseURL     string   // under which browsers find us, without a slash at its end
	DevLogin    bool     // anybody may sign in as the developer
	Providers   []provider.Config
	Admission   store.Admission // whom the providers let in
	Version     string
	Log         *slog.Logger

	// Invited reports whether the page to which a sign-in leads is one that lets in whom Admission does not.
	Invited func(ctx context.Context, next string, who store.Identity) (bool, error)
	// IsStream reports whether a script reads the answer while it is written.
	IsStream func(echo.Context) bool
	// Newest is the number of the newest event that all open pages have heard of.
	Newest func() int64
}

// Entrance is where visitors sign in, and what tells who they are.
type Entrance struct {
	Config
	sessions  *sessions
	attempts  *reply.Sealed // sign-ins that are on their way
	providers []*provider.Provider
}

// New returns the ways in for the configuration. Close ends what it starts.
func New(c Config) *Entrance {
	secure := strings.HasPrefix(c.BaseURL, "https://")
	e := &Entrance{Config: c, sessions: newSessions(c.SessionKeys, secure), attempts: newAttempts(c.SessionKeys, secure)}
	for _, p := range c.Providers {
		e.providers = append(e.providers, provider.New(p, CallbackURL(c.BaseURL, p.Name)))
	}
	return e
}

// Close ends the connections to the providers.
func (e *Entrance) Close() {
	for _, p := range e.providers {
		p.Close()
	}
}
