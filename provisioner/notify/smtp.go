package notify

import (
	"context"
	"crypto/tls"
	"fmt"
	netmail "net/mail"
	"slices"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// SMTP is a mail server.
type SMTP struct {
	Host     string
	Port     int
	Username string // nobody signs in when empty
	Password string
	From     string // address, with or without a name
	// Plain allows passwords and mails to go unencrypted where the server offers no TLS, and to
	// a server whose certificate cannot be verified, which is no worse.
	Plain bool
}

const (
	implicitTLS = 465 // RFC 8314, section 3.3
	sendTimeout = 30 * time.Second
)

// CheckAddress returns why mail cannot be from or to the address.
func CheckAddress(address string) error { return mail.NewMsg().From(address) }

// Send implements [Sender]. The connection is encrypted: from the start on port 465, and by
// STARTTLS elsewhere.
func (s SMTP) Send(ctx context.Context, m Message) error {
	message, err := s.message(m)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(s.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("use the mail server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		return fmt.Errorf("send mail through %s: %w", s.Host, err)
	}
	return nil
}

func (s SMTP) options() []mail.Option {
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(sendTimeout)}
	switch {
	case s.Port == implicitTLS:
		options = append(options, mail.WithSSL())
	case s.Plain:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.Plain {
		options = append(options, mail.WithTLSConfig(&tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true})) //nolint:gosec // see Plain
	}
	switch {
	case s.Username == "":
		return options
	case s.Plain:
		return append(options, mail.WithSMTPAuthCustom(&passwordAuth{server: s}))
	}
	return append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.Username), mail.WithPassword(s.Password))
}

// passwordAuth signs in with whichever mechanism the server offers, encrypted or not. The
// library's own choice sends no password in the clear.
type passwordAuth struct {
	server SMTP
	smtp.Auth
}

// Start implements smtp.Auth.
func (a *passwordAuth) Start(server *smtp.ServerInfo) (mechanism string, first []byte, err error) {
	name, password, host := a.server.Username, a.server.Password, a.server.Host
	const evenInTheClear = true
	switch {
	case slices.Contains(server.Auth, "SCRAM-SHA-256"):
		a.Auth = smtp.ScramSHA256Auth(name, password)
	case slices.Contains(server.Auth, "CRAM-MD5"):
		a.Auth = smtp.CRAMMD5Auth(name, password)
	case slices.Contains(server.Auth, "PLAIN"):
		a.Auth = smtp.PlainAuth("", name, password, host, evenInTheClear)
	case slices.Contains(server.Auth, "LOGIN"):
		a.Auth = smtp.LoginAuth(name, password, host, evenInTheClear)
	default:
		return "", nil, fmt.Errorf("the mail server offers no known way to sign in, only %q", server.Auth)
	}
	return a.Auth.Start(server)
}

func (s SMTP) message(m Message) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := message.From(s.From); err != nil {
		return nil, fmt.Errorf("write from %q: %w", s.From, err)
	}
	to := netmail.Address{Name: m.Name, Address: m.To} // which quotes every name
	if err := message.To(to.String()); err != nil {
		return nil, fmt.Errorf("write to a recipient: %w", err)
	}
	message.Subject(m.Subject)
	message.SetDate()
	message.SetMessageID()
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's autoresponder is to answer
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	message.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return message, nil
}
