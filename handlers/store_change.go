package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// changePage shows a change, before it is made or afterwards.
func (a *App) changePage(c echo.Context, status int, st store.Store, form views.ChangeForm) error {
	shell, err := a.storeShell(c.Request().Context(), signin.VisitorOf(c), st, form.Title+" · "+st.Name)
	if err != nil {
		return err
	}
	form.StoreID = st.ID
	return reply.Render(c, status, views.Change(views.ChangePage{Shell: shell, Head: a.head(signin.VisitorOf(c), st), Form: form}))
}

// upgradeRequest is an upgrade as chosen in the form.
type upgradeRequest struct {
	shop.Upgrade
	offer  string // digest of the offer that was reviewed
	looked string // the images that were reviewed
}

const imageField = "image-"

func parseUpgrade(form url.Values, offer provisioner.Offer) upgradeRequest {
	r := upgradeRequest{
		Upgrade: shop.Upgrade{
			Offer: offer, Images: map[string]string{}, Stay: form.Get("stay") == "on",
			Backup: form.Get("backup") == "on" || !form.Has("offer"), // the default
		},
		offer: form.Get("offer"), looked: form.Get("looked"),
	}
	for _, image := range offer.Images {
		if version := strings.TrimSpace(form.Get(imageField + image.Name)); version != "" && version != image.Version {
			r.Images[image.Name] = version
		}
	}
	return r
}

// previewUpgrade shows what an upgrade to the present offer would change.
func (a *App) previewUpgrade(c echo.Context) error {
	st, err := a.findTo(c, store.UpgradeStores)
	if err != nil {
		return err
	}
	offer, err := a.clusters.Of(st).Offer(st)
	if err != nil {
		return err
	}
	return a.showUpgrade(c, http.StatusOK, st, parseUpgrade(c.QueryParams(), offer), "")
}

func (a *App) showUpgrade(c echo.Context, status int, st store.Store, r upgradeRequest, problem string) error {
	offer := r.Offer
	form := views.ChangeForm{
		Crumb: "Upgrade", Title: "Upgrade to chart " + offer.ChartVersion, Submit: "Upgrade", Action: releasesPath(st, "upgrade"),
		Offer: offer.Digest, Looked: r.Choice(), Stay: r.Stay, Backup: r.Backup, Problem: problem, Can: st.CanChange(),
	}
	if form.Text = "this store runs " + st.ChartVersion; offer.ChartVersion == st.ChartVersion {
		form.Title, form.Text = "Change versions", "chart "+offer.ChartVersion+" stays"
	}
	var err error
	if form.BacksUp, err = a.DB.BacksUp(c.Request().Context(), signin.VisitorOf(c).Actor, st); err != nil {
		return err
	}
	wrong := false
	for _, image := range offer.Images {
		field := views.ImageField{Name: image.Name, Repository: image.Repository, Version: cmp.Or(r.Images[image.Name], image.Version), Offered: image.Version}
		if !shop.IsImageVersion(field.Version) {
			field.Error, wrong = "This isn’t a version. Enter a tag such as 1.2.3, optionally with @sha256: and the digest.", true
		}
		form.Images = append(form.Images, field)
	}
	if wrong {
		form.Can = false
		return a.changePage(c, http.StatusUnprocessableEntity, st, form)
	}
	after := "The store rolls back to revision " + strconv.Itoa(st.Sold) + " automatically"
	if r.Stay {
		after = "The failed revision stays in place until you act"
	}
	comparison, err := a.shops.PreviewUpgrade(c.Request().Context(), st, r.Upgrade)
	a.preview(st, comparison, err, after, &form)
	return a.changePage(c, status, st, form)
}

// preview fills the form with the changes, or with why they cannot be shown.
func (a *App) preview(st store.Store, comparison provisioner.Comparison, err error, after string, form *views.ChangeForm) {
	if err != nil {
		form.Can, form.Problem = false, a.noComparison(st, err)
		return
	}
	if !form.Can && form.Problem == "" {
		form.Problem = "This store can’t be changed while it is " + string(st.Status) + "."
	}
	form.Diff = diffView(comparison)
	form.Facts = []views.FactGroup{
		{Title: "What changes", Lines: whatChanges(comparison)},
		{Title: "During the change", Lines: a.whileChanging(st, comparison)},
		{Title: "If the order check fails", Lines: []string{after, "Orders and products stay: data is never rolled back"}},
	}
}

// noComparison says why two states of a store cannot be compared.
func (a *App) noComparison(st store.Store, err error) string {
	if refused, ok := errors.AsType[*store.Error](err); ok {
		return refused.Message
	}
	if errors.Is(err, provisioner.ErrUnreachable) {
		return "The cluster is unreachable, so what runs there is unknown. Try again in a moment."
	}
	a.Log.Warn("can’t compare releases", "store", st.ID, "error", err)
	return "Can’t show the changes right now. Try again in a moment; the log has the reason."
}

