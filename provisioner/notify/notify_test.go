package notify_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"shopwright.dev/shopwright/provisioner/notify"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// patience is how long a test waits for what must come.
const patience = 15 * time.Minute

// received is a mail as it reached the server.
type received struct {
	to      string
	subject string
	text    string
	html    string
}

// postOffice is a mail server in the test.
type postOffice struct {
	t     *testing.T
	mails chan received
	port  int
	login bool // whether people sign in with LOGIN, and in no other way
}

func openPostOffice(t *testing.T, prepare ...func(*postOffice, *smtp.Server)) *postOffice {
	t.Helper()
	office := &postOffice{t: t, mails: make(chan received, 100)}
	server := smtp.NewServer(office)
	for _, do := range prepare {
		do(office, server)
	}
	server.AllowInsecureAuth = true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	office.port = listener.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return office
}

// NewSession implements smtp.Backend.
func (o *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{office: o}, nil }

type session struct {
	office  *postOffice
	trusted bool
	to      string
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.office.login {
		return []string{sasl.Login}
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	if s.office.login {
		return &loginServer{check: s.check}, nil
	}
	return sasl.NewPlainServer(func(_, name, password string) error { return s.check(name, password) }), nil
}

func (s *session) check(name, password string) error {
	if s.trusted = name == "shopwright" && password == ofTheServer; !s.trusted {
		return errors.New("wrong password")
	}
	return nil
}

// Mail implements smtp.Session.
func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.trusted {
		return smtp.ErrAuthRequired
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return err
	}
	got := received{to: s.to, subject: subject}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			s.office.mails <- got
			return nil
		}
		if err != nil {
			return err
		}
		body, err := io.ReadAll(part) // NextPart has decoded what is quoted-printable
		if err != nil {
			return err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			got.html = string(body)
		} else {
			got.text = string(body)
		}
	}
}

// Reset implements smtp.Session.
func (s *session) Reset() {}

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

func (o *postOffice) next() received {
	o.t.Helper()
	select {
	case m := <-o.mails:
		o.wantNoPassword(m)
		return m
	case <-time.After(patience):
		o.t.Fatal("no mail has come")
		return received{}
	}
}

// Passwords of the tests, which are in what mails are made of, or in what sends them.
const (
	ofTheServer = "kRv0smtpServer"
	ofTheShop   = "kRv0adminOfTheShop"
)

// wantNoPassword expects that no part of the mail has one, or speaks of one.
func (o *postOffice) wantNoPassword(m received) {
	o.t.Helper()
	all := strings.ToLower(m.subject + "\n" + m.text + "\n" + m.html)
	for _, word := range []string{ofTheServer, ofTheShop, "password"} {
		if strings.Contains(all, strings.ToLower(word)) {
			o.t.Errorf("the mail %q has %s:\n%s", m.subject, word, all)
		}
	}
}

func (o *postOffice) server() notify.SMTP {
	return notify.SMTP{Host: "127.0.0.1", Port: o.port, Username: "shopwright", Password: ofTheServer, From: "Shopwright <shops@example.com>", Plain: true}
}

