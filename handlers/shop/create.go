package shop

import (
	"context"
	"slices"
	"strings"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
)

// Order asks for a new store.
type Order struct {
	// The cluster and the limits are decided here; with a restore point also the engine, template, country and
	// currency, which may be left out.
	store.NewStore
	Once store.Once // by which an order that is sent twice is recognized; one without a key makes a store each time
	// ChooseTeam says that the team is one that somebody chose from those in which they may create stores. The first
	// of those is taken if none was chosen.
	ChooseTeam bool
}

// Create makes the store that is ordered. It returns the answer of the order's Once, which for an order that was met
// before is that of the first time, also if it could not be met any more.
func (s *Service) Create(ctx context.Context, who store.Actor, o Order) (answer string, err error) {
	keyed := o.Once.Key != ""
	if keyed {
		if answer, err = s.DB.Recall(ctx, who, o.Once); err != nil || answer != "" {
			return answer, err
		}
	}
	wanted, err := s.complete(ctx, who, o)
	if err != nil {
		return "", err
	}
	if keyed {
		return s.DB.CreateStoreOnce(ctx, who, wanted, o.Once)
	}
	st, err := s.DB.CreateStore(ctx, who, wanted)
	if err != nil {
		return "", err
	}
	return o.Once.Answer(st)
}

// complete checks what is ordered against what is offered, and adds what the installation
// decides about a new store.
func (s *Service) complete(ctx context.Context, who store.Actor, o Order) (n store.NewStore, err error) {
	n = o.NewStore
	if o.ChooseTeam {
		if n.TeamID, err = s.TeamFor(ctx, who, n.TeamID); err != nil {
			return n, err
		}
	}
	e, err := s.content(ctx, who, &n)
	if err != nil {
		return n, err
	}
	plan, err := s.DB.TeamPlan(ctx, who, n.TeamID)
	if err != nil {
		return n, err
	}
	if err := s.Placement.Fits(e, plan); err != nil {
		return n, err
	}
	n.Slug, n.Cluster, n.Limits = strings.TrimSpace(n.Slug), s.Placement.Placement(), s.Limits
	return n, nil
}

// content decides what the shop begins with, its template or a restore point, and returns the engine.
func (s *Service) content(ctx context.Context, who store.Actor, n *store.NewStore) (engine.Engine, error) {
	if n.From != "" {
		return s.pointContent(ctx, who, n)
	}
	e, known := s.Engines.Find(n.Engine)
	if !known {
		return nil, &store.Error{Code: store.Invalid, Field: "engine", Message: "Choose an engine."}
	}
	template, err := s.chosenTemplate(n.Engine, n.Template)
	n.Template = template
	return e, err
}

// pointContent is [Service.content] of a store that is opened with a restore point.
func (s *Service) pointContent(ctx context.Context, who store.Actor, n *store.NewStore) (engine.Engine, error) {
	_, from, err := s.DB.PointToRestore(ctx, who, n.From)
	if store.ErrorCode(err) == store.NotFound {
		return nil, store.Invalidf("from", "No such restore point, or you don’t have access to it. It may have expired.")
	}
	if err != nil {
		return nil, err
	}
	for _, c := range []struct{ field, chosen, kept string }{
		{"engine", n.Engine, from.Engine}, {"template", n.Template, from.Template}, {"country", n.Country, from.Country}, {"currency", n.Currency, from.Currency},
	} {
		if c.chosen != "" && c.chosen != c.kept {
			return nil, store.Invalidf(c.field, "The restore point has the %s %s. Leave it empty or enter the same.", c.field, c.kept)
		}
	}
	*n = n.OpenWith(from)
	e, known := s.Engines.Find(n.Engine)
	if !known {
		return nil, store.Invalidf("from", "The restore point is of a store with the engine %s, which is not offered any more.", n.Engine)
	}
	return e, nil
}

// chosenTemplate is the name of what the shop begins with: the engine's usual template when
// none was chosen, and nothing for an engine that has none.
func (s *Service) chosenTemplate(engineName, name string) (string, error) {
	templates, err := s.Engines.Templates(engineName)
	if err != nil {
		return "", err
	}
	if name == "" && len(templates) > 0 {
		return templates[0].Name, nil
	}
	if _, known := engine.FindTemplate(templates, name); !known && name != "" {
		return "", &store.Error{Code: store.Invalid, Field: "template", Message: "Choose a template."}
	}
	return name, nil
}

// TeamFor returns the team in which the actor's new store belongs: the one that was chosen, or else the first in which
// the actor may create stores, the personal one before others. It is empty for an actor who may create none.
func (s *Service) TeamFor(ctx context.Context, who store.Actor, chosen string) (string, error) {
	able := who.Teams(store.CreateStores)
	switch {
	case chosen != "" && !slices.Contains(able, chosen):
		return "", &store.Error{Code: store.Invalid, Field: "team", Message: "Choose a team where you can create stores."}
	case chosen != "":
		return chosen, nil
	case len(able) == 0:
		return "", nil // which the database refuses
	}
	teams, err := s.TeamsFor(ctx, who)
	if err != nil || len(teams) == 0 {
		return able[0], err
	}
	return teams[0].ID, nil
}

// TeamsFor are the teams in which the actor may create stores, the personal one first.
func (s *Service) TeamsFor(ctx context.Context, who store.Actor) ([]store.Team, error) {
	teams, err := s.DB.Teams(ctx, who)
	return slices.DeleteFunc(teams, func(t store.Team) bool { return !who.May(store.CreateStores, t.ID) }), err
}
