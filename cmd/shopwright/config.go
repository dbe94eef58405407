package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/notify"
)

// config is the configuration, from flags or from the environment with the prefix
// SHOPWRIGHT_. It is read once and validated as a whole.
type config struct {
	Addr           string `env:"SHOPWRIGHT_ADDR" default:"127.0.0.1:8080" help:"Address and port to listen on."`
	BaseURL        string `env:"SHOPWRIGHT_BASE_URL" help:"URL of the pages in a browser; derived from the address when empty. Production requires https://, except on loopback addresses."`
	HSTSSubdomains bool   `env:"SHOPWRIGHT_HSTS_SUBDOMAINS" name:"hsts-subdomains" help:"Extend HSTS to every host below the base URL’s host. Turn it on only if all of them have HTTPS, stores included."`

	EndDelay time.Duration `env:"SHOPWRIGHT_END_DELAY" default:"1s" help:"How long Shopwright still accepts requests after it is told to stop. /readyz fails during this time, so that proxies send requests elsewhere."`

	DataDir      string        `env:"SHOPWRIGHT_DATA_DIR" default:".data" help:"Directory for the SQLite database and the secret key."`
	DatabaseURL  string        `env:"SHOPWRIGHT_DATABASE_URL" secret:"" help:"postgres://… or sqlite:PATH; SQLite in the data directory when empty."`
	DatabaseWait time.Duration `env:"SHOPWRIGHT_DATABASE_WAIT" default:"1m" help:"How long to wait at startup for a database that doesn’t respond yet."`
	SecretKey    string        `env:"SHOPWRIGHT_SECRET_KEY" secret:"" help:"32 bytes in base64 that sign session cookies and encrypt the keys of backups; after a comma, older keys that are still accepted. Generated and kept in the data directory when empty; required in production."`

	Kubeconfig  string `env:"SHOPWRIGHT_KUBECONFIG" help:"Kubeconfig of the cluster for the stores. In a cluster, the pod’s service account is used when empty."`
	KubeContext string `env:"SHOPWRIGHT_KUBE_CONTEXT" help:"Context in the kubeconfig; required if the file has several."`
	DevCluster  string `env:"SHOPWRIGHT_DEV_CLUSTER" help:"Command that builds and runs a development control plane, used if no cluster is configured."`

	Environment     string `env:"SHOPWRIGHT_ENVIRONMENT" default:"local" help:"local or production: which values of the charts are used."`
	BaseDomain      string `env:"SHOPWRIGHT_BASE_DOMAIN" default:"localhost" help:"Domain for the stores’ host names."`
	URLPort         int    `env:"SHOPWRIGHT_STORE_URL_PORT" name:"store-url-port" help:"Port in the stores’ URLs, if the ingress is not on 80 or 443."`
	IngressClass    string `env:"SHOPWRIGHT_INGRESS_CLASS" help:"Ingress class of the stores; the cluster’s default when empty."`
	StorageClass    string `env:"SHOPWRIGHT_STORAGE_CLASS" help:"Storage class of new stores’ disks; the cluster’s default when empty."`
	TLSMode         string `env:"SHOPWRIGHT_TLS_MODE" name:"tls-mode" default:"none" help:"HTTPS of the stores: none, secret, cert-manager, or external if something in front of the ingress terminates HTTPS, such as a load balancer."`
	TLSSecret       string `env:"SHOPWRIGHT_TLS_SECRET" name:"tls-secret" help:"Secret with a wildcard certificate, for the mode secret. Each store gets a copy, which is kept up to date."`
	TLSIssuer       string `env:"SHOPWRIGHT_TLS_ISSUER" name:"tls-issuer" help:"ClusterIssuer, for the mode cert-manager."`
	Registry        string `env:"SHOPWRIGHT_IMAGE_REGISTRY" name:"image-registry" help:"Registry for the stores’ images; the public registries when empty."`
	PullSecret      string `env:"SHOPWRIGHT_IMAGE_PULL_SECRET" name:"image-pull-secret" help:"Secret for pulling the stores’ images. Each store gets a copy, which is kept up to date."`
	StoreSMTPSecret string `env:"SHOPWRIGHT_STORE_SMTP_SECRET" name:"store-smtp-secret" help:"Secret with host, from, username and password of the stores’ mail server. Each store gets a copy, which is kept up to date and which its owners can read."`
	StoreSMTPPort   int    `env:"SHOPWRIGHT_STORE_SMTP_PORT" name:"store-smtp-port" default:"587" help:"Port of that server. 465 uses TLS from the start, 587 STARTTLS, any other port TLS if the server offers it."`
	StoreSMTPCIDR   string `env:"SHOPWRIGHT_STORE_SMTP_CIDR" name:"store-smtp-cidr" help:"Network of that server if it is private, such as 10.0.3.0/24."`
	Namespace       string `env:"SHOPWRIGHT_NAMESPACE" default:"shopwright" help:"Namespace of the Secrets that are copied to stores."`
	StoreValues     string `env:"SHOPWRIGHT_STORE_VALUES" help:"Values that override those of the stores’ charts, by engine, in YAML or JSON, such as {ENGINE: {egress: {internet: false}}}."`

	MaxStores        int           `env:"SHOPWRIGHT_MAX_STORES" default:"0" help:"Stores in this installation; 0 for no limit."`
	MaxStoresPerUser int           `env:"SHOPWRIGHT_MAX_STORES_PER_USER" default:"5" help:"Stores per user, in all teams the user owns; 0 for no limit."`
	CreateRate       string        `env:"SHOPWRIGHT_CREATE_RATE" help:"Stores one user can create within a time, such as 5/5m; 0 for no limit. 5/5m when empty, no limit with the development login."`
	DefaultPlan      string        `env:"SHOPWRIGHT_DEFAULT_PLAN" default:"standard" help:"Plan of teams without a plan of their own."`
	MaxConcurrent    int           `env:"SHOPWRIGHT_MAX_CONCURRENT" default:"24" help:"Stores provisioned at the same time."`
	MaxRemovals      int           `env:"SHOPWRIGHT_MAX_REMOVALS" default:"24" help:"Stores deleted at the same time, not counting those that only wait for their namespace."`
	MaxChecks        int           `env:"SHOPWRIGHT_MAX_CHECKS" default:"4" help:"Ready stores checked at the same time."`
	MaxBackups       int           `env:"SHOPWRIGHT_MAX_BACKUPS" default:"4" help:"Stores backed up at the same time."`
	CheckInterval    time.Duration `env:"SHOPWRIGHT_CHECK_INTERVAL" default:"6h" help:"How often a ready store is checked, up to checkout; 0 for never."`
	ProvisionTimeout time.Duration `env:"SHOPWRIGHT_PROVISION_TIMEOUT" default:"10m" help:"Working time after which a store that is not ready fails."`

	KeepEvents  time.Duration `env:"SHOPWRIGHT_KEEP_EVENTS" default:"2160h" help:"How long to keep store events that are not in the audit log; 0 for ever. The audit log is kept for ever."`
	KeepDeleted time.Duration `env:"SHOPWRIGHT_KEEP_DELETED" default:"2160h" help:"How long to keep deleted stores in the database; 0 for ever."`
	KeepPoints  time.Duration `env:"SHOPWRIGHT_KEEP_DELETED_BACKUPS" name:"keep-deleted-backups" default:"720h" help:"How long to keep the restore points of deleted stores; 0 for ever."`
	KeepEnded   time.Duration `env:"SHOPWRIGHT_KEEP_ENDED" default:"720h" help:"How long to keep expired or used tokens, invitations and sessions in the database; 0 for ever."`

	GoogleClientID     string   `env:"SHOPWRIGHT_GOOGLE_CLIENT_ID" name:"google-client-id" help:"OAuth client ID at Google."`
	GoogleClientSecret string   `env:"SHOPWRIGHT_GOOGLE_CLIENT_SECRET" name:"google-client-secret" secret:"" help:"OAuth client secret at Google."`
	GitHubClientID     string   `env:"SHOPWRIGHT_GITHUB_CLIENT_ID" name:"github-client-id" help:"Client ID of an OAuth app at GitHub."`
	GitHubClientSecret string   `env:"SHOPWRIGHT_GITHUB_CLIENT_SECRET" name:"github-client-secret" secret:"" help:"Client secret of that app."`
	GitHubURL          string   `env:"SHOPWRIGHT_GITHUB_URL" name:"github-url" default:"https://github.com" help:"URL of GitHub, for GitHub Enterprise Server."`
	OIDCIssuer         string   `env:"SHOPWRIGHT_OIDC_ISSUER" name:"oidc-issuer" help:"URL of an OpenID Connect issuer."`
	OIDCClientID       string   `env:"SHOPWRIGHT_OIDC_CLIENT_ID" name:"oidc-client-id" help:"Client ID at that issuer."`
	OIDCClientSecret   string   `env:"SHOPWRIGHT_OIDC_CLIENT_SECRET" name:"oidc-client-secret" secret:"" help:"Client secret at that issuer."`
	OIDCDomains        []string `env:"SHOPWRIGHT_OIDC_DOMAINS" name:"oidc-domains" help:"Domains of the email addresses that this issuer assigns, separated by commas. A person with such an address becomes the user who has it."`
	OIDCTrustEmails    bool     `env:"SHOPWRIGHT_OIDC_TRUST_EMAILS" name:"oidc-trust-emails" help:"Treat email addresses as verified if this issuer doesn’t say whether they are, such as Microsoft Entra."`
	OIDCLabel          string   `env:"SHOPWRIGHT_OIDC_LABEL" name:"oidc-label" default:"single sign-on" help:"Name of that issuer on the sign-in page."`
	OIDC               string   `env:"SHOPWRIGHT_OIDC" name:"oidc" secret:"" help:"More issuers: a list in YAML or JSON of {name, label, issuer, clientID, clientSecret, scopes, domains, trustEmails}."`
	Admins             []string `env:"SHOPWRIGHT_ADMINS" help:"Verified email addresses of the administrators, separated by commas."`
	AllowedDomains     []string `env:"SHOPWRIGHT_ALLOWED_DOMAINS" help:"Anyone with a verified email address in these domains can sign in; * for everyone, and only invited people when empty."`

	SMTPHost     string `env:"SHOPWRIGHT_SMTP_HOST" name:"smtp-host" help:"Mail server for invitations and for messages about stores that are ready, failed or degraded; no mail when empty."`
	SMTPPort     int    `env:"SHOPWRIGHT_SMTP_PORT" name:"smtp-port" default:"587" help:"Port of that server. 465 uses TLS from the start, any other port STARTTLS."`
	SMTPUsername string `env:"SHOPWRIGHT_SMTP_USERNAME" name:"smtp-username" help:"User name for that server; no login when empty."`
	SMTPPassword string `env:"SHOPWRIGHT_SMTP_PASSWORD" name:"smtp-password" secret:"" help:"Password for that server."`
	SMTPFrom     string `env:"SHOPWRIGHT_SMTP_FROM" name:"smtp-from" help:"Sender of these mails, such as Shopwright <shops@example.com>."`
	SMTPPlain    bool   `env:"SHOPWRIGHT_SMTP_PLAIN" name:"smtp-plain" help:"Allow unencrypted mail if the server offers no encryption, and certificates that can’t be verified, such as on the same machine."`

	CORSOrigins []string `env:"SHOPWRIGHT_CORS_ORIGINS" name:"cors-origins" help:"Origins whose pages can use the JSON API from a browser, such as https://tools.example.com; none when empty."`

	MaxStreams        int `env:"SHOPWRIGHT_MAX_STREAMS" default:"2000" help:"Live pages open at the same time; further pages refresh every few seconds. 0 for no limit."`
	MaxStreamsPerUser int `env:"SHOPWRIGHT_MAX_STREAMS_PER_USER" default:"50" help:"Live pages per user; 0 for no limit."`

	RequestRate    string `env:"SHOPWRIGHT_REQUEST_RATE" help:"Requests per client address, and per token, within a time, such as 1200/m; 0 for no limit. 1200/m when empty, no limit with the development login."`
	SignInRate     string `env:"SHOPWRIGHT_SIGN_IN_RATE" name:"sign-in-rate" help:"Requests per client address to the sign-in pages. 30/m when empty, no limit with the development login."`
	TrustedProxies string `env:"SHOPWRIGHT_TRUSTED_PROXIES" help:"Networks of the proxies whose X-Forwarded-For is trusted, such as 10.0.3.0/24,fd00::/8; none when empty."`

	DevLogin bool   `env:"SHOPWRIGHT_DEV_LOGIN" help:"Let anyone on this machine sign in as the developer. Loopback addresses only."`
	LogLevel string `env:"SHOPWRIGHT_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`

	PprofAddr string `env:"SHOPWRIGHT_PPROF_ADDR" help:"Loopback address that serves Go’s profiles of this program, such as 127.0.0.1:6060; none when empty."`
}