// run sends what the database says until the test ends.
func run(t *testing.T, db *database.DB, sender notify.Sender, log io.Writer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	if err := db.QueueMail(ctx); err != nil { // from now on
		t.Fatal(err)
	}
	n := &notify.Notifier{DB: db, BaseURL: "https://shops.example.com", Sender: sender, Log: slog.New(slog.NewTextHandler(log, nil))}
	go func() { defer close(done); n.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func create(t *testing.T, db *database.DB, actor store.Actor, team, name string) store.Claim {
	t.Helper()
	_, err := db.CreateStore(t.Context(), actor, store.NewStore{TeamID: team, Cluster: storetest.Cluster(t, db), Name: name, Engine: "woocommerce"})
	if err != nil {
		t.Fatal(err)
	}
	claim, ok, err := db.Claim(t.Context(), "test", time.Hour, store.Concurrency{})
	if err != nil || !ok {
		t.Fatalf("claim: %v %v", ok, err)
	}
	return claim
}

func TestPeopleAreTold(t *testing.T) {
	t.Parallel()
	db, office := storetest.SQLite(t), openPostOffice(t)
	actor, team := storetest.Actor(t, db, "mara")
	run(t, db, office.server(), io.Discard)

	c := create(t, db, actor, team, "Käse & Brot\u202e")
	opened := store.Opened{URL: "https://kaese.shops.example.com", Check: store.Check{OK: true}}
	if _, err := db.Complete(t.Context(), c, opened); err != nil {
		t.Fatal(err)
	}
	ready := office.next()
	if ready.to != "mara@example.com" || ready.subject != "“Käse & Brot” is ready" {
		t.Errorf("told %s of %q", ready.to, ready.subject)
	}
	for _, want := range []string{"https://shops.example.com/stores/" + c.Store.ID, "A test order passed"} {
		if !strings.Contains(ready.text, want) || !strings.Contains(ready.html, want) {
			t.Errorf("%q is not in both\n%s\n%s", want, ready.text, ready.html)
		}
	}
	if !strings.Contains(ready.html, "Käse &amp; Brot") || strings.ContainsRune(ready.text+ready.html, '\u202e') {
		t.Errorf("the store's name is not safe to read:\n%s", ready.html)
	}

	c = create(t, db, actor, team, "Broken")
	told := []string{"ADMIN_PASSWORD=" + ofTheShop} // by the cluster, for those who may see the store's page
	failure := store.Failure{
		Code: store.ImageNotPulled, Facts: store.Facts{Pod: "wordpress-0", Container: "wordpress", Image: "<b>wordpress</b>:9"},
		HelmLog: told, LastWords: store.LastWords{Pod: "wordpress-0", Lines: told},
	}
	if _, err := db.Fail(t.Context(), c, failure); err != nil {
		t.Fatal(err)
	}
	failed := office.next()
	if failed.subject != "“Broken” failed: An image can’t be pulled" || !strings.Contains(failed.text, "can’t pull the image <b>wordpress</b>:9") || !strings.Contains(failed.text, "then press Retry") || strings.Contains(failed.html, "<b>wordpress") {
		t.Errorf("told %+v", failed)
	}
}

// Where nothing can be bought, nobody is told that something was.
func TestSimulatedShopsAreNotSaidToSell(t *testing.T) {
	t.Parallel()
	db, office := storetest.SQLite(t), openPostOffice(t)
	actor, team := storetest.Actor(t, db, "mara")
	run(t, db, office.server(), io.Discard)
	c := create(t, db, actor, team, "Toy")
	if _, err := db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true, Simulated: true}}); err != nil {
		t.Fatal(err)
	}
	if ready := office.next(); ready.subject != "“Toy” is ready" || strings.Contains(ready.text+ready.html, "test order passed") || !strings.Contains(ready.text, "no test order was placed") {
		t.Errorf("told %+v", ready)
	}
}

// sell brings the store to its end, and lets its next check be due at once.
func sell(t *testing.T, db *database.DB, c store.Claim) {
	t.Helper()
	opened := store.Opened{URL: "https://kaese.shops.example.com", Check: store.Check{OK: true}, Next: time.Nanosecond}
	if _, err := db.Complete(t.Context(), c, opened); err != nil {
		t.Fatal(err)
	}
	if err := db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// check writes down what came of the check that is due.
func check(t *testing.T, db *database.DB, came store.Check) {
	t.Helper()
	c, ok, err := db.Claim(t.Context(), "checker", time.Hour, store.Concurrency{Checks: 1})
	if err != nil || !ok {
		t.Fatalf("no check is due: %v", err)
	}
	if _, err := db.RecordCheck(t.Context(), c, came, time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	if err := db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// Those who run the team are told of a shop in which nobody can buy, once, and not at the
// first check that fails.
func TestTeamIsToldOfAShopThatDoesNotSell(t *testing.T) {
	t.Parallel()
	db, office := storetest.SQLite(t), openPostOffice(t)
	actor, team := storetest.Actor(t, db, "mara")
	c := create(t, db, actor, team, "Käse & Brot")
	run(t, db, office.server(), io.Discard)
	sell(t, db, c)
	office.next() // that it is ready
	came := store.Check{Failed: "Cart", Note: store.Quote("The cart <i>stays</i> empty.")}
	for range 3 {
		check(t, db, came)
	}
	told := office.next()
	if told.to != "mara@example.com" || told.subject != "“Käse & Brot” is degraded: the order check failed" {
		t.Errorf("told %s of %q", told.to, told.subject)
	}
	for _, want := range []string{"failed twice in a row", "Cart: The cart", "https://shops.example.com/stores/" + c.Store.ID, "You manage this store’s team"} {
		if !strings.Contains(told.text, want) || !strings.Contains(told.html, want) {
			t.Errorf("%q is not in both\n%s\n%s", want, told.text, told.html)
		}
	}
	if strings.Contains(told.html, "<i>stays") {
		t.Errorf("what the shop says is taken for HTML:\n%s", told.html)
	}
	check(t, db, store.Check{OK: true})
	c = create(t, db, actor, team, "Next")
	if _, err := db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil {
		t.Fatal(err)
	}
	if next := office.next(); next.subject != "“Next” failed: Timed out" {
		t.Errorf("told again, of %q", next.subject)
	}
}

// away is a mail server that does not answer.
type away struct{ tried chan struct{} }

// Send implements notify.Sender.
func (a away) Send(context.Context, notify.Message) error {
	a.tried <- struct{}{}
	return errors.New("the mail server is away")
}

// TestMailSurvivesAServerThatIsAway shows that a mail that could not be sent stays queued,
// and that the log says so once a try and without what it holds.
func TestMailSurvivesAServerThatIsAway(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	actor, team := storetest.Actor(t, db, "mara")
	log, server := &strings.Builder{}, away{tried: make(chan struct{}, 1)}
	t.Run("away", func(t *testing.T) {
		run(t, db, server, log)
		c := create(t, db, actor, team, "Shop")
		if _, err := db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true}}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-server.tried:
		case <-time.After(patience):
			t.Fatal("nothing was tried")
		}
	})
	if said := log.String(); strings.Count(said, "mail not sent") != 1 || strings.Contains(said, "mara@") {
		t.Errorf("the log says:\n%s", said)
	}
}

