package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

func (a *API) registerReleases() {
	register(a, operation{
		id: "list-releases", method: http.MethodGet, path: "/stores/{id}/releases", tag: tagReleases, scope: store.ReadStores,
		summary: "List the revisions of a store", description: "Newest first, with who requested them and the current offer.",
	}, a.listReleases)
	register(a, operation{
		id: "show-release", method: http.MethodGet, path: "/stores/{id}/releases/{revision}", tag: tagReleases, scope: store.ReadStores,
		summary: "Show what a revision changed", description: "Compared with the revision before it.",
	}, a.showRelease)
	register(a, operation{
		id: "preview-upgrade", method: http.MethodGet, path: "/stores/{id}/upgrade", tag: tagReleases, scope: store.WriteStores,
		summary: "Preview an upgrade", description: "Shows what an upgrade to the current offer would change. Nothing is changed.",
	}, a.previewUpgrade)
	register(a, operation{
		id: "upgrade-store", method: http.MethodPost, path: "/stores/{id}/upgrade", tag: tagReleases, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Upgrade a store", description: "Upgrades to the current offer. If the order check fails, the store rolls back automatically unless stay is set.",
	}, a.upgradeStore)
	register(a, operation{
		id: "preview-rollback", method: http.MethodGet, path: "/stores/{id}/rollback", tag: tagReleases, scope: store.WriteStores,
		summary: "Preview a rollback", description: "Shows what a rollback to an earlier revision would change. Nothing is changed.",
	}, a.previewRollback)
	register(a, operation{
		id: "rollback-store", method: http.MethodPost, path: "/stores/{id}/rollback", tag: tagReleases, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Roll a store back", description: "Restores the chart, values and images of an earlier revision. Data is never rolled back.",
	}, a.rollbackStore)
}

type releasesOutput struct {
	Body v1.Releases
}

func (a *API) listReleases(ctx context.Context, in *StoreInput) (*releasesOutput, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	revisions, err := a.DB.Revisions(ctx, actorOf(ctx), st.ID)
	if err != nil {
		return nil, err
	}
	releases := v1.Releases{Revisions: []v1.Revision{}}
	if offer, err := a.Clusters.Of(st).Offer(st); err == nil {
		releases.Offer = offerOf(st, offer, revisions)
	}
	for _, r := range revisions {
		releases.Revisions = append(releases.Revisions, v1.Revision{
			Number: r.Number, Kind: cmp.Or(string(r.Change.Kind), "opening"), Note: word(phrase.Change(r.Change)), Chart: r.ChartVersion, Version: r.Version, State: r.State,
			Holes:   a.advisories(st, r.Version),
			Message: legible.Text(phrase.Failure(r.Failure).Title), Actor: word(r.Actor), CanReturn: st.CanChange() && r.CanRollback(st.Revision),
			BeganAt: r.BeganAt, EndedAt: at(r.EndedAt),
		})
	}
	return &releasesOutput{Body: releases}, nil
}

func (a *API) advisories(st store.Store, version string) []v1.Advisory {
	all := []v1.Advisory{}
	for _, hole := range a.Shops.Advisories(st, version) {
		all = append(all, v1.Advisory{ID: hole.ID, Published: hole.Published, Text: hole.Text})
	}
	return all
}

func offerOf(st store.Store, o provisioner.Offer, revisions []store.Revision) *v1.Offer {
	shown := &v1.Offer{Chart: o.ChartVersion, Digest: o.Digest, Newer: shop.IsNewer(st, o, revisions), Images: []v1.Image{}}
	for _, image := range o.Images {
		shown.Images = append(shown.Images, v1.Image(image))
	}
	return shown
}

type comparisonOutput struct {
	Body v1.Comparison
}

