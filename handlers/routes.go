package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/static"
	"shopwright.dev/shopwright/store"
)

// route is a path, what it requires of the visitor, and its handler.
type route struct {
	line  string // method and path
	need  need
	serve echo.HandlerFunc
}

// need is what a route requires of a visitor. The router enforces all of it except an action in a team:
// only the handler knows the team, and the store refuses what the actor may not do there.
type need struct {
	Session      bool         // signed in
	Recent       bool         // within [recentSignIn]
	Action       store.Action // that the visitor may do; empty if a session is enough
	Installation bool         // the action is on the installation; others get "Not found"
}

func anyone() need                    { return need{} }
func session() need                   { return need{Session: true} }
func recentSession() need             { return need{Session: true, Recent: true} }
func inTeam(action store.Action) need { return need{Session: true, Action: action} }
func onInstallation(action store.Action) need {
	return need{Session: true, Action: action, Installation: true}
}

// routes is the table of all pages and forms. The API has its own: see [api.API].
func (a *App) routes() []route {
	return slices.Concat(a.publicRoutes(), a.storeRoutes(), a.teamRoutes(), a.accountRoutes(), a.administrationRoutes())
}

func (a *App) publicRoutes() []route {
	return []route{
		{"GET /healthz", anyone(), a.healthz},
		{"GET /readyz", anyone(), a.readyz},
		{"GET " + staticPath, anyone(), echo.WrapHandler(static.Handler())},
		{"GET /", anyone(), redirectTo("/stores")},
		{"GET /sign-in", anyone(), a.entrance.ShowPage},
		{"POST /sign-in/dev", anyone(), a.entrance.SignInAsDeveloper},
		{"GET /sign-in/with/:provider", anyone(), a.entrance.Begin},
		{"GET /sign-in/with/:provider/callback", anyone(), a.entrance.Finish},
		{"GET " + signin.LoginLinkPath, anyone(), a.entrance.OpenLoginLink},
		{"POST " + signin.LoginLinkPath, anyone(), a.entrance.SignInByLink},
		{"POST /sign-out", anyone(), a.entrance.SignOut},
	}
}

func (a *App) storeRoutes() []route {
	return []route{
		{"GET /stores", session(), a.listStores},
		{"GET /stores/new", session(), a.newStore},
		{"GET /stores/slug", session(), a.checkAddress},
		{"POST /stores", session(), a.createStore},
		{"GET /stores/:id", inTeam(store.ViewStores), a.showOverview},
		{"GET /stores/:id/pods", inTeam(store.ViewStores), a.showPods},
		{"GET /stores/:id/events", inTeam(store.ViewStores), a.showEvents},
		{"GET /stores/:id/logs", inTeam(store.ViewStores), a.showLogs},
		{"GET " + logStreamPath, inTeam(store.ViewStores), a.streamLog},
		{"GET " + logDownloadPath, inTeam(store.ViewStores), a.downloadLog},
		{"GET /stores/:id/releases", inTeam(store.ViewStores), a.showReleases},
		{"GET /stores/:id/releases/upgrade", inTeam(store.UpgradeStores), a.previewUpgrade},
		{"POST /stores/:id/releases/upgrade", inTeam(store.UpgradeStores), a.upgrade},
		{"GET /stores/:id/releases/:revision", inTeam(store.ViewStores), a.showRevision},
		{"GET /stores/:id/releases/:revision/rollback", inTeam(store.UpgradeStores), a.previewRollback},
		{"POST /stores/:id/releases/:revision/rollback", inTeam(store.UpgradeStores), a.rollback},
		{"GET /stores/:id/backups", inTeam(store.ViewStores), a.showBackups},
		{"POST /stores/:id/backups", inTeam(store.BackUpStores), a.backUp},
		{"POST /stores/:id/drills", inTeam(store.BackUpStores), a.startDrill},
		{"GET /stores/:id/settings", inTeam(store.ViewStores), a.showSettings},
		{"POST /stores/:id/retry", inTeam(store.RetryStores), a.asking(a.DB.Retry)},
		{"POST /stores/:id/rebuild", inTeam(store.RetryStores), a.rebuild},
		{"POST /stores/:id/cancel", inTeam(store.UpgradeStores), a.asking(a.DB.Cancel)},
		{"POST /stores/:id/repair", inTeam(store.RetryStores), a.asking(a.DB.Repair)},
		{"POST /stores/:id/check", inTeam(store.RetryStores), a.asking(a.DB.CheckNow)},
		{"POST /stores/:id/owner", inTeam(store.UpgradeStores), a.changeOwner},
		{"POST /stores/:id/credentials", inTeam(store.ViewCredentials), a.showCredentials},
		{"GET /stores/:id/delete", inTeam(store.DeleteStores), a.askDelete},
		{"POST /stores/:id/delete", inTeam(store.DeleteStores), a.deleteStore},
		{"GET /backups", session(), a.listDeleted},
		{"GET /backups/:id", inTeam(store.BackUpStores), a.showDeleted},
		{"GET /activity", session(), a.showActivity},
		{"GET /events", session(), a.stream},
	}
}

