package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/wneessen/go-mail"
)

// SMTP is a mail server.
type SMTP struct {
	Host     string
	Port     int
	Username string // nobody signs in when empty
	Password string
	From     string // address, with or without a name
	// Plain allows passwords and mails to go unencrypted where the server offers no TLS.
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
	if s.Username == "" {
		return options
	}
	auth := mail.SMTPAuthAutoDiscover // which gives no password away without encryption
	if s.Plain {
		auth = mail.SMTPAuthPlainNoEnc
	}
	return append(options, mail.WithSMTPAuth(auth), mail.WithUsername(s.Username), mail.WithPassword(s.Password))
}

func (s SMTP) message(m Message) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := message.From(s.From); err != nil {
		return nil, fmt.Errorf("write from %q: %w", s.From, err)
	}
	if err := message.AddToFormat(m.Name, m.To); err != nil {
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
