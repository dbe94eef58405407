// Package pki makes the certificates and keys of one development cluster: a certificate authority of its own,
// a serving certificate for everything that listens on the loopback address, one client certificate for each
// component and the key pair that signs service account tokens. It knows nothing of processes or ports.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity is long because a development cluster has nobody to renew its certificates.
const validity = 10 * 365 * 24 * time.Hour

// client names the holder of a client certificate as the API server sees it.
type client struct {
	file, user, group string
}

// clients are the components that sign in with a certificate. Only admin, kwok (which plays every node) and the
// API server's own calls to kubelets are cluster admins; the others get what Kubernetes' default roles give them.
func clients() []client {
	return []client{
		{"admin", "admin", "system:masters"},
		{"controller-manager", "system:kube-controller-manager", ""},
		{"scheduler", "system:kube-scheduler", ""},
		{"kwok", "kwok", "system:masters"},
		{"kubelet-client", "kube-apiserver-kubelet-client", "system:masters"},
		{"etcd-client", "kube-apiserver-etcd-client", ""},
		{"kubelet", "system:node:node-1", "system:nodes"},
		{"proxy", "system:kube-proxy", ""},
	}
}

// Ensure fills dir with the cluster's certificates, and leaves a dir that exists as it is. For each NAME there are
// NAME.crt and NAME.key: ca, server, admin, controller-manager, scheduler, kwok, kubelet-client, etcd-client, kubelet,
// proxy; and sa.key with sa.pub for service account tokens. Servers are found at the loopback address and at
// addresses.
func Ensure(dir string, addresses ...net.IP) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".new-")
	if err != nil {
		return fmt.Errorf("make a directory for certificates: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := generate(tmp, time.Now(), addresses); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("put certificates in place: %w", err)
	}
	return nil
}

func generate(dir string, now time.Time, addresses []net.IP) error {
	ca, err := newAuthority(dir, now)
	if err != nil {
		return fmt.Errorf("make the certificate authority: %w", err)
	}
	if err := ca.issue("server", serverTemplate(addresses)); err != nil {
		return fmt.Errorf("make the serving certificate: %w", err)
	}
	for _, c := range clients() {
		if err := ca.issue(c.file, clientTemplate(c)); err != nil {
			return fmt.Errorf("make the certificate of %s: %w", c.file, err)
		}
	}
	return generateTokenKey(dir)
}

// authority signs certificates and writes them to dir.
type authority struct {
	dir  string
	now  time.Time
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(dir string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "devcluster"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	ca := &authority{dir: dir, now: now, cert: template, key: key}
	if err := ca.write("ca", template, key); err != nil {
		return nil, err
	}
	return ca, nil
}

func (ca *authority) issue(name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return ca.write(name, template, key)
}

func (ca *authority) write(name string, template *x509.Certificate, key *ecdsa.PrivateKey) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template.SerialNumber = serial
	template.NotBefore = ca.now.Add(-time.Hour)
	template.NotAfter = ca.now.Add(validity)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(ca.dir, name+".crt"), "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(filepath.Join(ca.dir, name+".key"), key)
}

func serverTemplate(addresses []net.IP) *x509.Certificate {
	return &x509.Certificate{
		Subject:  pkix.Name{CommonName: "kube-apiserver"},
		KeyUsage: x509.KeyUsageDigitalSignature,
		// etcd's HTTP gateway is a client of its own server.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		// 10.96.0.1 is the first address of the service range: the "kubernetes" Service.
		IPAddresses: append([]net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)}, addresses...),
		DNSNames: []string{
			"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		},
	}
}

func clientTemplate(c client) *x509.Certificate {
	subject := pkix.Name{CommonName: c.user}
	if c.group != "" {
		subject.Organization = []string{c.group}
	}
	return &x509.Certificate{
		Subject:     subject,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func generateTokenKey(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the token key: %w", err)
	}
	if err := writeKey(filepath.Join(dir, "sa.key"), key); err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("encode the token key: %w", err)
	}
	return writePEM(filepath.Join(dir, "sa.pub"), "PUBLIC KEY", der)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	return writePEM(path, "PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