// AfterApply trims white space from every setting: a line break is easily copied along, for example from echo.
func (c *config) AfterApply() error { //nolint:unparam // kong takes no other hook
	fields := reflect.ValueOf(c).Elem()
	for i := range fields.NumField() {
		switch value := fields.Field(i).Addr().Interface().(type) {
		case *string:
			*value = cutSpace(*value)
		case *[]string:
			for j := range *value {
				(*value)[j] = cutSpace((*value)[j])
			}
		}
	}
	return nil
}

// cutSpace trims white space, except the indentation of YAML with several lines.
func cutSpace(s string) string {
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	if strings.Contains(s, "\n") {
		return s
	}
	return strings.TrimSpace(s)
}

// validate returns all mistakes in one error.
func (c *config) validate() error {
	var wrong []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	err := checkAddress(c.Addr)
	check(err == nil, "SHOPWRIGHT_ADDR is %q: it must be HOST:PORT", c.Addr)
	check(err != nil || !c.DevLogin || isLoopback(c.Addr), "SHOPWRIGHT_DEV_LOGIN lets anyone sign in: it requires a loopback SHOPWRIGHT_ADDR, not %q", c.Addr)
	check(c.BaseURL == "" || isWebURL(c.BaseURL), "SHOPWRIGHT_BASE_URL is %q: it must start with http:// or https://", c.BaseURL)
	check(c.Environment != "production" || c.isConfidential(), "SHOPWRIGHT_BASE_URL is %q: production requires https://, or sessions travel unencrypted", c.BaseURL)
	check(isDomain(c.BaseDomain), "SHOPWRIGHT_BASE_DOMAIN is %q: it must be a domain, such as shops.example.com", c.BaseDomain)
	check(slices.Contains([]string{"local", "production"}, c.Environment), "SHOPWRIGHT_ENVIRONMENT is %q: it must be local or production", c.Environment)
	check(c.Environment != "production" || c.SecretKey != "", "SHOPWRIGHT_SECRET_KEY is missing: production requires one, such as the output of openssl rand -base64 32")
	check(c.Environment != "production" || !c.DevLogin, "SHOPWRIGHT_DEV_LOGIN must be off in production")
	check(c.SecretKey == "" || decodeKeys(c.SecretKey) != nil, "SHOPWRIGHT_SECRET_KEY must be %d bytes in base64, such as the output of openssl rand -base64 32, or several separated by commas", keySize)
	check(c.KubeContext == "" || c.Kubeconfig != "", "SHOPWRIGHT_KUBE_CONTEXT is set without SHOPWRIGHT_KUBECONFIG")
	check(c.URLPort >= 0 && c.URLPort < 1<<16, "SHOPWRIGHT_STORE_URL_PORT is %d: it must be a port", c.URLPort)
	check(c.MaxStores >= 0, "SHOPWRIGHT_MAX_STORES is %d: it must not be negative", c.MaxStores)
	check(c.MaxStoresPerUser >= 0, "SHOPWRIGHT_MAX_STORES_PER_USER is %d: it must not be negative", c.MaxStoresPerUser)
	check(c.MaxStreams >= 0, "SHOPWRIGHT_MAX_STREAMS is %d: it must not be negative", c.MaxStreams)
	check(c.MaxStreamsPerUser >= 0, "SHOPWRIGHT_MAX_STREAMS_PER_USER is %d: it must not be negative", c.MaxStreamsPerUser)
	check(c.MaxConcurrent > 0, "SHOPWRIGHT_MAX_CONCURRENT is %d: it must be at least 1", c.MaxConcurrent)
	check(c.MaxRemovals > 0, "SHOPWRIGHT_MAX_REMOVALS is %d: it must be at least 1", c.MaxRemovals)
	check(c.MaxChecks > 0, "SHOPWRIGHT_MAX_CHECKS is %d: it must be at least 1", c.MaxChecks)
	check(c.MaxBackups > 0, "SHOPWRIGHT_MAX_BACKUPS is %d: it must be at least 1", c.MaxBackups)
	check(c.ProvisionTimeout > 0, "SHOPWRIGHT_PROVISION_TIMEOUT is %s: it must be positive", c.ProvisionTimeout)
	check(c.KeepEvents >= 0 && c.KeepDeleted >= 0 && c.KeepEnded >= 0, "SHOPWRIGHT_KEEP_EVENTS, SHOPWRIGHT_KEEP_DELETED and SHOPWRIGHT_KEEP_ENDED are %s, %s and %s: they must not be negative", c.KeepEvents, c.KeepDeleted, c.KeepEnded)
	check(c.KeepPoints >= 0, "SHOPWRIGHT_KEEP_DELETED_BACKUPS is %s: it must not be negative", c.KeepPoints)
	check(c.CheckInterval == 0 || c.CheckInterval >= time.Minute, "SHOPWRIGHT_CHECK_INTERVAL is %s: it must be at least 1m, or 0 for never", c.CheckInterval)
	for _, origin := range c.CORSOrigins {
		check(isOrigin(origin), "SHOPWRIGHT_CORS_ORIGINS has %q: it must be a scheme and a host, such as https://tools.example.com", origin)
	}
	check(c.EndDelay >= 0, "SHOPWRIGHT_END_DELAY is %s: it must not be negative", c.EndDelay)
	check(c.DatabaseWait >= 0, "SHOPWRIGHT_DATABASE_WAIT is %s: it must not be negative", c.DatabaseWait)
	check(new(slog.Level).UnmarshalText([]byte(c.LogLevel)) == nil, "SHOPWRIGHT_LOG_LEVEL is %q: it must be debug, info, warn or error", c.LogLevel)
	check(c.PprofAddr == "" || checkAddress(c.PprofAddr) == nil && isLoopback(c.PprofAddr), "SHOPWRIGHT_PPROF_ADDR is %q: it must be HOST:PORT of a loopback address, such as 127.0.0.1:6060", c.PprofAddr)
	check(isName(c.Namespace), "SHOPWRIGHT_NAMESPACE is %q: "+mustBeName, c.Namespace)
	check(c.TLSSecret == "" || isName(c.TLSSecret), "SHOPWRIGHT_TLS_SECRET is %q: "+mustBeName, c.TLSSecret)
	check(c.PullSecret == "" || isName(c.PullSecret), "SHOPWRIGHT_IMAGE_PULL_SECRET is %q: "+mustBeName, c.PullSecret)
	check(c.StoreSMTPSecret == "" || isName(c.StoreSMTPSecret), "SHOPWRIGHT_STORE_SMTP_SECRET is %q: "+mustBeName, c.StoreSMTPSecret)
	check(c.StoreSMTPPort > 0 && c.StoreSMTPPort < 1<<16, "SHOPWRIGHT_STORE_SMTP_PORT is %d: it must be a port", c.StoreSMTPPort)
	check(c.StoreSMTPCIDR == "" || isNetwork(c.StoreSMTPCIDR), "SHOPWRIGHT_STORE_SMTP_CIDR is %q: it must be a network, such as 10.0.3.0/24", c.StoreSMTPCIDR)
	check(c.SMTPPort > 0 && c.SMTPPort < 1<<16, "SHOPWRIGHT_SMTP_PORT is %d: it must be a port", c.SMTPPort)
	check(c.SMTPHost == "" || notify.CheckAddress(c.SMTPFrom) == nil, "SHOPWRIGHT_SMTP_FROM is %q: it must be an address, such as shops@example.com, since SHOPWRIGHT_SMTP_HOST is set", c.SMTPFrom)
	check(c.SMTPPassword == "" || c.SMTPUsername != "", "SHOPWRIGHT_SMTP_PASSWORD is set without SHOPWRIGHT_SMTP_USERNAME")
	wrong = append(wrong, c.validateRates(), c.validateProxies(), c.validateSignIn(), c.validateTLS(), c.validateStoreValues(), c.validateKubeconfig())
	if err := errors.Join(wrong...); err != nil {
		return usageError{fmt.Errorf("the configuration is invalid:\n%w", err)}
	}
	return nil
}