// What strangers read in the name of Shopwright are its own words, and no links of others.
func TestInvitationQuotesItsAuthor(t *testing.T) {
	t.Parallel()
	m, err := notify.Invite(notify.Invitation{
		Email: "noa@example.com", Role: store.Viewer, Link: "https://shops.example.com/invitations?key=k",
		From: "Support” of your bank", Team: "URGENT: your account is locked, go to https://evil.example/unlock?now=" + strings.Repeat("x", 100),
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "“Support of your bank” invites you to “URGENT your account is locked, go to ht…” on Shopwright"; m.Subject != want {
		t.Errorf("the subject is %q, want %q", m.Subject, want)
	}
	m, err = notify.Invite(notify.Invitation{Email: "noa@example.com", From: "www.evil.example", Team: "https://evil.example/x", Link: "https://shops.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{m.Subject, m.Text, m.HTML} {
		if strings.Contains(part, "evil.example") || strings.Contains(part, "://evil") {
			t.Errorf("a link of the author's in %q", part)
		}
	}
}

func TestWrongPasswordIsAnError(t *testing.T) {
	t.Parallel()
	office := openPostOffice(t)
	server := office.server()
	server.Password = "other"
	message, err := notify.Invite(notify.Invitation{Email: "noa@example.com", Team: "Bakers", Role: store.Viewer, From: "Mara", Link: "https://shops.example.com/invitations?key=k"})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Send(t.Context(), message); err == nil || strings.Contains(err.Error(), "other") {
		t.Errorf("sent with a wrong password: %v", err)
	}
	if err := office.server().Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	got := office.next()
	if got.to != "noa@example.com" || !strings.Contains(got.subject, "“Mara” invites you to “Bakers” on Shopwright") {
		t.Errorf("got %+v", got)
	}
	for _, want := range []string{"“Mara” invites you to the team “Bakers”, as viewer.", "https://shops.example.com/invitations?key=k", "once and expires in seven days"} {
		if !strings.Contains(got.text, want) || !strings.Contains(got.html, want) {
			t.Errorf("%q is not in both\n%s\n%s", want, got.text, got.html)
		}
	}
	if !strings.Contains(got.html, `href="https://shops.example.com/invitations?key=k"`) {
		t.Errorf("no button leads to it:\n%s", got.html)
	}
}

// TestEncryptionIsAskedFor shows that nothing is said to a server without TLS, unless that is allowed.
func TestEncryptionIsAskedFor(t *testing.T) {
	t.Parallel()
	server := openPostOffice(t).server()
	server.Plain = false
	if err := server.Send(t.Context(), notify.Message{To: "noa@example.com", Subject: "x", Text: "x", HTML: "x"}); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("sent without encryption: %v", err)
	}
}
