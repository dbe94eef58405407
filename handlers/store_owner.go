package handlers

import (
	"errors"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// ownerForm returns the form for the address of the store's owner.
func (a *App) ownerForm(who signin.Visitor, st store.Store) views.OwnerForm {
	use := a.clusters.Of(st).OwnerUse(st)
	form := views.OwnerForm{StoreID: st.ID, Email: word(st.OwnerEmail), Text: use.Text, Can: who.Actor.May(store.UpgradeStores, st.TeamID)}
	switch {
	case !st.CanChangeOwner():
		form.Hint = "Can be changed while the store is ready."
	case use.InShop:
		form.Hint = "The release is applied again with the new address. If the order check fails, the change is rolled back."
	}
	return form
}

// changeOwner changes the owner's address. It redirects to the work that this starts, or to the settings
// if there is none.
func (a *App) changeOwner(c echo.Context) error {
	st, err := a.findTo(c, store.UpgradeStores)
	if err != nil {
		return err
	}
	use, typed := a.clusters.Of(st).OwnerUse(st), c.FormValue("owner_email")
	changed, err := a.DB.ChangeOwner(c.Request().Context(), signin.VisitorOf(c).Actor, st.ID, store.OwnerRequest{Email: typed, InShop: use.InShop})
	if refused, ok := errors.AsType[*store.Error](err); ok {
		return a.ownerAgain(c, st, typed, refused)
	}
	if err != nil {
		return err
	}
	if changed.Status == store.Upgrading {
		return reply.GoTo(c, "/stores/"+st.ID)
	}
	return reply.GoTo(c, "/stores/"+st.ID+"/settings")
}

// ownerAgain shows the form as typed, with the error.
func (a *App) ownerAgain(c echo.Context, st store.Store, typed string, refused *store.Error) error {
	page, err := a.storePage(c, st, views.TabSettings)
	if err != nil {
		return err
	}
	page.Settings.Owner.Email, page.Settings.Owner.Error = typed, refused.Message
	return reply.Render(c, api.StatusOf(refused.Code), views.Store(page))
}
