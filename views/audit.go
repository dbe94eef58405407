package views

import (
	"strconv"
	"time"
)

// AuditPage is the filtered audit log.
type AuditPage struct {
	Shell  Shell
	Filter AuditFilter
	Rows   []AuditRow
	Teams  bool   // whether each line names its team
	Newest string // address of the first page, empty on it
	Older  string // address of the next page, empty on the last
	CSV    string // URL of all matching lines as a file
	JSON   string
}

// AuditFilter is the form with the filters.
type AuditFilter struct {
	Person  string
	Object  string
	Groups  []Choice
	Teams   []Choice // none when there is only one
	From    string   // a day as 2006-01-02
	Until   string   // the last day, inclusive
	On      bool     // whether any filter is set
	Problem string   // which input is invalid
}

// AuditRow is one line of the audit log.
type AuditRow struct {
	Number  int64
	At      time.Time
	Actor   string
	Token   string // name of the token that was used
	Verb    string
	Object  string
	URL     string // of the object, while it exists
	Before  string
	After   string
	Detail  string
	Team    string
	Address string
}

func auditRowID(r AuditRow) string { return "audit-" + strconv.FormatInt(r.Number, 10) }
