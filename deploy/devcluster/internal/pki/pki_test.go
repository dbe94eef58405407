package pki

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestEnsureMakesCertificatesThatVerify(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pki")
	if err := Ensure(dir); err != nil {
		t.Fatal(err)
	}
	roots := authorityPool(t, dir)

	server := certificate(t, dir, "server")
	for _, host := range []string{"127.0.0.1", "localhost", "kubernetes.default.svc"} {
		options := x509.VerifyOptions{Roots: roots, DNSName: host}
		if _, err := server.Verify(options); err != nil {
			t.Errorf("the serving certificate does not serve %s: %v", host, err)
		}
	}
	for _, c := range clients() {
		cert := certificate(t, dir, c.file)
		options := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if _, err := cert.Verify(options); err != nil {
			t.Errorf("%s: %v", c.file, err)
		}
		if cert.Subject.CommonName != c.user {
			t.Errorf("%s signs in as %q, want %q", c.file, cert.Subject.CommonName, c.user)
		}
		if left := time.Until(cert.NotAfter); left < 9*365*24*time.Hour {
			t.Errorf("%s runs out in %v", c.file, left)
		}
	}
}

func TestEnsureKeepsWhatIsThereAndHidesKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pki")
	if err := Ensure(dir); err != nil {
		t.Fatal(err)
	}
	before := certificate(t, dir, "ca")
	if err := Ensure(dir); err != nil {
		t.Fatal(err)
	}
	if !certificate(t, dir, "ca").Equal(before) {
		t.Error("a second Ensure made another certificate authority")
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, error %v", f.Name(), info.Mode().Perm(), err)
		}
	}
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pki")
	if err := Ensure(dir); err != nil {
		t.Fatal(err)
	}
	roots := authorityPool(t, dir)
	serverEnd, clientEnd := net.Pipe()
	server := tls.Server(serverEnd, &tls.Config{
		Certificates: []tls.Certificate{pair(t, dir, "server")},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    roots,
	})
	client := tls.Client(clientEnd, &tls.Config{
		Certificates: []tls.Certificate{pair(t, dir, "admin")},
		RootCAs:      roots,
		ServerName:   "127.0.0.1",
	})
	failed := make(chan error, 1)
	go func() { failed <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if got := server.ConnectionState().PeerCertificates[0].Subject.Organization; len(got) != 1 || got[0] != "system:masters" {
		t.Errorf("admin's groups: %v", got)
	}
}

func pair(t *testing.T, dir, name string) tls.Certificate {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func certificate(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	return pair(t, dir, name).Leaf
}

func authorityPool(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(certificate(t, dir, "ca"))
	return pool
}
