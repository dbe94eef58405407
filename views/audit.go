package views

import (
	"strconv"
	"time"
)

// AuditPage is the audit log as it is filtered.
type AuditPage struct {
	Shell  Shell
	Filter AuditFilter
	Rows   []AuditRow
	Teams  bool   // whether each line says which team it is about
	Newest string // address of the first page, empty on it
	Older  string // address of the next page, empty on the last
	CSV    string // address of all that matches, as a file
	JSON   string
}

// AuditFilter is what is looked for.
type AuditFilter struct {
	Person  string
	Object  string
	Groups  []Choice
	Teams   []Choice // none when there is only one
	From    string   // a day as 2006-01-02
	Until   string   // the last day
	On      bool     // whether anything is looked for
	Problem string   // what of it cannot be understood
}

// AuditRow is one line of the audit log.
type AuditRow struct {
	Number  int64
	At      time.Time
	Actor   string
	Token   string // name of the token that was used
	Verb    string
	Object  string
	URL     string // of the object, while it lives
	Before  string
	After   string
	Detail  string
	Team    string
	Address string
}

func auditRowID(r AuditRow) string { return "audit-" + strconv.FormatInt(r.Number, 10) }
