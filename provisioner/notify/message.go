package notify

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"regexp"
	"strings"
	text "text/template"

	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// Message is a mail as its reader gets it, once as text and once as HTML.
type Message struct {
	To      string // address
	Name    string // of whom it is for
	Subject string
	Text    string
	HTML    string
}

// Invitation is the content of a mail that invites a person to a team.
type Invitation struct {
	Email string
	Team  string
	Role  store.Role
	From  string // who invites
	Link  string // works once
}

//go:embed mails
var mails embed.FS

// content fills the templates of a mail.
type content struct {
	Subject string
	Lines   []string // paragraphs
	Facts   []fact
	Link    string
	Button  string // what the link does
	Why     string // the reader gets this
}

type fact struct{ Name, Value, Link string }

// Invite makes the mail of an invitation.
func Invite(i Invitation) (Message, error) {
	return compose(i.Email, "", content{
		Subject: fmt.Sprintf("%s invites you to %s on Shopwright", quoted(unlinked(i.From)), quoted(unlinked(i.Team))),
		Lines: []string{
			fmt.Sprintf("%s invites you to the team %s, as %s.", quoted(unlinked(i.From)), quoted(unlinked(i.Team)), i.Role),
			"The link works once and expires in seven days. If you don’t expect an invitation, ignore this mail.",
		},
		Link: i.Link, Button: "View invitation",
		Why: "Someone invited this address.",
	})
}

// about makes the mail that tells of the event.
func about(baseURL string, m store.Mail) (Message, error) {
	name, page := quoted(m.Store.Name), baseURL+"/stores/"+m.Store.ID
	c := content{Link: page, Button: "Open store", Why: "You requested this store."}
	switch m.Event.Kind {
	case store.StoreReady:
		c.Subject = name + " is ready"
		c.Lines = []string{name + " is up. A test order passed."}
		if m.Store.Health.Last.Simulated {
			c.Lines = []string{name + " is up on a simulated cluster. It runs no containers, so the shop doesn’t open and no test order was placed."}
		}
		c.Facts = []fact{{Name: "Shop", Value: m.Store.URL, Link: m.Store.URL}, {Name: "Admin", Value: m.Store.AdminURL, Link: m.Store.AdminURL}}
		c.Lines = append(c.Lines, "The admin login is on the store’s page. Shopwright never mails it.")
	case store.StoreFailed:
		said := phrase.Failure(m.Event.Data.Failure)
		c.Subject = name + " failed: " + clean(said.Title)
		c.Lines = []string{name + " failed: " + clean(said.Title) + "."}
		if m.Store.Job.ID == m.Event.JobID { // nobody has retried it since
			c.Lines = append(c.Lines, clean(said.Cause), clean(said.Next))
		}
	case store.StoreDegraded:
		c.Subject = name + " is degraded: the order check failed"
		c.Lines = []string{"The check of " + name + " failed twice in a row. " + clean(phrase.Event(m.Event).Message), "Shopwright keeps checking. The store’s page shows the result."}
		c.Why = "You manage this store’s team."
	case store.DrillFailed:
		said := phrase.Failure(m.Event.Data.Failure)
		c.Subject = "The restore drill of " + name + " failed"
		c.Lines = []string{
			"A restore point of " + name + " was restored into a separate namespace to prove that it works, and that failed: " + clean(said.Title) + ".", clean(said.Cause),
			"The shop itself isn’t affected. Shopwright tries again tomorrow. The store’s Backups tab shows the details.",
		}
		c.Link, c.Button, c.Why = page+"/backups", "Open backups", "You manage this store’s team."
	case store.DrillOverdue:
		c.Subject = "The restore drill of " + name + " is overdue"
		c.Lines = []string{
			"No restore point of " + name + " has been proven to work for longer than its plan allows. The shop itself isn’t affected.",
			"The store’s Backups tab shows the last drills and what keeps the next one. Drill now starts one.",
		}
		c.Link, c.Button, c.Why = page+"/backups", "Open backups", "You manage this store’s team."
	case store.IdentityLinked, store.IdentityRemoved:
		return aboutSignIn(baseURL, m)
	default:
		return Message{}, fmt.Errorf("no mail for events of the kind %s", m.Event.Kind)
	}
	return compose(m.To.Email, m.To.Name, c)
}

// aboutSignIn makes the mail that tells of a sign-in method that was added or removed.
func aboutSignIn(baseURL string, m store.Mail) (Message, error) {
	c := content{
		Subject: "A sign-in method was added to your account",
		Lines: []string{
			"You can now sign in to Shopwright with " + clean(phrase.Event(m.Event).Message) + ".",
			"It was added on " + m.Event.At.UTC().Format("2 January 2006 at 15:04 UTC") + " from the address " + clean(m.Event.Address) + ".",
			"If this wasn’t you, remove it on your account page and end your other sessions there.",
		},
		Link: baseURL + "/account", Button: "Open account", Why: "Your account’s sign-in methods changed.",
	}
	if m.Event.Kind == store.IdentityRemoved {
		c.Subject = "A sign-in method was removed from your account"
		c.Lines[0] = "You can no longer sign in to Shopwright with " + clean(phrase.Event(m.Event).Message) + "."
		c.Lines[1] = strings.Replace(c.Lines[1], "added", "removed", 1)
		c.Lines[2] = "If this wasn’t you, tell an administrator."
	}
	return compose(m.To.Email, m.To.Name, c)
}

func compose(to, name string, c content) (Message, error) {
	c.Lines = filled(c.Lines)
	plain, err := text.ParseFS(mails, "mails/mail.txt")
	if err != nil {
		return Message{}, fmt.Errorf("read the text of mails: %w", err)
	}
	rich, err := template.ParseFS(mails, "mails/mail.html")
	if err != nil {
		return Message{}, fmt.Errorf("read the HTML of mails: %w", err)
	}
	var asText, asHTML bytes.Buffer
	if err := plain.Execute(&asText, c); err != nil {
		return Message{}, fmt.Errorf("write a mail's text: %w", err)
	}
	if err := rich.Execute(&asHTML, c); err != nil {
		return Message{}, fmt.Errorf("write a mail's HTML: %w", err)
	}
	return Message{To: to, Name: clean(name), Subject: c.Subject, Text: asText.String(), HTML: asHTML.String()}, nil
}

// filled are the lines that say something.
func filled(lines []string) (all []string) {
	for _, line := range lines {
		if line != "" {
			all = append(all, line)
		}
	}
	return all
}

// longestQuote is how much of a name goes into a mail, in characters.
const longestQuote = 40

// quoted is a name that somebody has chosen, so that it cannot be taken for our own words.
func quoted(name string) string {
	runes := []rune(strings.NewReplacer("“", "", "”", "").Replace(clean(name)))
	if len(runes) > longestQuote {
		runes = append(runes[:longestQuote-1], '…')
	}
	return "“" + string(runes) + "”"
}

// unlinked is a name in which mail programs find no address to make a link of, for readers
// who may not know its author.
func unlinked(name string) string {
	name = strings.NewReplacer(":", " ", "/", " ", "\\", " ", "@", " ").Replace(name)
	return dotInside.ReplaceAllString(name, ". ")
}

var dotInside = regexp.MustCompile(`\.\b`)

// clean is a text that others wrote as one line that is safe to read.
func clean(s string) string { return strings.Join(strings.Fields(legible.Text(s)), " ") }
