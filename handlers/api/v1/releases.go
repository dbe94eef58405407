package v1

import (
	"time"

	"shopwright.dev/shopwright/store"
)

// Revision is one entry in the history of a store's release.
type Revision struct {
	Number    int                 `json:"number"`
	Kind      string              `json:"kind" enum:"opening,rebuild,repair,upgrade,rollback,owner"`
	Note      string              `json:"note,omitempty"`
	Chart     string              `json:"chart_version"`
	Version   string              `json:"version,omitempty" doc:"Version of the shop’s software."`
	Holes     []Advisory          `json:"advisories" nullable:"false" doc:"Known vulnerabilities of that version."`
	State     store.RevisionState `json:"state" enum:"pending,deployed,superseded,failed,gone"`
	Message   string              `json:"message,omitempty" doc:"Why it failed."`
	Actor     string              `json:"actor,omitempty" doc:"Who requested it; empty for Shopwright itself."`
	CanReturn bool                `json:"can_return" doc:"Whether the store can be rolled back to it."`
	BeganAt   time.Time           `json:"began_at"`
	EndedAt   *time.Time          `json:"ended_at,omitempty"`
}

// Advisory is a hole in a version of a shop's program that is known in public.
type Advisory struct {
	ID        string    `json:"id" example:"CVE-2025-15033"`
	Published time.Time `json:"published" doc:"Day of publication."`
	Text      string    `json:"text" doc:"What an attacker can do."`
}

// Offer is what a store would be brought to by an upgrade now.
type Offer struct {
	Chart  string  `json:"chart_version"`
	Digest string  `json:"digest" doc:"Digest of the offered chart and values."`
	Newer  bool    `json:"newer" doc:"Whether it differs from what the store runs."`
	Images []Image `json:"images" nullable:"false"`
}

// Image is one that a chart uses.
type Image struct {
	Name       string `json:"name" example:"mariadb"`
	Repository string `json:"repository"`
	Version    string `json:"version"`
}

// Releases is the history of a store's release.
type Releases struct {
	Revisions []Revision `json:"revisions" nullable:"false"`
	Offer     *Offer     `json:"offer,omitempty" doc:"Absent if this version of Shopwright has no chart for the store."`
}

// Comparison is what differs between two states of a store's release.
type Comparison struct {
	FromChart string   `json:"from_chart,omitempty"`
	ToChart   string   `json:"to_chart"`
	Objects   int      `json:"objects" doc:"Number of objects in the later state."`
	Restarts  []string `json:"restarts" nullable:"false" doc:"Workloads that replace all pods at once; the shop is briefly closed."`
	Parts     []Part   `json:"parts" nullable:"false" doc:"Values first, then objects; only those that differ."`
	Digest    string   `json:"offer,omitempty" doc:"Digest of the previewed offer; send it with the upgrade to get exactly that."`
}

// Part is the values of a release, or one of its objects.
type Part struct {
	Name   string `json:"name" example:"statefulset/mariadb"`
	Change string `json:"change" enum:"changed,added,removed"`
	Diff   string `json:"diff" doc:"YAML lines that start with a space, +, - or, where lines are omitted, an ellipsis. Secrets are hidden."`
}

// Upgrade is what is decided about an upgrade.
type Upgrade struct {
	Images map[string]string `json:"images,omitempty" maxProperties:"20" doc:"Versions that differ from the offered ones, by the chart’s image name." example:"{\"mariadb\":\"11.8\"}"`
	Stay   bool              `json:"stay,omitempty" doc:"Keep a failed upgrade in place for inspection."`
	Backup *bool             `json:"backup,omitempty" doc:"Make a restore point first, if a backup target is in use; true unless set. If the backup fails, the upgrade is not started."`
	Offer  string            `json:"offer,omitempty" maxLength:"100" doc:"Digest of the previewed offer; 409 if the offer has changed since."`
}
