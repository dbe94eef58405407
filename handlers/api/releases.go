package api

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

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

// Revision is one entry in the history of a store's release.
type Revision struct {
	Number    int                 `json:"number"`
	Kind      string              `json:"kind" enum:"opening,rebuild,repair,upgrade,rollback,owner"`
	Note      string              `json:"note,omitempty"`
	Chart     string              `json:"chart_version"`
	Version   string              `json:"version,omitempty" doc:"Version of the shop’s software."`
	Holes     []Advisory          `json:"advisories" nullable:"false" doc:"Known vulnerabilities of that version."`
	State     store.RevisionState `json:"state" enum:"pending,deployed,superseded,failed,gone"`
	Message   string              `json:"message,omitempty" doc:"Why it failed."`
	Actor     string              `json:"actor,omitempty" doc:"Who requested it; empty for Shopwright itself."`
	CanReturn bool                `json:"can_return" doc:"Whether the store can be rolled back to it."`
	BeganAt   time.Time           `json:"began_at"`
	EndedAt   *time.Time          `json:"ended_at,omitempty"`
}

// Advisory is a hole in a version of a shop's program that is known in public.
type Advisory struct {
	ID        string    `json:"id" example:"CVE-2025-15033"`
	Published time.Time `json:"published" doc:"Day of publication."`
	Text      string    `json:"text" doc:"What an attacker can do."`
}

// Offer is what a store would be brought to by an upgrade now.
type Offer struct {
	Chart  string  `json:"chart_version"`
	Digest string  `json:"digest" doc:"Digest of the offered chart and values."`
	Newer  bool    `json:"newer" doc:"Whether it differs from what the store runs."`
	Images []Image `json:"images" nullable:"false"`
}

// Image is one that a chart uses.
type Image struct {
	Name       string `json:"name" example:"mariadb"`
	Repository string `json:"repository"`
	Version    string `json:"version"`
}

// Releases is the history of a store's release.
type Releases struct {
	Revisions []Revision `json:"revisions" nullable:"false"`
	Offer     *Offer     `json:"offer,omitempty" doc:"Absent if this version of Shopwright has no chart for the store."`
}

type releasesOutput struct {
	Body Releases
}

func (a *API) listReleases(ctx context.Context, in *StoreInput) (*releasesOutput, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	revisions, err := a.DB.Revisions(ctx, st.ID)
	if err != nil {
		return nil, err
	}
	releases := Releases{Revisions: []Revision{}}
	if offer, err := a.Provisioner.Offer(st); err == nil {
		releases.Offer = offerOf(st, offer, revisions)
	}
	for _, r := range revisions {
		releases.Revisions = append(releases.Revisions, Revision{
			Number: r.Number, Kind: cmp.Or(string(r.Change.Kind), "opening"), Note: word(phrase.Change(r.Change)), Chart: r.ChartVersion, Version: r.Version, State: r.State,
			Holes:   a.advisories(st, r.Version),
			Message: legible.Text(phrase.Failure(r.Failure).Title), Actor: word(r.Actor), CanReturn: st.CanChange() && r.CanRollback(st.Revision),
			BeganAt: r.BeganAt, EndedAt: at(r.EndedAt),
		})
	}
	return &releasesOutput{Body: releases}, nil
}

func (a *API) advisories(st store.Store, version string) []Advisory {
	all := []Advisory{}
	if e, known := a.Engines.Find(st.Engine); known {
		for _, hole := range e.Advisories(version) {
			all = append(all, Advisory{ID: hole.ID, Published: hole.Published, Text: hole.Text})
		}
	}
	return all
}

func offerOf(st store.Store, o provisioner.Offer, revisions []store.Revision) *Offer {
	last := slices.IndexFunc(revisions, func(r store.Revision) bool { return r.Number == st.Revision })
	shown := &Offer{Chart: o.ChartVersion, Digest: o.Digest, Newer: last >= 0 && revisions[last].Offer != o.Digest, Images: []Image{}}
	for _, image := range o.Images {
		shown.Images = append(shown.Images, Image(image))
	}
	return shown
}

// Comparison is what differs between two states of a store's release.
type Comparison struct {
	FromChart string   `json:"from_chart,omitempty"`
	ToChart   string   `json:"to_chart"`
	Objects   int      `json:"objects" doc:"Number of objects in the later state."`
	Restarts  []string `json:"restarts" nullable:"false" doc:"Workloads that replace all pods at once; the shop is briefly closed."`
	Parts     []Part   `json:"parts" nullable:"false" doc:"Values first, then objects; only those that differ."`
	Digest    string   `json:"offer,omitempty" doc:"Digest of the previewed offer; send it with the upgrade to get exactly that."`
}