func comparisonOf(c provisioner.Comparison, digest string) *comparisonOutput {
	shown := v1.Comparison{FromChart: c.From.Chart, ToChart: c.To.Chart, Objects: c.Objects, Restarts: []string{}, Parts: []v1.Part{}, Digest: digest}
	shown.Restarts = append(shown.Restarts, c.Restarts...)
	for _, p := range c.Parts {
		var diff strings.Builder
		for _, line := range p.Lines {
			diff.WriteString(string(line.Mark) + legible.Line(line.Text, false) + "\n")
		}
		shown.Parts = append(shown.Parts, v1.Part{Name: p.Name, Change: string(p.Change), Diff: diff.String()})
	}
	return &comparisonOutput{Body: shown}
}

// changing returns the store, for who may change it.
func (a *API) changing(ctx context.Context, id string) (store.Store, error) {
	return a.DB.FindStoreTo(ctx, actorOf(ctx), store.UpgradeStores, id)
}

type previewUpgradeInput struct {
	StoreInput
	Images []string `query:"image,explode" maxItems:"20" doc:"Versions that differ from the offered ones, as NAME=VERSION; repeatable." example:"mariadb=11.8"`
}

func (a *API) previewUpgrade(ctx context.Context, in *previewUpgradeInput) (*comparisonOutput, error) {
	images := map[string]string{}
	for _, text := range in.Images {
		name, version, _ := strings.Cut(text, "=")
		images[name] = version
	}
	st, err := a.changing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	upgrade, err := a.Shops.Offered(st, images)
	if err != nil {
		return nil, err
	}
	comparison, err := a.Shops.PreviewUpgrade(ctx, st, upgrade)
	if err != nil {
		return nil, a.ofCluster(ctx, st, err)
	}
	return comparisonOf(comparison, upgrade.Offer.Digest), nil
}

type upgradeInput struct {
	StoreInput
	Body v1.Upgrade
}

func (a *API) upgradeStore(ctx context.Context, in *upgradeInput) (*storeOutput, error) {
	st, err := a.changing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	upgrade, err := a.Shops.Offered(st, in.Body.Images)
	if err != nil {
		return nil, err
	}
	if in.Body.Offer != "" && in.Body.Offer != upgrade.Offer.Digest {
		return nil, &store.Error{Code: store.Conflict, Field: "offer", Message: "The offer has changed. Preview the upgrade again."}
	}
	upgrade.Stay, upgrade.Backup = in.Body.Stay, in.Body.Backup == nil || *in.Body.Backup
	if st, err = a.Shops.Upgrade(ctx, actorOf(ctx), st, upgrade); err != nil {
		return nil, err
	}
	return &storeOutput{Body: a.storeOf(actorOf(ctx), st)}, nil
}

type previewRollbackInput struct {
	StoreInput
	To int `query:"to" required:"true" minimum:"1" maximum:"1000000" doc:"Number of the revision."`
}

func (a *API) previewRollback(ctx context.Context, in *previewRollbackInput) (*comparisonOutput, error) {
	st, err := a.changing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	comparison, err := a.Shops.PreviewRollback(ctx, st, in.To)
	if err != nil {
		return nil, a.ofCluster(ctx, st, err)
	}
	return comparisonOf(comparison, ""), nil
}

type rollbackInput struct {
	StoreInput
	Body struct {
		To int `json:"to" minimum:"1" maximum:"1000000" doc:"Number of the revision."`
	}
}

func (a *API) rollbackStore(ctx context.Context, in *rollbackInput) (*storeOutput, error) {
	st, err := a.DB.Rollback(ctx, actorOf(ctx), in.ID, in.Body.To)
	if err != nil {
		return nil, err
	}
	return &storeOutput{Body: a.storeOf(actorOf(ctx), st)}, nil
}

type releaseInput struct {
	StoreInput
	Revision int `path:"revision" minimum:"1" maximum:"1000000"`
}

func (a *API) showRelease(ctx context.Context, in *releaseInput) (*comparisonOutput, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	before, err := a.DB.RevisionBefore(ctx, actorOf(ctx), st.ID, in.Revision)
	if err != nil {
		return nil, err
	}
	comparison, err := a.Clusters.Of(st).Compare(ctx, st, before, in.Revision)
	if err != nil {
		return nil, a.ofCluster(ctx, st, err)
	}
	return comparisonOf(comparison, ""), nil
}