func (c *config) validateTLS() error {
	switch engine.TLSMode(c.TLSMode) {
	case engine.TLSNone, engine.TLSExternal:
		return nil
	case engine.TLSSecret:
		if c.TLSSecret == "" {
			return errors.New("SHOPWRIGHT_TLS_MODE is secret, but SHOPWRIGHT_TLS_SECRET is missing")
		}
	case engine.TLSCertManager:
		if c.TLSIssuer == "" {
			return errors.New("SHOPWRIGHT_TLS_MODE is cert-manager, but SHOPWRIGHT_TLS_ISSUER is missing")
		}
	default:
		return fmt.Errorf("SHOPWRIGHT_TLS_MODE is %q: it must be none, secret, cert-manager or external", c.TLSMode)
	}
	return nil
}

// validateStoreValues renders the charts with the values: their schemas say which ones they accept.
func (c *config) validateStoreValues() error {
	values, err := c.storeValues()
	if err != nil {
		return fmt.Errorf("SHOPWRIGHT_STORE_VALUES must be maps of values by engine, in YAML or JSON (%w)", err)
	}
	if err := provisioner.CheckValues(engine.Offered(), engine.Spec{Environment: c.Environment, TLS: engine.TLS{Mode: engine.TLSNone}, Values: values}); err != nil {
		return fmt.Errorf("SHOPWRIGHT_STORE_VALUES does not fit: %w", err)
	}
	return nil
}