func (a *App) teamRoutes() []route {
	return []route{
		{"GET /teams", session(), a.listTeams},
		{"POST /teams", session(), a.createTeam},
		{"GET /teams/new", session(), a.newTeam},
		{"GET /teams/:team", inTeam(store.ViewMembers), a.showTeam},
		{"POST /teams/:team/name", inTeam(store.RenameTeam), a.renameTeam},
		{"POST /teams/:team/leave", inTeam(store.ViewMembers), a.leaveTeam},
		{"POST /teams/:team/delete", inTeam(store.ManageOwners), a.deleteTeam},
		{"POST /teams/:team/members/:user", inTeam(store.ManageMembers), a.changeRole},
		{"POST /teams/:team/members/:user/remove", inTeam(store.ManageMembers), a.removeMember},
		{"POST /teams/:team/invitations", inTeam(store.ManageMembers), a.invite},
		{"POST /teams/:team/invitations/:invitation/renew", inTeam(store.ManageMembers), a.renewInvitation},
		{"POST /teams/:team/invitations/:invitation/revoke", inTeam(store.ManageMembers), a.revokeInvitation},
		{"GET " + invitationPath, session(), a.showInvitation},
		{"POST " + invitationPath, session(), a.acceptInvitation},
		{"GET /audit", session(), a.showAudit},
		{"GET " + auditCSVPath, session(), a.downloadAuditCSV},
		{"GET " + auditJSONPath, session(), a.downloadAuditJSON},
	}
}

func (a *App) accountRoutes() []route {
	return []route{
		{"GET /account", session(), a.showAccount},
		{"GET " + signin.MethodsPath + "/:provider", recentSession(), a.entrance.AddMethod},
		{"POST " + signin.MethodsPath + "/remove", recentSession(), a.entrance.RemoveMethod},
		{"POST /account/sessions/end", recentSession(), a.endSession},
		{"POST /account/sessions/end-others", recentSession(), a.endOtherSessions},
		{"GET /account/tokens", session(), a.showTokens},
		{"POST /account/tokens", session(), a.makeToken},
		{"POST /account/tokens/:token/revoke", session(), a.revokeToken},
		{"GET /api", session(), a.showReference},
	}
}

func (a *App) administrationRoutes() []route {
	return []route{
		{"GET /admin", onInstallation(store.ViewInstallation), redirectTo("/admin/users")},
		{"GET /admin/users", onInstallation(store.ManageUsers), a.listUsers},
		{"POST /admin/users/:user/disable", onInstallation(store.ManageUsers), a.disableUser},
		{"POST /admin/users/:user/enable", onInstallation(store.ManageUsers), a.changingUser(a.enableUser)},
		{"POST /admin/users/:user/end-sessions", onInstallation(store.ManageUsers), a.changingUser(a.DB.EndSessionsOf)},
		{"POST /admin/users/:user/make-admin", onInstallation(store.ManageUsers), a.changingUser(a.DB.MakeAdmin)},
		{"POST /admin/users/:user/unmake-admin", onInstallation(store.ManageUsers), a.changingUser(a.revokeAdmin)},
		{"GET /admin/teams", onInstallation(store.ViewInstallation), a.listAllTeams},
		{"POST /admin/teams/:team/plan", onInstallation(store.ManagePlans), a.setTeamPlan},
		{"POST /admin/teams/:team/owner", onInstallation(store.ManageUsers), a.appointOwner},
		{"GET /admin/plans", onInstallation(store.ManagePlans), a.listPlans},
		{"GET /admin/plans/new", onInstallation(store.ManagePlans), a.newPlan},
		{"POST /admin/plans", onInstallation(store.ManagePlans), a.addPlan},
		{"GET /admin/plans/:name", onInstallation(store.ManagePlans), a.editPlan},
		{"POST /admin/plans/:name", onInstallation(store.ManagePlans), a.savePlan},
		{"GET " + backupsPath, onInstallation(store.ManageTargets), a.showAllBackups},
		{"GET /admin/targets", onInstallation(store.ManageTargets), a.listTargets},
		{"GET /admin/targets/new", onInstallation(store.ManageTargets), a.newTarget},
		{"POST /admin/targets", onInstallation(store.ManageTargets), a.addTarget},
		{"GET /admin/targets/:target", onInstallation(store.ManageTargets), a.editTarget},
		{"POST /admin/targets/:target", onInstallation(store.ManageTargets), a.saveTarget},
		{"POST " + recoveryPath, onInstallation(store.ManageTargets), a.makeRecoveryKey},
		{"POST /admin/targets/:target/test", onInstallation(store.ManageTargets), a.testTarget},
		{"POST /admin/targets/:target/delete", onInstallation(store.ManageTargets), a.deleteTarget},
		{"GET /admin/clusters", onInstallation(store.ViewInstallation), a.listClusters},
		{"GET /admin/clusters/:cluster/recovery", onInstallation(store.ManageClusters), a.showReplacement},
		{"POST /admin/clusters/:cluster/recovery", onInstallation(store.ManageClusters), a.replaceCluster},
		{"GET /admin/queue", onInstallation(store.ViewInstallation), a.showQueue},
		{"GET /admin/versions", onInstallation(store.ViewInstallation), a.showVersions},
	}
}

// mount adds the routes, each behind its requirements.
func (a *App) mount(e *echo.Echo) {
	for _, r := range a.routes() {
		method, path, _ := strings.Cut(r.line, " ")
		e.Add(method, path, a.guard(r.need, r.serve))
	}
}

func (a *App) guard(n need, serve echo.HandlerFunc) echo.HandlerFunc {
	switch {
	case n.Installation:
		return a.entrance.SignedIn(onlyIfAllowed(n.Action, serve))
	case n.Recent:
		return a.entrance.RecentlySignedIn(serve)
	case n.Session:
		return a.entrance.SignedIn(serve)
	}
	return serve
}

func onlyIfAllowed(action store.Action, serve echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !signin.VisitorOf(c).Actor.May(action, store.Installation) {
			return echo.ErrNotFound
		}
		return serve(c)
	}
}

func redirectTo(path string) echo.HandlerFunc {
	return func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, path) }
}