// Part is the values of a release, or one of its objects.
type Part struct {
	Name   string `json:"name" example:"statefulset/mariadb"`
	Change string `json:"change" enum:"changed,added,removed"`
	Diff   string `json:"diff" doc:"YAML lines that start with a space, +, - or, where lines are omitted, an ellipsis. Secrets are hidden."`
}

type comparisonOutput struct {
	Body Comparison
}

func comparisonOf(c provisioner.Comparison, digest string) *comparisonOutput {
	shown := Comparison{FromChart: c.From.Chart, ToChart: c.To.Chart, Objects: c.Objects, Restarts: []string{}, Parts: []Part{}, Digest: digest}
	shown.Restarts = append(shown.Restarts, c.Restarts...)
	for _, p := range c.Parts {
		var diff strings.Builder
		for _, line := range p.Lines {
			diff.WriteString(string(line.Mark) + legible.Line(line.Text, false) + "\n")
		}
		shown.Parts = append(shown.Parts, Part{Name: p.Name, Change: string(p.Change), Diff: diff.String()})
	}
	return &comparisonOutput{Body: shown}
}

// changing returns the store, for who may change it.
func (a *API) changing(ctx context.Context, id string) (store.Store, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), id)
	if err == nil && !actorOf(ctx).May(store.UpgradeStores, st.TeamID) {
		err = &store.Error{Code: store.Forbidden, Message: "You can view this store but not change it. Ask a team owner."}
	}
	return st, err
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
	offer, err := a.choose(st, images)
	if err != nil {
		return nil, err
	}
	comparison, err := a.Provisioner.Preview(ctx, st, provisioner.Target{Images: images})
	if err != nil {
		return nil, a.ofCluster(ctx, st, err)
	}
	return comparisonOf(comparison, offer.Digest), nil
}

// imageVersion is a tag, or a tag and a digest, as in
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests.
var imageVersion = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?$`)

// choose returns what is offered, if it has the images of which others are wanted. Those that
// are as offered are taken out.
func (a *API) choose(st store.Store, images map[string]string) (provisioner.Offer, error) {
	offer, err := a.Provisioner.Offer(st)
	if err != nil {
		return offer, err
	}
	for name, version := range images {
		i := slices.IndexFunc(offer.Images, func(image provisioner.Image) bool { return image.Name == name })
		switch {
		case i < 0:
			return offer, &store.Error{Code: store.Invalid, Field: "images", Message: "The chart has no image named " + word(name) + ". The offer in the release history lists its images."}
		case !imageVersion.MatchString(version):
			return offer, &store.Error{Code: store.Invalid, Field: "images", Message: "The version of " + name + " is invalid. Use a tag such as 1.2.3, optionally with @sha256: and the digest."}
		case offer.Images[i].Version == version:
			delete(images, name)
		}
	}
	return offer, nil
}

// Upgrade is what is decided about an upgrade.
type Upgrade struct {
	Images map[string]string `json:"images,omitempty" maxProperties:"20" doc:"Versions that differ from the offered ones, by the chart’s image name." example:"{\"mariadb\":\"11.8\"}"`
	Stay   bool              `json:"stay,omitempty" doc:"Keep a failed upgrade in place for inspection."`
	Offer  string            `json:"offer,omitempty" maxLength:"100" doc:"Digest of the previewed offer; 409 if the offer has changed since."`
}

type upgradeInput struct {
	StoreInput
	Body Upgrade
}

func (a *API) upgradeStore(ctx context.Context, in *upgradeInput) (*storeOutput, error) {
	st, err := a.changing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	images := map[string]string{}
	for name, version := range in.Body.Images {
		images[name] = version
	}
	offer, err := a.choose(st, images)
	if err != nil {
		return nil, err
	}
	if in.Body.Offer != "" && in.Body.Offer != offer.Digest {
		return nil, &store.Error{Code: store.Conflict, Field: "offer", Message: "The offer has changed. Preview the upgrade again."}
	}
	st, err = a.DB.Upgrade(ctx, actorOf(ctx), st.ID, store.UpgradeRequest{Chart: offer.ChartVersion, Images: images, Stay: in.Body.Stay})
	if err != nil {
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
	comparison, err := a.Provisioner.Preview(ctx, st, provisioner.Target{Revision: in.To})
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
	before, err := a.DB.RevisionBefore(ctx, st.ID, in.Revision)
	if err != nil {
		return nil, err
	}
	comparison, err := a.Provisioner.Compare(ctx, st, before, in.Revision)
	if err != nil {
		return nil, a.ofCluster(ctx, st, err)
	}
	return comparisonOf(comparison, ""), nil
}