func (c *config) storeValues() (values engine.Values, err error) {
	err = yaml.UnmarshalStrict([]byte(c.StoreValues), &values)
	return values, err
}

// validateKubeconfig checks that a configured kubeconfig names a cluster. It does not contact the cluster.
func (c *config) validateKubeconfig() error {
	if c.Kubeconfig == "" {
		return nil
	}
	cluster, err := loadKubeconfig(c.Kubeconfig, c.KubeContext)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("SHOPWRIGHT_KUBECONFIG is %q, which the user %d can’t read: provide a readable copy, such as the output of kubectl config view --raw --minify --flatten", c.Kubeconfig, os.Getuid())
	case err == nil && cluster.ExecProvider != nil:
		if _, err := exec.LookPath(cluster.ExecProvider.Command); err != nil {
			return fmt.Errorf("SHOPWRIGHT_KUBECONFIG is %q, which gets its credentials from the program %s, but it isn’t installed: install it, or use a kubeconfig with a service account token", c.Kubeconfig, cluster.ExecProvider.Command)
		}
	case err == nil:
		_, err = rest.TransportFor(cluster)
	}
	if err != nil {
		return fmt.Errorf("SHOPWRIGHT_KUBECONFIG is %q: it must be the path of a readable kubeconfig with a cluster (%w)", c.Kubeconfig, err)
	}
	return nil
}

