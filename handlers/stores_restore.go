package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

// newFromPoint shows the form for a new store that is opened with a restore point.
func (a *App) newFromPoint(c echo.Context, point string) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	_, from, err := a.DB.PointToRestore(ctx, who.Actor, point)
	if err != nil {
		return err
	}
	r := createRequest{From: point, Name: from.Name, Team: c.QueryParam("team")}
	if r.Team == "" && who.Actor.May(store.CreateStores, from.TeamID) {
		r.Team = from.TeamID
	}
	if from.OwnerEmail != "" {
		r.OwnerEmail = &from.OwnerEmail
	}
	form, err := a.form(ctx, who, r)
	if err != nil {
		return err
	}
	if form.Address, err = a.address(ctx, who.Actor, r); err != nil {
		return err
	}
	return a.createPage(c, http.StatusOK, form)
}

// fillPoint sets the restore point that the store is opened with, and why it can't be, if so.
func (a *App) fillPoint(ctx context.Context, who signin.Visitor, id string, form *views.CreateForm) error {
	p, from, err := a.DB.PointToRestore(ctx, who.Actor, id)
	if err != nil {
		return err
	}
	if refused, ok := errors.AsType[*store.Error](p.Restorable(a.Provisioner.Cluster().Simulated)); ok {
		form.Problem = refused.Message
	}
	engine, _ := a.engineLabel(from.Engine)
	size := phrase.Bytes(p.Manifest.Bytes())
	if p.Manifest.Simulated {
		size = "Simulated: nothing was written"
	}
	form.Restore = &views.RestoreFrom{Point: p.ID, Deleted: !from.Living(), Facts: []views.Fact{
		{Name: "Store", Value: word(from.Name), URL: storeAddress(from)}, {Name: "Made", At: p.EndedAt}, {Name: "Size", Value: size},
	}}
	if contents := phrase.Contents(p.Manifest.Contents); contents != "" {
		form.Restore.Facts = append(form.Restore.Facts, views.Fact{Name: "Contents", Value: contents})
	}
	if p.Note != "" {
		form.Restore.Facts = append(form.Restore.Facts, views.Fact{Name: "Note", Value: word(p.Note)})
	}
	form.Restore.Facts = append(form.Restore.Facts, views.Fact{Name: "Engine", Value: engine})
	if template := a.templateLabel(from); template != "" {
		form.Restore.Facts = append(form.Restore.Facts, views.Fact{Name: "Template", Value: template})
	}
	form.Restore.Facts = append(form.Restore.Facts, views.Fact{Name: "Country", Value: countryLabel(from)})
	return nil
}

// storeAddress is the page of a store, or of the restore points of a deleted one.
func storeAddress(st store.Store) string {
	if st.Living() {
		return "/stores/" + url.PathEscape(st.ID)
	}
	return "/backups/" + url.PathEscape(st.ID)
}

// restoreAddress is the form that restores a point as a new store; empty if the visitor may not.
func restoreAddress(who signin.Visitor, st store.Store, p store.RestorePoint) string {
	if !who.Actor.May(store.BackUpStores, st.TeamID) || len(who.Actor.Teams(store.CreateStores)) == 0 {
		return ""
	}
	return "/stores/new?from=" + url.QueryEscape(p.ID)
}

// originFacts say with which restore point the store was opened. They link to the store that it was made of, if the
// visitor may see that one.
func (a *App) originFacts(ctx context.Context, who signin.Visitor, st store.Store) ([]views.Fact, error) {
	if st.Origin.Point == "" {
		return nil, nil
	}
	from := views.Fact{Name: "Restored from", Value: word(st.Origin.Name)}
	switch _, err := a.DB.FindStore(ctx, who.Actor, st.Origin.StoreID); {
	case err == nil:
		from.URL = "/stores/" + url.PathEscape(st.Origin.StoreID)
	case store.ErrorCode(err) != store.NotFound:
		return nil, err
	}
	return []views.Fact{from, {Name: "Restore point", At: st.Origin.MadeAt}}, nil
}

// listDeleted shows the deleted stores that the visitor may restore.
func (a *App) listDeleted(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	stores, err := a.DB.DeletedStores(ctx, who.Actor)
	if err != nil {
		return err
	}
	teams, err := a.teamsShown(ctx, who)
	if err != nil {
		return err
	}
	shell, err := a.shell(ctx, who, "Restore points of deleted stores", views.PlaceStores)
	if err != nil {
		return err
	}
	page := views.DeletedStoresPage{Shell: shell}
	for _, st := range stores {
		shown := a.deletedView(st)
		shown.Team = word(teams[st.TeamID])
		page.Stores = append(page.Stores, shown)
	}
	return reply.Render(c, http.StatusOK, views.DeletedStores(page))
}

func (a *App) deletedView(st store.Store) views.DeletedStore {
	engine, _ := a.engineLabel(st.Engine)
	return views.DeletedStore{ID: st.ID, Name: word(st.Name), Host: st.Host, Engine: engine, At: st.DeletedAt}
}

// showDeleted shows the restore points of a deleted store.
func (a *App) showDeleted(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	st, points, err := a.DB.DeletedStore(ctx, who.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	shell, err := a.shell(ctx, who, "Restore points of "+st.Name, views.PlaceStores)
	if err != nil {
		return err
	}
	page := views.DeletedStorePage{Shell: shell, Store: a.deletedView(st)}
	for i, p := range points {
		page.Rows = append(page.Rows, pointRow(who, st, p, earlier(points, i)))
	}
	return reply.Render(c, http.StatusOK, views.DeletedStorePoints(page))
}

// pointsLeft is the page with the restore points of a store that was just deleted; empty if there are none that the
// visitor may restore.
func (a *App) pointsLeft(ctx context.Context, who signin.Visitor, id string) (string, error) {
	st, points, err := a.DB.DeletedStore(ctx, who.Actor, id)
	if store.ErrorCode(err) == store.NotFound || err == nil && len(points) == 0 {
		return "", nil
	}
	return storeAddress(st), err
}
