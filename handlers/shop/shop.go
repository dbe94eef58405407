// Package shop decides once what pages and the API decide alike about stores: what a new store gets, who reads its
// login, which upgrade is asked for, and why a log can't be read. It knows no HTTP.
package shop

import (
	"context"
	"errors"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// Clusters finds the provisioner of a store's cluster.
type Clusters interface {
	Of(st store.Store) *provisioner.Provisioner
}

// Service makes the decisions.
type Service struct {
	DB        *database.DB
	Clusters  Clusters
	Placement *provisioner.Provisioner // of the cluster in which new stores are placed
	Engines   engine.Registry
	Limits    store.Limits // of stores beside what plans say
}

// Credentials reads the store's login from its cluster, now and only because the actor asked, and records who did.
// An *store.Error says why the actor gets none.
func (s *Service) Credentials(ctx context.Context, who store.Actor, st store.Store) (provisioner.Login, error) {
	if !who.May(store.ViewCredentials, st.TeamID) {
		return provisioner.Login{}, &store.Error{Code: store.Forbidden, Message: "You can view this store but not its login. Ask a team owner."}
	}
	login, err := s.Clusters.Of(st).Credentials(ctx, st)
	if err != nil {
		return provisioner.Login{}, err
	}
	return login, s.DB.RecordCredentialsShown(ctx, who, st)
}

// NoLog says why a log can't be read.
type NoLog struct {
	Code    store.Code
	Note    string // what stands in place of the lines
	Message string // what a program is told, with what to do
	Passing bool   // whether it comes and goes with pods
}

// WhyNoLog explains an error of a log. It reports false for an error of the connection to the cluster.
func WhyNoLog(err error, previous bool) (why NoLog, known bool) {
	refusal, refused := errors.AsType[*provisioner.LogRefusal](err)
	switch {
	case errors.Is(err, provisioner.ErrNoContainer):
		return NoLog{store.NotFound, "Log not found.", "Log not found. The store’s pods list their containers.", true}, true
	case errors.Is(err, provisioner.ErrNotStarted) && previous:
		return NoLog{store.Conflict, "The container has not been restarted.", "The container hasn’t restarted, so there is no previous log. Read the current one.", true}, true
	case errors.Is(err, provisioner.ErrNotStarted):
		return NoLog{store.Conflict, "The log starts when the container starts.", "The container hasn’t started, so it has no log yet. Try again in a moment.", true}, true
	case errors.Is(err, provisioner.ErrNoSecrets):
		const reason = "The store’s credentials are missing from the cluster, so secrets in this log can’t be masked."
		return NoLog{store.Conflict, reason, reason + " Restore them first.", false}, true
	case errors.Is(err, provisioner.ErrLogRefused):
		return NoLog{
			store.Conflict, "Shopwright’s service account can’t read logs: the role shopwright-store lacks “get” on “pods/log”.",
			"Shopwright’s service account can’t read logs: the role shopwright-store lacks get on pods/log. Ask the administrator.", false,
		}, true
	case refused:
		reason := "The node didn’t return this log: " + legible.Plain(refusal.Said)
		return NoLog{store.Conflict, reason, reason, false}, true
	}
	return NoLog{}, false
}
