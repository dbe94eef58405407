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
	store.NewStore            // of which the cluster and the limits are decided here
	Once           store.Once // by which an order that is sent twice is recognized; one without a key makes a store each time
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
	e, known := s.Engines.Find(n.Engine)
	if !known {
		return n, &store.Error{Code: store.Invalid, Field: "engine", Message: "Choose an engine."}
	}
	plan, err := s.DB.TeamPlan(ctx, who, n.TeamID)
	if err != nil {
		return n, err
	}
	if err := s.Placement.Fits(e, plan); err != nil {
		return n, err
	}
	template, err := s.chosenTemplate(n.Engine, n.Template)
	n.Template, n.Slug = template, strings.TrimSpace(n.Slug)
	n.Cluster, n.Limits = s.Placement.Placement(), s.Limits
	return n, err
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
