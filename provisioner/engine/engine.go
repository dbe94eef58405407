// Package engine says what a shop engine is, and which there are. It is the only place
// that names one: another engine is a chart with its templates, a file here and a name in
// Offered.
//
// It knows the charts. It does not know Helm, Kubernetes or the database.
package engine

import (
	"crypto/rand"
	"io/fs"
	"slices"
	"sync"
)

// Engine is a kind of shop.
type Engine interface {
	Name() string        // in records and addresses, such as woocommerce
	Label() string       // for people, such as WooCommerce
	Letter() string      // for its tile
	Description() string // one sentence, for the choice between engines
	Chart() fs.FS        // the folder of its Helm chart
	// Templates are what its shops can begin with; the first is the usual one.
	Templates() ([]Template, error)

	// Credentials makes the data of the Secret that the chart refers to: every password of a
	// store, drawn at random. An owner without an address is admin@host.
	Credentials(host, ownerEmail string) (map[string][]byte, error)
	// Owner says what another address of the owner means to a shop that is open.
	Owner() OwnerUse
	// Login finds the owner's login in that data.
	Login(credentials map[string][]byte) (username, password string)
	// Values are those of a store's release, over the chart's own.
	Values(spec Spec) (map[string]any, error)
	// Off tells, a sentence or two each, what stores made so cannot do, and what to do about it.
	Off(spec Spec) []string
	// Version is that of the shop's program in a release with these values; empty when they do not tell.
	Version(values map[string]any) string
	// Opens reports whether a shop of the version here can work with the data of one of the version made. Each may be
	// empty when it is not known.
	Opens(made, here string) bool
	// Advisories are the holes that are known of that version.
	Advisories(version string) []Advisory
	// AdminURL is where the owner of the store at that URL signs in.
	AdminURL(storeURL string) string
}

// OwnerUse is what a shop does with its owner's address.
type OwnerUse struct {
	InShop bool   // the shop keeps the address, and takes another one
	Text   string // a sentence or two for the owner
}

// Spec is what the values of a store are made of.
type Spec struct {
	StoreID    string
	Name       string
	Host       string
	URL        string // as customers type it, with the scheme and any port
	Template   string // its name; the chart's own values when there is none of that name
	Country    string // ISO 3166; the chart's own when empty
	Currency   string // ISO 4217; the chart's own when empty
	OwnerEmail string // empty for none
	SecretName string // of the credentials
	Drill      bool   // nothing goes out of the store, nobody reaches it from outside, and it sends no mail
	Restoring  bool   // a restore point is to be loaded before the setup, which the chart then creates suspended

	Environment   string // local or production: which values file of the chart is used
	IngressClass  string // the cluster's default when empty
	StorageClass  string // the cluster's default when empty
	TLS           TLS
	ImageRegistry string // from which all images come; the charts' own when empty
	PullSecret    string // in the store's namespace, for that registry
	SMTP          SMTP   // through which shops send mail
	Values        Values // what the operator wants
	// Images are versions for this store, by the chart's name of the image: a tag, or a tag and
	// a digest with an @ between them.
	Images map[string]string
}

// Values are Helm values by the name of the engine whose stores get them.
type Values map[string]map[string]any

// SMTP is the mail server of an installation's shops.
type SMTP struct {
	SecretName string // in the store's namespace, with host, username, password and from; empty for no server
	Port       int    // the chart's own when zero
	CIDR       string // of the server, in a private network
}

// TLS says how stores are served over HTTPS.
type TLS struct {
	Mode       TLSMode
	SecretName string // of a certificate, for TLSSecret
	Issuer     string // a cert-manager ClusterIssuer, for TLSCertManager
}

// TLSMode is a way to get certificates.
type TLSMode string

// The ways there are.
const (
	TLSNone        TLSMode = "none"
	TLSSecret      TLSMode = "secret"
	TLSCertManager TLSMode = "cert-manager"
	TLSExternal    TLSMode = "external" // before the ingress: customers use HTTPS, the ingress needs no certificate
)

// Registry are the engines that an installation offers.
type Registry struct {
	engines   []Engine
	templates map[string]func() ([]Template, error) // by the name of their engine
}

// NewRegistry offers the engines in that order.
func NewRegistry(engines ...Engine) Registry {
	r := Registry{engines: engines, templates: map[string]func() ([]Template, error){}}
	for _, e := range engines {
		r.templates[e.Name()] = sync.OnceValues(e.Templates)
	}
	return r
}

// All returns the engines in the order they are offered.
func (r Registry) All() []Engine { return slices.Clone(r.engines) }

// Find returns the engine of that name.
func (r Registry) Find(name string) (Engine, bool) {
	for _, e := range r.engines {
		if e.Name() == name {
			return e, true
		}
	}
	return nil, false
}

// Templates returns those of the engine of that name. It asks the engine once only.
func (r Registry) Templates(name string) ([]Template, error) {
	templates, known := r.templates[name]
	if !known {
		return nil, nil
	}
	return templates()
}

// password draws 24 letters and digits: 143 bits, and nothing that a URL or a shell could
// misread.
func password() string {
	const (
		alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		fair     = 256 - 256%len(alphabet) // bytes from here on would favour the first letters
		length   = 24
	)
	drawn := make([]byte, 0, length)
	var random [2 * length]byte
	for len(drawn) < length {
		_, _ = rand.Read(random[:]) // never fails
		for _, b := range random {
			if int(b) < fair && len(drawn) < length {
				drawn = append(drawn, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(drawn)
}

// Offered are the engines of this version.
func Offered() Registry { return NewRegistry(WooCommerce{}, Medusa{}) }
