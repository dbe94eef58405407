package shop

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

// Upgrade is what is decided about an upgrade.
type Upgrade struct {
	Offer  provisioner.Offer
	Images map[string]string // versions other than those that are offered, by the chart's name of the image
	Stay   bool              // whether a failed upgrade stays in place for inspection
	Backup bool              // whether a restore point is made first, where a target is in use
}

// Offered returns the upgrade to what is offered to the store now, with these versions of images. Those that are as
// offered are left out. An *store.Error says which images can't be had.
func (s *Service) Offered(st store.Store, images map[string]string) (Upgrade, error) {
	offer, err := s.Clusters.Of(st).Offer(st)
	u := Upgrade{Offer: offer, Images: map[string]string{}}
	if err != nil {
		return u, err
	}
	for name, version := range images {
		i := slices.IndexFunc(offer.Images, func(image provisioner.Image) bool { return image.Name == name })
		switch {
		case i < 0:
			return u, &store.Error{Code: store.Invalid, Field: "images", Message: "The chart has no image named " + legible.Word(name) + ". The offer in the release history lists its images."}
		case !IsImageVersion(version):
			return u, &store.Error{Code: store.Invalid, Field: "images", Message: "The version of " + name + " is invalid. Use a tag such as 1.2.3, optionally with @sha256: and the digest."}
		case offer.Images[i].Version != version:
			u.Images[name] = version
		}
	}
	return u, nil
}

// imageVersion is a tag, or a tag and a digest, as in
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests.
var imageVersion = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?$`)

// IsImageVersion reports whether the text can be the version of an image.
func IsImageVersion(text string) bool { return imageVersion.MatchString(text) }

// Choice is the choice of images, in a line that can be compared.
func (u Upgrade) Choice() string {
	var all []string
	for name, version := range u.Images {
		all = append(all, name+" "+version)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// PreviewUpgrade returns what the upgrade would change. It changes nothing.
func (s *Service) PreviewUpgrade(ctx context.Context, st store.Store, u Upgrade) (provisioner.Comparison, error) {
	return s.Clusters.Of(st).Preview(ctx, st, provisioner.Target{Images: u.Images})
}

// PreviewRollback returns what the way back to that revision would change. It changes nothing.
func (s *Service) PreviewRollback(ctx context.Context, st store.Store, revision int) (provisioner.Comparison, error) {
	return s.Clusters.Of(st).Preview(ctx, st, provisioner.Target{Revision: revision})
}

// Upgrade asks for the upgrade.
func (s *Service) Upgrade(ctx context.Context, who store.Actor, st store.Store, u Upgrade) (store.Store, error) {
	return s.DB.Upgrade(ctx, who, st.ID, store.UpgradeRequest{Chart: u.Offer.ChartVersion, Images: u.Images, Stay: u.Stay, Backup: u.Backup})
}

// Current is the revision that the store runs, of its revisions.
func Current(st store.Store, revisions []store.Revision) (r store.Revision, known bool) {
	i := slices.IndexFunc(revisions, func(r store.Revision) bool { return r.Number == st.Revision })
	if i < 0 {
		return r, false
	}
	return revisions[i], true
}

// IsNewer reports whether the offer differs from what the store runs.
func IsNewer(st store.Store, offer provisioner.Offer, revisions []store.Revision) bool {
	current, known := Current(st, revisions)
	return known && current.Offer != offer.Digest
}

// Advisories are the holes that are known of that version of the store's program.
func (s *Service) Advisories(st store.Store, version string) []engine.Advisory {
	e, known := s.Engines.Find(st.Engine)
	if !known {
		return nil
	}
	return e.Advisories(version)
}
