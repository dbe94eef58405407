package handlers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

const (
	auditPage   = 50
	auditAtOnce = 500 // lines of a file that are read in one query
)

// auditFilter is the filter in the URL of the log.
type auditFilter struct {
	query   store.AuditQuery
	values  url.Values // of the URL, without the page
	problem string
}

func parseAuditFilter(values url.Values) auditFilter {
	f := auditFilter{values: url.Values{}}
	text := func(name string) string {
		found := paging.Search(values.Get(name))
		if found != "" {
			f.values.Set(name, found)
		}
		return found
	}
	f.query = store.AuditQuery{
		Person: text("person"), Object: text("object"), Group: store.AuditGroup(text("group")), TeamID: text("team"),
	}
	f.query.From = f.day(text("from"))
	if last := f.day(text("until")); !last.IsZero() {
		f.query.Until = last.AddDate(0, 0, 1)
	}
	f.query.Before = paging.Before(values.Get("before"))
	return f
}

// day parses a date. Days are UTC, as everywhere on the server.
func (f *auditFilter) day(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1970 || day.Year() > 9999 {
		f.problem = "Dates look like 2026-11-21. Other input is ignored."
		return time.Time{}
	}
	return day
}

// address returns the URL of the log with this filter, as a page or a file.
func (f auditFilter) address(path string, before int64) string {
	values := url.Values{}
	for name := range f.values {
		values.Set(name, f.values.Get(name))
	}
	if before > 0 {
		values.Set("before", strconv.FormatInt(before, 10))
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

func (a *App) showAudit(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	f := parseAuditFilter(c.QueryParams())
	f.query.Limit = auditPage + 1
	events, err := a.DB.Audit(ctx, who.Actor, f.query)
	if err != nil {
		return err
	}
	shell, err := a.shell(ctx, who, "Audit log", views.PlaceTeams)
	if err != nil {
		return err
	}
	page := views.AuditPage{Shell: shell, CSV: f.address(auditCSVPath, 0), JSON: f.address(auditJSONPath, 0)}
	events, more := paging.Cut(events, auditPage)
	if more {
		page.Older = f.address("/audit", events[auditPage-1].Number)
	}
	if f.query.Before > 0 {
		page.Newest = f.address("/audit", 0)
	}
	if page.Filter, err = a.auditForm(ctx, who, f); err != nil {
		return err
	}
	page.Teams = len(page.Filter.Teams) > 0
	if page.Rows, err = a.auditRows(ctx, who, events); err != nil {
		return err
	}
	return reply.Render(c, http.StatusOK, views.Audit(page))
}

func (a *App) auditForm(ctx context.Context, who signin.Visitor, f auditFilter) (views.AuditFilter, error) {
	form := views.AuditFilter{
		Person: f.values.Get("person"), Object: f.values.Get("object"), From: f.values.Get("from"), Until: f.values.Get("until"),
		Groups: []views.Choice{{Label: "All kinds"}}, On: len(f.values) > 0, Problem: f.problem,
	}
	for _, g := range store.AuditGroups() {
		form.Groups = append(form.Groups, views.Choice{Value: string(g), Label: groupLabel(g), Selected: g == f.query.Group})
	}
	ids := who.Actor.Teams(store.ViewAudit)
	if id := f.query.TeamID; id != "" && !slices.Contains(ids, id) && who.Actor.May(store.ViewAllAudit, store.Installation) {
		ids = append(ids, id)
	}
	if len(ids) < 2 && !who.Actor.May(store.ViewAllAudit, store.Installation) {
		return form, nil
	}
	names, err := a.DB.TeamNames(ctx, who.Actor, ids)
	if err != nil {
		return form, err
	}
	form.Teams = append([]views.Choice{{Label: "All teams"}}, teamChoices(names, f.query.TeamID)...)
	return form, nil
}

// teamChoices returns the teams sorted by name.
func teamChoices(names map[string]string, selected string) (choices []views.Choice) {
	for id, name := range names {
		choices = append(choices, views.Choice{Value: id, Label: word(name), Selected: id == selected})
	}
	slices.SortFunc(choices, func(a, b views.Choice) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)), strings.Compare(a.Value, b.Value))
	})
	return choices
}

