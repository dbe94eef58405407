package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// adminQuery returns the page and search of a list, from the URL or a form.
func adminQuery(c echo.Context) paging.Query { return paging.Parse(c.FormValue) }

// listAddress returns the URL of a page of a list.
func listAddress(path string, q paging.Query) string {
	v := url.Values{}
	if q.AddTo(v); len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// adminList returns what surrounds the rows of a list: search, counts and links to other pages.
func adminList(path string, q paging.Query, shown, total int) views.AdminList {
	at := q.Place(shown, total)
	l := views.AdminList{Search: q.Search, Page: q.Page, From: at.From, To: at.To, Total: total}
	if at.Previous > 0 {
		l.Previous = listAddress(path, q.At(at.Previous))
	}
	if at.Next > 0 {
		l.Next = listAddress(path, q.At(at.Next))
	}
	return l
}

func (a *App) adminShell(c echo.Context, title string, problem *store.Error) (views.Shell, error) {
	shell, err := a.shell(c.Request().Context(), signin.VisitorOf(c), title+" · Administration", views.PlaceAdmin)
	if problem != nil {
		shell.Notices = []views.Notice{{Kind: views.ToneBad, Message: plain(problem.Message)}}
	}
	return shell, err
}

// statusFor returns the status code of a page that may show a refusal.
func statusFor(problem *store.Error) int {
	if problem == nil {
		return http.StatusOK
	}
	return api.StatusOf(problem.Code)
}

const usersPath = "/admin/users"

func (a *App) listUsers(c echo.Context) error {
	disabled := a.flashOf(c).Disabled
	if disabled == "" {
		return a.usersPage(c, nil)
	}
	notices, err := a.ownerless(c, disabled)
	if err != nil {
		return err
	}
	return a.usersPage(c, nil, notices...)
}

// usersPage shows the list of users, with a refusal, if there was one, and other notices.
func (a *App) usersPage(c echo.Context, problem *store.Error, notices ...views.Notice) error {
	who := signin.VisitorOf(c)
	users, total, query, err := paging.Read(adminQuery(c), func(p store.Page) ([]store.Account, int, error) {
		return a.DB.Users(c.Request().Context(), who.Actor, p)
	})
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Users", problem)
	if err != nil {
		return err
	}
	shell.Notices = append(shell.Notices, notices...)
	page := views.AdminUsersPage{Shell: shell, List: adminList(usersPath, query, len(users), total)}
	for _, u := range users {
		page.Users = append(page.Users, views.AdminUserRow{
			ID: u.ID, Name: word(u.Name), Email: word(u.Email), Providers: word(strings.Join(u.Providers, ", ")), Teams: u.Teams, Stores: u.Stores,
			SeenAt: u.LastSeenAt, Admin: u.Admin, Disabled: u.Disabled, You: u.ID == who.User.ID,
		})
	}
	return reply.Render(c, statusFor(problem), views.AdminUsers(page))
}

// changingUser returns a handler that changes the user in the path and returns to the list.
func (a *App) changingUser(change func(ctx context.Context, actor store.Actor, userID string) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		return a.backToUsers(c, change(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("user")))
	}
}

func (a *App) enableUser(ctx context.Context, actor store.Actor, userID string) error {
	return a.DB.SetDisabled(ctx, actor, userID, false)
}

func (a *App) revokeAdmin(ctx context.Context, actor store.Actor, userID string) error {
	return a.DB.RevokeAdmin(ctx, actor, userID, a.Admission)
}

// backToUsers returns to the list after a change, or shows on it why the change was refused.
func (a *App) backToUsers(c echo.Context, err error) error {
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Code == store.Conflict {
		return a.usersPage(c, refused)
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, listAddress(usersPath, adminQuery(c)))
}

// disableUser disables a user. The list then names the teams that have no owner left.
func (a *App) disableUser(c echo.Context) error {
	user := c.Param("user")
	if err := a.DB.SetDisabled(c.Request().Context(), signin.VisitorOf(c).Actor, user, true); err != nil {
		return a.backToUsers(c, err)
	}
	return a.goToOnce(c, listAddress(usersPath, adminQuery(c)), flash{Disabled: user})
}