func whatChanges(c provisioner.Comparison) (lines []string) {
	if c.From.Chart != c.To.Chart && c.From.Chart != "" {
		lines = append(lines, "Chart "+c.From.Chart+" → "+c.To.Chart)
	}
	changed, added, removed := c.Count()
	for _, part := range []struct {
		n    int
		what string
	}{{changed, "changed"}, {added, "added"}, {removed, "removed"}} {
		if part.n > 0 {
			lines = append(lines, fmt.Sprintf("%d of %d objects %s", part.n, c.Objects, part.what))
		}
	}
	if c.From.Program != c.To.Program && c.From.Program != "" && c.To.Program != "" {
		lines = append(lines, "Version "+c.From.Program+" → "+c.To.Program)
	}
	if len(lines) == 0 {
		return []string{"Nothing. Setup and the order check run again"}
	}
	return lines
}

func (a *App) whileChanging(st store.Store, c provisioner.Comparison) []string {
	open := "The shop stays open"
	if len(c.Restarts) > 0 {
		open = "The shop closes briefly for a restart of " + strings.Join(c.Restarts, " and ")
	}
	lines := []string{open, "Setup runs again and keeps the merchant’s changes"}
	if isOlder(c.To.Program, c.From.Program) {
		lines = append(lines, a.unsupported(st, c.To.Program, c.From.Program))
	}
	return lines
}

func diffView(c provisioner.Comparison) (parts []views.DiffPart) {
	for _, part := range c.Parts {
		shown := views.DiffPart{Name: part.Name, Change: string(part.Change)}
		for _, line := range part.Lines {
			shown.Lines = append(shown.Lines, views.DiffLine{Mark: string(line.Mark), Text: plain(line.Text)})
		}
		parts = append(parts, shown)
	}
	return parts
}

// upgrade starts the upgrade that was reviewed. If the offer or the choice differs from that, it shows
// the preview again.
func (a *App) upgrade(c echo.Context) error {
	st, err := a.findTo(c, store.UpgradeStores)
	if err != nil {
		return err
	}
	offer, err := a.clusters.Of(st).Offer(st)
	if err != nil {
		return err
	}
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	r := parseUpgrade(form, offer)
	if r.offer != offer.Digest || r.looked != r.Choice() {
		return a.showUpgrade(c, http.StatusUnprocessableEntity, st, r, "This isn’t the upgrade you reviewed. Review the changes, then press Upgrade again.")
	}
	if _, err = a.shops.Upgrade(c.Request().Context(), signin.VisitorOf(c).Actor, st, r.Upgrade); err != nil {
		return err
	}
	return reply.GoTo(c, "/stores/"+st.ID)
}

// revisionOf returns the revision number in the path.
func revisionOf(c echo.Context) (int, error) {
	n, err := strconv.Atoi(c.Param("revision"))
	if err != nil || n < 1 {
		return 0, echo.ErrNotFound
	}
	return n, nil
}

// previewRollback shows what a rollback to an earlier revision would change.
func (a *App) previewRollback(c echo.Context) error {
	st, err := a.findTo(c, store.UpgradeStores)
	if err != nil {
		return err
	}
	revision, err := revisionOf(c)
	if err != nil {
		return err
	}
	form := views.ChangeForm{
		Crumb: "Roll back", Title: fmt.Sprintf("Roll back to revision %d", revision), Submit: "Roll back",
		Text: "its chart, values and images", Action: releasesPath(st, strconv.Itoa(revision), "rollback"), Can: st.CanChange(),
	}
	after := fmt.Sprintf("The store returns to revision %d automatically", st.Sold)
	comparison, err := a.shops.PreviewRollback(c.Request().Context(), st, revision)
	a.preview(st, comparison, err, after, &form)
	return a.changePage(c, http.StatusOK, st, form)
}

func (a *App) rollback(c echo.Context) error {
	revision, err := revisionOf(c)
	if err != nil {
		return err
	}
	st, err := a.DB.Rollback(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("id"), revision)
	if err != nil {
		return err
	}
	return reply.GoTo(c, "/stores/"+st.ID)
}

// showRevision shows what a revision changed, compared with the one before it.
func (a *App) showRevision(c echo.Context) error {
	st, err := a.find(c)
	if err != nil {
		return err
	}
	revision, err := revisionOf(c)
	if err != nil {
		return err
	}
	before, err := a.DB.RevisionBefore(c.Request().Context(), signin.VisitorOf(c).Actor, st.ID, revision)
	if err != nil {
		return err
	}
	form := views.ChangeForm{Crumb: fmt.Sprintf("Revision %d", revision), Title: fmt.Sprintf("Revision %d → %d", before, revision)}
	if before == 0 {
		form.Title = "Revision 1"
	}
	comparison, err := a.clusters.Of(st).Compare(c.Request().Context(), st, before, revision)
	if err != nil {
		form.Problem = a.noComparison(st, err)
	} else {
		form.Diff, form.Facts = diffView(comparison), []views.FactGroup{{Title: "What changed", Lines: whatChanges(comparison)}}
	}
	return a.changePage(c, http.StatusOK, st, form)
}

// releasesPath returns a path below the store's releases.
func releasesPath(st store.Store, parts ...string) string {
	return "/stores/" + st.ID + "/releases/" + strings.Join(parts, "/")
}
