package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/provisioner/notify"
)

// outbox keeps what would be sent, or refuses to send.
type outbox struct {
	sent   []notify.Message
	refuse bool
}

// Send implements notify.Sender.
func (o *outbox) Send(_ context.Context, m notify.Message) error {
	if o.refuse {
		return errors.New("the mail server is away")
	}
	o.sent = append(o.sent, m)
	return nil
}

func TestInvitationsAreMailed(t *testing.T) {
	t.Parallel()
	mails := &outbox{}
	s := open(prepareWith(t, func(c *handlers.Config) { c.Mail = mails }))
	mara := s.person("mara")
	team := s.team(mara, "Nordlicht")

	made := s.submit(mara, team+"/invitations", url.Values{"email": {"guest@example.com"}, "role": {"viewer"}})
	if made.status != http.StatusOK || !strings.Contains(made.body, "The invitation was sent to") {
		t.Errorf("invited: %d", made.status)
	}
	if len(mails.sent) != 1 || mails.sent[0].To != "guest@example.com" || !strings.Contains(mails.sent[0].Text, "http://127.0.0.1/invitations?key=") {
		t.Fatalf("sent %+v", mails.sent)
	}
	if key := keyIn(mails.sent[0].Text); !strings.Contains(made.body, key) || !strings.Contains(mails.sent[0].HTML, "/invitations?key="+key) {
		t.Error("the mail's parts and the page have different links")
	}
	s.post(mara, team+"/invitations", url.Values{"role": {"viewer"}})
	if len(mails.sent) != 1 {
		t.Errorf("a link for anybody is mailed: %+v", mails.sent)
	}

	mails.refuse = true
	failed := s.submit(mara, team+"/invitations", url.Values{"email": {"other@example.com"}, "role": {"viewer"}})
	if failed.status != http.StatusOK || !strings.Contains(failed.body, "The mail couldn’t be sent") || !strings.Contains(failed.body, "/invitations?key=") {
		t.Errorf("without a mail server: %d", failed.status)
	}
	if said := s.log.String(); strings.Count(said, "invitation mail not sent") != 1 || strings.Contains(said, "key=") {
		t.Errorf("the log says:\n%s", said)
	}
}

// However often somebody presses a button, a stranger's mailbox stays usable.
func TestRenewedInvitationsAreMailedWithinLimits(t *testing.T) {
	t.Parallel()
	mails := &outbox{}
	s := open(prepareWith(t, func(c *handlers.Config) { c.Mail = mails }))
	mara := s.person("mara")
	team := s.team(mara, "Nordlicht")
	made := s.submit(mara, team+"/invitations", url.Values{"email": {"guest@example.com"}, "role": {"viewer"}})
	renew := regexp.MustCompile(`action="(/teams/[^"]+/renew)"`).FindStringSubmatch(made.body)
	if renew == nil {
		t.Fatalf("no button renews the invitation: %s", made.body)
	}
	for range 20 {
		again := s.submit(mara, renew[1], nil)
		if again.status != http.StatusOK || !strings.Contains(again.body, "The invitation wasn’t mailed: This invitation was mailed less than 10 minutes ago. Send the link yourself.") ||
			!strings.Contains(again.body, "/invitations?key=") {
			t.Fatalf("renewed: %d %s", again.status, again.body)
		}
	}
	if len(mails.sent) != 1 {
		t.Errorf("%d mails are sent", len(mails.sent))
	}
}

// keyIn is the key of the link in the text.
func keyIn(text string) string {
	_, after, _ := strings.Cut(text, "key=")
	key, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(key)
}