// ownerless returns a notice that names the teams which have no owner left because that user is disabled.
func (a *App) ownerless(c echo.Context, userID string) ([]views.Notice, error) {
	teams, err := a.DB.OwnerlessTeams(c.Request().Context(), signin.VisitorOf(c).Actor, userID)
	if err != nil || len(teams) == 0 {
		return nil, err
	}
	for i, name := range teams {
		teams[i] = "“" + word(name) + "”"
	}
	return []views.Notice{{Kind: views.ToneWarn, Message: plain(
		"The user is disabled. These teams have no owner who can sign in: " + strings.Join(teams, ", ") + ". Make someone else the owner under Teams.")}}, nil
}

const teamsPath = "/admin/teams"

func (a *App) listAllTeams(c echo.Context) error { return a.teamsPage(c, nil) }

func (a *App) teamsPage(c echo.Context, problem *store.Error) error {
	ctx := c.Request().Context()
	teams, total, query, err := paging.Read(adminQuery(c), func(p store.Page) ([]store.TeamAccount, int, error) {
		return a.DB.AllTeams(ctx, signin.VisitorOf(c).Actor, p)
	})
	if err != nil {
		return err
	}
	plans, err := a.DB.Plans(ctx, signin.VisitorOf(c).Actor)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Teams", problem)
	if err != nil {
		return err
	}
	page := views.AdminTeamsPage{Shell: shell, List: adminList(teamsPath, query, len(teams), total)}
	for _, t := range teams {
		row := views.AdminTeamRow{
			ID: t.ID, Name: word(t.Name), Owners: word(strings.Join(t.Owners, ", ")), Personal: t.Personal, Members: t.Members, Stores: t.Stores, Given: t.Chosen,
		}
		for _, heir := range t.Heirs {
			row.Heirs = append(row.Heirs, views.Choice{Value: heir.UserID, Label: word(heir.Name) + ", " + string(heir.Role)})
		}
		for _, p := range plans {
			row.Plans = append(row.Plans, views.Choice{Value: p.Name, Label: word(p.Label), Selected: p.Name == t.Plan})
		}
		page.Teams = append(page.Teams, row)
	}
	return reply.Render(c, statusFor(problem), views.AdminTeams(page))
}

func (a *App) setTeamPlan(c echo.Context) error {
	err := a.DB.SetTeamPlan(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("team"), c.FormValue("plan"))
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Code == store.Invalid {
		return a.teamsPage(c, refused)
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, listAddress(teamsPath, adminQuery(c)))
}

// appointOwner gives a new owner to a team whose owners cannot sign in.
func (a *App) appointOwner(c echo.Context) error {
	err := a.DB.AppointOwner(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("team"), c.FormValue("user"))
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Code == store.Conflict {
		return a.teamsPage(c, refused)
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, listAddress(teamsPath, adminQuery(c)))
}

func (a *App) listClusters(c echo.Context) error {
	clusters, err := a.DB.Clusters(c.Request().Context(), signin.VisitorOf(c).Actor)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Clusters", nil)
	if err != nil {
		return err
	}
	page := views.AdminClustersPage{Shell: shell}
	for _, cluster := range clusters {
		page.Clusters = append(page.Clusters, a.clusterCard(c.Request().Context(), cluster))
	}
	strays, err := a.Provisioner.Strays(c.Request().Context())
	if err != nil {
		return err
	}
	for _, ns := range strays {
		page.Strays = append(page.Strays, views.Stray{
			Namespace: ns.Name, Slug: strings.TrimPrefix(ns.Name, store.Namespace("")), StoreID: word(ns.StoreID),
			Label: provisioner.StoreLabel, CreatedAt: ns.CreatedAt,
		})
	}
	return reply.Render(c, http.StatusOK, views.AdminClusters(page))
}

func (a *App) showVersions(c echo.Context) error {
	versions, err := a.DB.Versions(c.Request().Context(), signin.VisitorOf(c).Actor)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Versions", nil)
	if err != nil {
		return err
	}
	charts, err := a.chartRows(versions.Charts)
	if err != nil {
		return err
	}
	page := views.AdminVersionsPage{Shell: shell, Charts: charts, Facts: []views.Fact{
		{Name: store.Platform, Value: a.Version},
		{Name: "Kubernetes", Value: orUnknown(a.Provisioner.Cluster().Version)},
		{Name: "Database", Value: versions.Database + ", schema " + strconv.FormatInt(versions.Schema, 10)},
	}}
	return reply.Render(c, http.StatusOK, views.AdminVersions(page))
}

