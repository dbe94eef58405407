package provisioner

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
)

// Names of the copies in the stores' namespaces. The originals may change theirs without a
// new release of every store.
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

// list names the shared objects.
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

// into names the copies in what stores are made of.
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
	shareAgain  = time.Minute // after a store could not be reached
)

// share keeps the stores' copies as the originals are: a certificate that was renewed
// reaches all shops that serve it.
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

// shareWithAll goes on when it fails with one of them.
func (p *Provisioner) shareWithAll(ctx context.Context, conn *connection) error {
	places, err := p.db.UnguardedPlaces(ctx, p.cluster.record.ID)
	if err != nil {
		return err
	}
	var stores errgroup.Group
	stores.SetLimit(shareAtOnce)
	for _, place := range places {
		stores.Go(func() error {
			return p.shareWith(ctx, conn, kube.Owner{Namespace: place.Namespace, StoreID: place.StoreID})
		})
	}
	return stores.Wait()
}

// shareWith gives a store what is shared, if it has a place to put it. Where something is
// missing is told to those who wait for it.
func (p *Provisioner) shareWith(ctx context.Context, conn *connection, owner kube.Owner) error {
	for _, s := range p.shared {
		err := conn.inNamespace(ctx, owner, func() error { return conn.kube.ShareSecret(ctx, owner, s) })
		missing := (*kube.NoOriginalError)(nil)
		if err != nil && !errors.Is(err, errNoNamespace) && !errors.Is(err, kube.ErrForeign) && !errors.As(err, &missing) {
			return err
		}
	}
	return nil
}

// shareSecrets comes before the release, whose pods and addresses name the copies.
func (w *worker) shareSecrets(ctx context.Context, conn *connection) error {
	for _, s := range w.shared {
		if err := conn.kube.ShareSecret(ctx, w.owner(), s); err != nil {
			return err
		}
	}
	return nil
}
