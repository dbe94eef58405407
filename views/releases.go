package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// ReleasesTab is the history of a store's release, and the available upgrade.
type ReleasesTab struct {
	StoreID string
	Offer   Offer
	Rows    []RevisionRow // newest first
}

// Offer is what a store could be upgraded to.
type Offer struct {
	Title string // what is offered
	Text  string // what it means for the store
	Newer bool   // it differs from what runs
	Can   bool   // whether the user may upgrade now
	Holes []Hole // of the version in place
	// Unsupported says that the version in place is older than the one its database was migrated for;
	// empty if not.
	Unsupported string
}

// Hole is a publicly known vulnerability in a version of a shop's program.
type Hole struct {
	ID        string // such as CVE-2025-15033
	Published time.Time
	Text      string
}

// RevisionRow is one entry of the history.
type RevisionRow struct {
	Number  int
	State   string
	Tone    Tone
	What    string
	Why     string // why it failed; empty otherwise
	Chart   string
	Version string // of the shop's program
	Holes   string // ids of its vulnerabilities
	Who     string
	At      time.Time
	Took    string
	Known   bool // whether the cluster may still have its content
	CanBack bool
}

// Undone describes a change that failed or was cancelled, and is rolled back; without a title there is none.
type Undone struct {
	StoreID string // whose releases tell more; empty if they don't
	Title   string
	Cause   string
	Next    string
}

// ChangePage shows what an upgrade or a rollback would change, or what one did.
type ChangePage struct {
	Shell Shell
	Head  StoreHead
	Form  ChangeForm
}

// ChangeForm is a change to review before it is made, or one that was made.
type ChangeForm struct {
	StoreID string
	Crumb   string
	Title   string
	Text    string
	Action  string       // path that starts it; empty for a past change
	Submit  string       // label of the button
	Offer   string       // digest of the offer, which may change during the review
	Looked  string       // the images in the preview
	Images  []ImageField // that can be chosen
	Stay    bool
	BacksUp bool   // a backup can come first
	Backup  bool   // and is to
	Problem string // why there is no preview, or why it is not of the requested change
	Facts   []FactGroup
	Diff    []DiffPart
	Can     bool
}

// ImageField is the field for the version of one image of the chart.
type ImageField struct {
	Name       string
	Repository string
	Version    string
	Offered    string
	Error      string
}

// FactGroup is a heading with a few lines.
type FactGroup struct {
	Title string
	Lines []string
}

// DiffPart is the values of a release, or one of its objects.
type DiffPart struct {
	Name   string
	Change string // changed, added or removed
	Lines  []DiffLine
}

// DiffLine is a line of a diff. Its mark is a space, + or -, or … for lines left out.
type DiffLine struct {
	Mark string
	Text string
}

func releaseURL(id string, parts ...string) templ.SafeURL {
	return storeURL(id, strings.Join(append([]string{"releases"}, parts...), "/"))
}

func (r RevisionRow) url(id string, parts ...string) templ.SafeURL {
	return releaseURL(id, append([]string{strconv.Itoa(r.Number)}, parts...)...)
}

// diffCount returns how many lines are added and removed.
func diffCount(parts []DiffPart) (added, removed int) {
	for _, part := range parts {
		for _, line := range part.Lines {
			switch line.Mark {
			case "+":
				added++
			case "-":
				removed++
			}
		}
	}
	return added, removed
}

func (l DiffLine) class() string {
	switch l.Mark {
	case "+":
		return "a"
	case "-":
		return "r"
	case "…":
		return "h"
	}
	return ""
}

func imageID(name string) string { return "image-" + name }
