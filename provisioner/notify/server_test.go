package notify_test

import (
	"crypto/tls"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"shopwright.dev/shopwright/provisioner/notify"
)

// loginServer is the server's side of LOGIN, which asks for the name and then for the password.
type loginServer struct {
	check func(name, password string) error
	asked int
	name  string
}

// Next implements sasl.Server.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.name = string(response)
		return []byte("Password:"), false, nil
	case 3:
		return nil, true, l.check(l.name, string(response))
	}
	return nil, false, errors.New("nothing more is asked for")
}

// withOwnCertificate offers STARTTLS with a certificate that nobody has signed, as Postfix does
// when it was just installed.
func withOwnCertificate(_ *postOffice, server *smtp.Server) {
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	server.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	web.Close()
}

func withLoginOnly(office *postOffice, _ *smtp.Server) { office.login = true }

func note() notify.Message {
	return notify.Message{To: "noa@example.com", Name: "Noa", Subject: "Tea", Text: "x", HTML: "x"}
}

// With SMTP_PLAIN mail servers are taken as they are.
func TestMailServersAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string][]func(*postOffice, *smtp.Server){
		"plain": nil, "own certificate": {withOwnCertificate}, "LOGIN only": {withLoginOnly}, "both": {withOwnCertificate, withLoginOnly},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := openPostOffice(t, prepare...)
			if err := office.server().Send(t.Context(), note()); err != nil {
				t.Fatal(err)
			}
			if got := office.next(); got.to != "noa@example.com" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Without SMTP_PLAIN the certificate must be good.
func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	server := openPostOffice(t, withOwnCertificate).server()
	server.Plain = false
	if err := server.Send(t.Context(), note()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("sent to a server that anybody may be: %v", err)
	}
}

func TestNamesThatMailMustQuote(t *testing.T) {
	t.Parallel()
	office := openPostOffice(t)
	for _, name := range []string{`Noa \`, `Noa "the baker"`, "Nöa", `a\b`, "<x@evil.example>", "", `\"`, "Noa, Ida"} {
		m := note()
		m.Name = name
		if err := office.server().Send(t.Context(), m); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := office.next(); got.to != "noa@example.com" {
			t.Errorf("%q: sent to %s", name, got.to)
		}
	}
}
