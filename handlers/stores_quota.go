package handlers

import (
	"context"
	"fmt"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// quota returns the limit that the visitor's next store in the chosen team reaches first. It is empty if
// the visitor may not create one there.
func (a *App) quota(ctx context.Context, who signin.Visitor, chosen string) (views.Quota, error) {
	team, err := a.shops.TeamFor(ctx, who.Actor, chosen)
	if store.ErrorCode(err) == store.Invalid {
		return views.Quota{}, nil
	}
	if err != nil || team == "" {
		return views.Quota{}, err
	}
	all, err := a.DB.Quotas(ctx, who.Actor, team, a.Limits)
	if err != nil {
		return views.Quota{}, err
	}
	q := store.Narrowest(all)
	shown := views.Quota{Of: quotaLabel(q), Used: q.Used, Allowed: q.Allowed}
	if q.Full() {
		shown.Refusal = plain(q.Refusal)
	}
	return shown, nil
}

func quotaLabel(q store.Quota) string {
	switch q.Of {
	case store.QuotaOfOwner:
		return "Stores of " + word(q.Owner)
	case store.QuotaOfTeam:
		return "Stores of this team"
	case store.QuotaOfInstallation:
		return "Stores of this installation"
	default:
		return "Your stores"
	}
}

// pace says how soon the visitor can create another store, if the next store or the one after it exceeds
// the rate. It is empty otherwise.
func (a *App) pace(ctx context.Context, who signin.Visitor) (string, error) {
	p, err := a.DB.Pace(ctx, who.Actor, a.Limits.Creates)
	switch {
	case err != nil || p.Rate.Unlimited():
		return "", err
	case p.Wait > 0:
		return p.Refusal(), nil
	case p.Used > 0 && p.Used+1 >= p.Rate.Times:
		return fmt.Sprintf("You can create %s; you have created %d.", p.Rate.Of("store"), p.Used), nil
	}
	return "", nil
}