func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	return err
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isConfidential reports whether the connections of browsers are encrypted or local.
func (c *config) isConfidential() bool {
	if c.BaseURL == "" {
		return isLoopback(c.Addr)
	}
	u, err := url.Parse(c.BaseURL)
	return err == nil && (u.Scheme == "https" || isLoopback(net.JoinHostPort(u.Hostname(), "0")))
}

// site returns what all stores of this installation have in common.
func (c *config) site() engine.Spec {
	values, _ := c.storeValues() // validated before
	return engine.Spec{
		Environment: c.Environment, IngressClass: c.IngressClass, StorageClass: c.StorageClass,
		TLS:           engine.TLS{Mode: engine.TLSMode(c.TLSMode), Issuer: c.TLSIssuer},
		ImageRegistry: c.Registry, Values: values, SMTP: engine.SMTP{Port: c.StoreSMTPPort, CIDR: c.StoreSMTPCIDR},
	}
}

// shared returns the Secrets that the stores get copies of.
func (c *config) shared() provisioner.Shared {
	shared := provisioner.Shared{Namespace: c.Namespace, PullSecret: c.PullSecret, Mail: c.StoreSMTPSecret}
	if engine.TLSMode(c.TLSMode) == engine.TLSSecret {
		shared.Certificate = c.TLSSecret
	}
	return shared
}

