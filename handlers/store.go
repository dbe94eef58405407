package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// find returns the store in the path, if the visitor may see it.
func (a *App) find(c echo.Context) (store.Store, error) {
	return a.DB.FindStore(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("id"))
}

// findTo returns the store in the path, if the visitor may do that to it.
func (a *App) findTo(c echo.Context, action store.Action) (store.Store, error) {
	return a.DB.FindStoreTo(c.Request().Context(), signin.VisitorOf(c).Actor, action, c.Param("id"))
}

func (a *App) showOverview(c echo.Context) error { return a.showStore(c, views.TabOverview) }
func (a *App) showPods(c echo.Context) error     { return a.showStore(c, views.TabPods) }
func (a *App) showEvents(c echo.Context) error   { return a.showStore(c, views.TabEvents) }
func (a *App) showLogs(c echo.Context) error     { return a.showStore(c, views.TabLogs) }
func (a *App) showSettings(c echo.Context) error { return a.showStore(c, views.TabSettings) }

// showStore renders a tab of a store's page. The overview includes the credentials right after they were
// requested.
func (a *App) showStore(c echo.Context, tab views.Tab) error {
	who := signin.VisitorOf(c)
	st, err := a.find(c)
	if err != nil {
		return err
	}
	page, err := a.storePage(c, st, tab)
	if err != nil {
		return err
	}
	if page.Overview != nil {
		if login := a.flashOf(c).Login; login != nil && who.Actor.May(store.ViewCredentials, st.TeamID) {
			page.Overview.Credentials = *login
		}
	}
	return reply.Render(c, http.StatusOK, views.Store(page))
}

func (a *App) storePage(c echo.Context, st store.Store, name views.Tab) (views.StorePage, error) {
	who := signin.VisitorOf(c)
	tab, known := findTab(name)
	if !known {
		return views.StorePage{}, echo.ErrNotFound
	}
	shell, err := a.storeShell(c.Request().Context(), who, st, st.Name)
	if err != nil {
		return views.StorePage{}, err
	}
	page := views.StorePage{Shell: shell, Head: a.head(who, st), Tabs: a.tabBar(st, name)}
	asked := tabRequest{who: who, st: st, log: parseLogQuery(c.QueryParams())}
	if err := tab.fill(a, c.Request().Context(), asked, &page); err != nil {
		return page, err
	}
	address := url.Values{"view": {"store"}, "id": {st.ID}, "tab": {string(tab.name)}}
	if page.Logs != nil {
		chosenLog(*page.Logs).addTo(address)
	}
	page.Shell.Stream = streamAddress(address, who.Since)
	return page, nil
}

// request starts work on a store.
type request func(ctx context.Context, who store.Actor, id string) (store.Store, error)

// asking returns the handler of a button that starts work on a store. It redirects to the store's page.
func (a *App) asking(ask request) echo.HandlerFunc {
	return func(c echo.Context) error {
		st, err := ask(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("id"))
		if err != nil {
			return err
		}
		return reply.GoTo(c, "/stores/"+st.ID)
	}
}

// rebuild opens a shop anew that has lost its data, with a restore point of it or empty.
func (a *App) rebuild(c echo.Context) error {
	return a.asking(func(ctx context.Context, who store.Actor, id string) (store.Store, error) {
		return a.DB.Rebuild(ctx, who, id, c.FormValue("point"))
	})(c)
}

// showCredentials shows the login, or why it can't be read.
func (a *App) showCredentials(c echo.Context) error {
	who := signin.VisitorOf(c)
	st, err := a.find(c)
	if err != nil {
		return err
	}
	shown := a.credentials(who, st)
	login, err := a.shops.Credentials(c.Request().Context(), who.Actor, st)
	switch refused, _ := errors.AsType[*store.Error](err); {
	case refused != nil && refused.Code == store.NotFound:
		shown.Problem = refused.Message
	case errors.Is(err, provisioner.ErrUnreachable):
		shown.Problem = "The cluster is unreachable, and the login is stored only there. Try again in a moment."
	case err != nil:
		return err
	default:
		shown.Shown, shown.Username, shown.Password, shown.AdminURL = true, login.Username, login.Password, login.URL
	}
	if reply.FromHTMX(c) {
		return reply.Render(c, http.StatusOK, views.CredentialsPanel(shown))
	}
	return a.goToOnce(c, "/stores/"+url.PathEscape(st.ID), flash{Login: &shown})
}

func (a *App) askDelete(c echo.Context) error {
	st, err := a.findTo(c, store.DeleteStores)
	if err != nil {
		return err
	}
	form, err := a.deleteForm(c.Request().Context(), signin.VisitorOf(c), st)
	if err != nil {
		return err
	}
	return a.deletePage(c, http.StatusOK, st, form)
}

func (a *App) deletePage(c echo.Context, status int, st store.Store, form views.DeleteForm) error {
	shell, err := a.storeShell(c.Request().Context(), signin.VisitorOf(c), st, "Delete "+st.Name)
	if err != nil {
		return err
	}
	return reply.Render(c, status, views.DeleteStore(views.DeletePage{Shell: shell, Head: a.head(signin.VisitorOf(c), st), Form: form}))
}

func (a *App) deleteStore(c echo.Context) error {
	st, err := a.findTo(c, store.DeleteStores)
	if err != nil {
		return err
	}
	typed := c.FormValue("confirm")
	if name, _ := store.CleanName(typed); name != st.Name { // a copied name may have a space at its end
		form, err := a.deleteForm(c.Request().Context(), signin.VisitorOf(c), st)
		if err != nil {
			return err
		}
		form.Backup = c.FormValue("backup") == "on"
		form.Typed, form.Error = typed, "The name doesn’t match. Type it exactly as shown above."
		if reply.FromHTMX(c) {
			return reply.Render(c, http.StatusUnprocessableEntity, views.DeleteDialogForm(form))
		}
		return a.deletePage(c, http.StatusUnprocessableEntity, st, form)
	}
	if _, err := a.DB.RequestDelete(c.Request().Context(), signin.VisitorOf(c).Actor, st.ID, store.DeleteRequest{Backup: c.FormValue("backup") == "on"}); err != nil {
		return err
	}
	return reply.GoTo(c, "/stores/"+st.ID)
}
