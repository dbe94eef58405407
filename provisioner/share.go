package provisioner

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
)

// Names of the copies in the stores' namespaces. The originals can be renamed without a new release of
// every store.
const (
	sharedCertificate = "wildcard-tls"
	sharedPullSecret  = "image-pull"
	sharedMail        = "smtp"
)

// Shared are the Secrets that every store gets a copy of. Those without a name are not shared.
type Shared struct {
	Namespace   string // of the originals
	Certificate string // for the mode engine.TLSSecret
	PullSecret  string // for the images' registry
	Mail        string // with the login at the shops' mail server
}

// list returns the shared Secrets with their originals and copies.
func (s Shared) list() (all []kube.Shared) {
	if s.Certificate != "" {
		all = append(all, kube.Shared{Namespace: s.Namespace, Name: s.Certificate, Copy: sharedCertificate})
	}
	if s.PullSecret != "" {
		all = append(all, kube.Shared{Namespace: s.Namespace, Name: s.PullSecret, Copy: sharedPullSecret})
	}
	if s.Mail != "" {
		all = append(all, kube.Shared{Namespace: s.Namespace, Name: s.Mail, Copy: sharedMail})
	}
	return all
}

// into sets the names of the copies in the spec of the stores.
func (s Shared) into(site engine.Spec) engine.Spec {
	if s.Certificate != "" {
		site.TLS.SecretName = sharedCertificate
	}
	if s.PullSecret != "" {
		site.PullSecret = sharedPullSecret
	}
	if s.Mail != "" {
		site.SMTP.SecretName = sharedMail
	}
	return site
}

const (
	shareAtOnce = 8           // stores
	shareAgain  = time.Minute // after it failed for a store
)

// sharedWith are the Secrets that a store gets a copy of. A drill pulls images, and neither sends mail nor is served.
func sharedWith(all []kube.Shared, drill bool) []kube.Shared {
	return slices.DeleteFunc(slices.Clone(all), func(s kube.Shared) bool { return drill && s.Copy != sharedPullSecret })
}

// share keeps the stores' copies equal to the originals, so that a renewed certificate reaches all shops
// that serve it.
func (p *Provisioner) share(ctx context.Context) {
	if len(p.shared) == 0 {
		return
	}
	conn, err := p.cluster.wait(ctx)
	if err != nil {
		return
	}
	changed, end, err := conn.kube.WatchShared(p.shared)
	if err != nil {
		p.log.Error("shared secrets are not kept up to date", "error", err)
		return
	}
	defer end()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-again:
		}
		again = nil
		if err := p.shareWithAll(ctx, conn); err != nil {
			p.log.Warn("some stores don’t get the shared secret", "error", err)
			again = time.After(shareAgain)
		}
	}
}

// shareWithAll continues after it has failed for a store, and returns the first error.
func (p *Provisioner) shareWithAll(ctx context.Context, conn *connection) error {
	places, err := p.db.UnguardedPlaces(ctx, p.cluster.record.ID)
	if err != nil {
		return err
	}
	var stores errgroup.Group
	stores.SetLimit(shareAtOnce)
	for _, place := range places {
		stores.Go(func() error {
			return p.shareWith(ctx, conn, kube.Owner{Namespace: place.Namespace, StoreID: place.StoreID}, place.Drill)
		})
	}
	return stores.Wait()
}

// shareWith copies the shared Secrets to a store, if it has a namespace. A missing original is no error
// here: stores that wait for it report it.
func (p *Provisioner) shareWith(ctx context.Context, conn *connection, owner kube.Owner, drill bool) error {
	for _, s := range sharedWith(p.shared, drill) {
		err := conn.inNamespace(ctx, owner, func() error { return conn.kube.ShareSecret(ctx, owner, s) })
		missing := (*kube.NoOriginalError)(nil)
		if err != nil && !errors.Is(err, errNoNamespace) && !errors.Is(err, kube.ErrForeign) && !errors.As(err, &missing) {
			return err
		}
	}
	return nil
}

// shareSecrets runs before the release is applied, whose pods and ingresses name the copies.
func (w *worker) shareSecrets(ctx context.Context, conn *connection) error {
	for _, s := range sharedWith(w.shared, w.claim.Store.IsDrill()) {
		if err := conn.kube.ShareSecret(ctx, w.owner(), s); err != nil {
			return err
		}
	}
	return nil
}