// mail returns the mail server, or nil if no mail is sent.
func (c *config) mail() notify.Sender {
	if c.SMTPHost == "" {
		return nil
	}
	return notify.SMTP{
		Host: c.SMTPHost, Port: c.SMTPPort, Username: c.SMTPUsername, Password: c.SMTPPassword, From: c.SMTPFrom, Plain: c.SMTPPlain,
	}
}

// baseURL returns the URL of the pages for browsers. If none is configured and the server listens on all
// addresses of this machine, it is a URL that works on this machine.
func (c *config) baseURL(addr string) string {
	if c.BaseURL != "" {
		return strings.TrimSuffix(c.BaseURL, "/")
	}
	return "http://" + hereAt(addr)
}

func (c *config) databaseURL() string {
	if c.DatabaseURL != "" {
		return c.DatabaseURL
	}
	return "sqlite:" + filepath.Join(c.DataDir, "shopwright.db")
}

const (
	keySize = 32
	keyFile = "session.key"
)

// sessionKeys returns the configured keys, or the one in the data directory, which is created at the
// first start.
func (c *config) sessionKeys() ([][]byte, error) {
	if c.SecretKey != "" {
		return decodeKeys(c.SecretKey), nil
	}
	path := filepath.Join(c.DataDir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	keys := decodeKeys(string(text))
	if keys == nil {
		return nil, fmt.Errorf("the secret key in %s is damaged: restore it from a copy; or remove the file, then everyone has to sign in again and backups can’t be read", path)
	}
	return keys, nil
}

func makeKey(path string) ([][]byte, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	err := writeSecret(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n"))
	if errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("the disk is full. Free up space, then start Shopwright again: it must keep its secret key (%w)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("keep the secret key: %w", err)
	}
	return [][]byte{key}, nil
}

// decodeKeys returns nil if any part is not a key.
func decodeKeys(text string) (keys [][]byte) {
	for part := range strings.SplitSeq(text, ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(key) != keySize {
			return nil
		}
		keys = append(keys, key)
	}
	return keys
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// isOrigin reports whether the text is an origin in the form that browsers send, see RFC 6454, section 6.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && isWebURL(s) && s == u.Scheme+"://"+u.Host
}

var domainPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

func isNetwork(s string) bool {
	network, err := netip.ParsePrefix(s)
	return err == nil && network == network.Masked() // as Kubernetes requires
}

// isName reports whether Kubernetes accepts the text as the name of a Secret.
func isName(s string) bool { return isDomain(s) }

const mustBeName = "it must be a Kubernetes name of lowercase letters, digits and dashes"

func isDomain(s string) bool { return len(s) <= 200 && domainPattern.MatchString(s) }

// configCmd prints the configuration.
type configCmd struct {
	config `embed:""`
}

// Run implements the subcommand.
func (c *configCmd) Run(stdout io.Writer) error {
	for _, line := range describe(c.config) {
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return err
		}
	}
	return c.validate()
}

// describe lists all settings as NAME=value, without the values of secrets.
func describe(c config) []string {
	var lines []string
	for _, field := range settings(c) {
		value := field.value
		if field.secret && value != "" {
			value = "(set)"
		}
		lines = append(lines, field.env+"="+strconv.Quote(value))
	}
	return lines
}
