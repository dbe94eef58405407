package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// ReleasesTab is the history of a store's release, and what there is to bring it to.
type ReleasesTab struct {
	StoreID string
	Offer   Offer
	Rows    []RevisionRow // newest first
}

// Offer is what a store could be upgraded to.
type Offer struct {
	Title string // what there is
	Text  string // what that means
	Newer bool   // it is something else than what runs
	Can   bool   // whether one may have it, now
	Holes []Hole // of what is in place
	// Unsupported says that what is in place is older than what its database was migrated for; empty if not.
	Unsupported string
}

// Hole is a hole in the version of a shop's program that is known in public.
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
	Why     string // it failed; empty otherwise
	Chart   string
	Version string // of the shop's program
	Holes   string // that it has, by their ids
	Who     string
	At      time.Time
	Took    string
	Known   bool // whether the cluster may still tell what was in it
	CanBack bool
}

// Undone tells of a change that failed and is not in place any more; no title for none.
type Undone struct {
	StoreID string
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

// ChangeForm is a change to look at before it is made.
type ChangeForm struct {
	StoreID string
	Crumb   string
	Title   string
	Text    string
	Action  string       // path where it is asked for; empty for one that is past
	Submit  string       // the button
	Offer   string       // digest of what is offered: it may change while somebody looks
	Looked  string       // the images that the preview is of
	Images  []ImageField // that can be chosen
	Stay    bool
	Problem string // why there is no preview, or none of what is asked for
	Facts   []FactGroup
	Diff    []DiffPart
	Can     bool
}

// ImageField is one image of a chart, with the version that is wanted.
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

// diffCount is how many lines are added and removed.
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