// chartRows returns the chart versions that stores run, and those offered to new stores.
func (a *App) chartRows(used []store.ChartUse) ([]views.AdminChartRow, error) {
	var rows []views.AdminChartRow
	for _, e := range a.Engines.All() {
		offer, err := a.Provisioner.Offer(store.Store{Engine: e.Name()})
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(used, func(u store.ChartUse) bool { return u.Engine == e.Name() && u.Version == offer.ChartVersion }) {
			rows = append(rows, views.AdminChartRow{Engine: e.Label(), Version: offer.ChartVersion, Offered: true})
		}
		for _, u := range used {
			if u.Engine == e.Name() {
				rows = append(rows, chartRow(e.Label(), u, offer.ChartVersion))
			}
		}
	}
	for _, u := range used {
		if _, known := a.Engines.Find(u.Engine); !known {
			rows = append(rows, chartRow(word(u.Engine), u, ""))
		}
	}
	return rows, nil
}

func chartRow(engine string, u store.ChartUse, offered string) views.AdminChartRow {
	row := views.AdminChartRow{Engine: engine, Version: word(u.Version), Stores: u.Stores, Offered: u.Version == offered}
	if u.Version == "" {
		row.Version, row.Offered = "Not deployed yet", false
	}
	return row
}

func orUnknown(version string) string {
	if version == "" {
		return "Unknown"
	}
	return word(version)
}

// clusterCard shows what the database knows of a cluster. For the connected cluster it adds the state of
// the connection and the capacity.
func (a *App) clusterCard(ctx context.Context, cluster store.ClusterAccount) views.AdminClusterCard {
	card := views.AdminClusterCard{Cluster: views.Cluster{Name: word(cluster.Name)}, Facts: []views.Fact{
		{Name: "Kubernetes", Value: orUnknown(cluster.Version)},
		{Name: "Stores", Value: placed(cluster)},
		{Name: "Reserved by plans", Value: reserved(cluster.Promised)},
		{Name: "Domain", Value: cluster.BaseDomain},
		{Name: "Ingress class", Value: orDefault(cluster.IngressClass)},
		{Name: "Storage class", Value: orDefault(cluster.StorageClass)},
		{Name: "UID", Value: orUnknown(cluster.UID), Code: cluster.UID != ""},
	}}
	if a.replaceable(cluster.Cluster) || !cluster.ReplacedAt.IsZero() {
		card.Recovery = replacementPath(cluster.ID)
	}
	if cluster.Simulated {
		card.Facts = append(card.Facts, views.Fact{Name: "Nodes", Value: "Simulated: no containers run"})
	}
	if state := a.Provisioner.Cluster(); state.Name == cluster.Name {
		card.Cluster = clusterView(state)
		link := views.Fact{Name: "Connection", Value: linkInWords(state.Link)}
		if state.Problem != "" {
			link.Value += ": " + plain(state.Problem)
		}
		card.Facts = append(card.Facts, link)
		capacity := capacityView(a.Provisioner.Capacity(ctx, a.ClusterTimeout))
		card.Capacity = &capacity
	}
	return card
}

// placed says how many stores are in the cluster, and how many of them are in trouble.
func placed(c store.ClusterAccount) string {
	text := strconv.Itoa(c.Stores)
	if c.Troubled > 0 {
		text += ", " + strconv.Itoa(c.Troubled) + " failed or not selling"
	}
	return text
}

// reserved says what the plans of all stores reserve together.
func reserved(t store.Take) string {
	if t == (store.Take{}) {
		return "Nothing yet"
	}
	return decimal(t.CPU, 1000) + " CPU, " + decimal(t.Memory, 1024) + " GiB memory, " + decimal(t.Disk, 1024) + " GiB disk, " + strconv.Itoa(t.Pods) + " pods"
}

func linkInWords(l provisioner.Link) string {
	switch l {
	case provisioner.Starting:
		return "Starting"
	case provisioner.Connecting:
		return "Connecting"
	case provisioner.Connected:
		return "Connected"
	case provisioner.Unreachable:
		return "Unreachable"
	case provisioner.Foreign:
		return "Wrong cluster"
	default:
		return "Not configured"
	}
}

func orDefault(class string) string {
	if class == "" {
		return "Cluster default"
	}
	return class
}