func groupLabel(g store.AuditGroup) string {
	switch g {
	case store.AuditStores:
		return "Stores"
	case store.AuditCredentials:
		return "Shop logins"
	case store.AuditTeams:
		return "Teams and members"
	case store.AuditSignIns:
		return "Accounts and sign-ins"
	case store.AuditTokens:
		return "Tokens"
	case store.AuditInstallation:
		return "Installation"
	}
	return string(g)
}

func (a *App) auditRows(ctx context.Context, who signin.Visitor, events []store.Event) ([]views.AuditRow, error) {
	stores, teams := idsOf(events)
	living, err := a.DB.LivingStores(ctx, who.Actor, stores)
	if err != nil {
		return nil, err
	}
	names, err := a.DB.TeamNames(ctx, who.Actor, teams)
	if err != nil {
		return nil, err
	}
	var rows []views.AuditRow
	for _, e := range events {
		row := auditRow(e)
		row.Team = word(names[e.TeamID])
		switch {
		case living[e.StoreID]:
			row.URL = "/stores/" + e.StoreID
		case strings.HasPrefix(string(e.Kind), "team.") && who.Actor.May(store.ViewMembers, e.TeamID):
			row.URL = teamPath(e.TeamID)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// idsOf returns the stores and teams that the events are about.
func idsOf(events []store.Event) (stores, teams []string) {
	for _, e := range events {
		if e.StoreID != "" && !slices.Contains(stores, e.StoreID) {
			stores = append(stores, e.StoreID)
		}
		if e.TeamID != "" && !slices.Contains(teams, e.TeamID) {
			teams = append(teams, e.TeamID)
		}
	}
	return stores, teams
}

// auditRow describes the event. For an unknown kind, from a newer version, it shows the kind itself.
func auditRow(e store.Event) views.AuditRow {
	line := phrase.Event(e)
	row := views.AuditRow{
		Number: e.Number, At: e.At, Actor: cmp.Or(word(e.Actor), store.Platform), Token: word(e.Token), Address: word(e.Address),
		Before: word(line.Before), After: word(line.After), Verb: word(cmp.Or(line.Message, string(e.Kind))), Object: word(line.Object),
	}
	if entry, told := entryOf(e); told {
		row.Verb, row.Object, row.Detail = entry.Verb, entry.Object, entry.Detail
	}
	return row
}

// auditLine is a line of a downloaded file.
type auditLine struct {
	Number  int64  `json:"number"`
	Time    string `json:"time"`
	Person  string `json:"person"`
	Token   string `json:"token,omitempty"`
	Address string `json:"address,omitempty"`
	Kind    string `json:"kind"`
	What    string `json:"what"`
	Object  string `json:"object,omitempty"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	Team    string `json:"team,omitempty"`
	TeamID  string `json:"team_id,omitempty"`
	StoreID string `json:"store_id,omitempty"`
	UserID  string `json:"user_id,omitempty"` // of the person
}

func lineOf(e store.Event, team string) auditLine {
	row, line := auditRow(e), phrase.Event(e)
	return auditLine{
		Number: e.Number, Time: e.At.UTC().Format(time.RFC3339Nano), Person: row.Actor, Token: row.Token, Address: row.Address,
		Kind: string(e.Kind), What: word(line.Message), Object: word(line.Object), Before: row.Before, After: row.After,
		Team: word(team), TeamID: e.TeamID, StoreID: e.StoreID, UserID: e.ActorID,
	}
}

func auditColumns() []string {
	return []string{"number", "time", "person", "token", "address", "kind", "what", "object", "before", "after", "team", "team_id", "store_id", "user_id"}
}

func (l auditLine) cells() []string {
	cells := []string{
		strconv.FormatInt(l.Number, 10), l.Time, l.Person, l.Token, l.Address, l.Kind, l.What, l.Object, l.Before, l.After,
		l.Team, l.TeamID, l.StoreID, l.UserID,
	}
	for i, cell := range cells {
		cells[i] = defused(cell)
	}
	return cells
}

// defused returns the cell in a form that no spreadsheet takes for a formula.
func defused(cell string) string {
	if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") || strings.HasPrefix(cell, "＝") ||
		strings.HasPrefix(cell, "＋") || strings.HasPrefix(cell, "－") || strings.HasPrefix(cell, "＠") {
		return "'" + cell
	}
	return cell
}

// auditFile writes the lines of a file in one format.
type auditFile interface {
	begin(*bytes.Buffer) error
	line(*bytes.Buffer, auditLine) error
	end(*bytes.Buffer)
}

type csvFile struct{}

func (csvFile) begin(out *bytes.Buffer) error { return writeCells(out, auditColumns()) }

func (csvFile) line(out *bytes.Buffer, l auditLine) error { return writeCells(out, l.cells()) }

func (csvFile) end(*bytes.Buffer) {}

func writeCells(out *bytes.Buffer, cells []string) error {
	w := csv.NewWriter(out)
	w.UseCRLF = true
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

type jsonFile struct{ next string }

func (f *jsonFile) begin(*bytes.Buffer) error {
	f.next = "[\n"
	return nil
}

func (f *jsonFile) line(out *bytes.Buffer, l auditLine) error {
	out.WriteString(f.next)
	f.next = ",\n"
	encoded, err := json.Marshal(l)
	out.Write(encoded)
	return err
}

// end closes the list, also an empty one.
func (f *jsonFile) end(out *bytes.Buffer) {
	if f.next != ",\n" {
		out.WriteString("[")
	}
	out.WriteString("\n]\n")
}

const (
	auditCSVPath  = "/audit.csv"
	auditJSONPath = "/audit.json"
)

func (a *App) downloadAuditCSV(c echo.Context) error {
	return a.downloadAudit(c, csvFile{}, "text/csv; charset=utf-8", "audit.csv")
}

func (a *App) downloadAuditJSON(c echo.Context) error {
	return a.downloadAudit(c, &jsonFile{}, "application/json", "audit.json")
}

// downloadAudit sends all matching events as a file, in pieces, for as long as the visitor may read them.
// If it fails, it aborts the response, so that an incomplete file is not taken for a complete one.
func (a *App) downloadAudit(c echo.Context, file auditFile, kind, name string) error {
	return a.read(c, a.logReaders, func(r *live.Reader) error {
		header := c.Response().Header()
		header.Set("Content-Type", kind)
		header.Set("Content-Disposition", `attachment; filename="shopwright-`+name+`"`)
		c.Response().WriteHeader(http.StatusOK)
		s := auditSending{App: a, Reader: r, who: signin.VisitorOf(c), file: file}
		if err := s.send(c.Request().Context(), parseAuditFilter(c.QueryParams()).query); err != nil {
			panic(http.ErrAbortHandler)
		}
		r.End()
		return nil
	})
}

// auditSending is a download in progress.
type auditSending struct {
	*App
	*live.Reader
	who  signin.Visitor
	file auditFile
}

func (s auditSending) send(ctx context.Context, q store.AuditQuery) error {
	var out bytes.Buffer
	if err := s.file.begin(&out); err != nil {
		return err
	}
	names := map[string]string{}
	q.Limit = auditAtOnce
	for {
		if err := s.SettleDoubt(ctx); err != nil {
			return err
		}
		events, err := s.DB.Audit(ctx, s.who.Actor, q)
		if err != nil {
			return err
		}
		if err := s.writeLines(ctx, &out, events, names); err != nil {
			return err
		}
		if len(events) < auditAtOnce {
			s.file.end(&out)
			return s.Write(out.Bytes())
		}
		q.Before = events[len(events)-1].Number
		if err := s.Write(out.Bytes()); err != nil {
			return err
		}
		out.Reset()
	}
}

// writeLines writes the events, and adds the names of teams that are not in names yet.
func (s auditSending) writeLines(ctx context.Context, out *bytes.Buffer, events []store.Event, names map[string]string) error {
	_, teams := idsOf(events)
	teams = slices.DeleteFunc(teams, func(id string) bool { return names[id] != "" })
	more, err := s.DB.TeamNames(ctx, s.who.Actor, teams)
	if err != nil {
		return err
	}
	for id, name := range more {
		names[id] = name
	}
	for _, e := range events {
		if err := s.file.line(out, lineOf(e, names[e.TeamID])); err != nil {
			return err
		}
	}
	return nil
}
