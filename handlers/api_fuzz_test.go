package handlers_test

import (
	"context"
	"database/sql"
	"hash/fnv"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// fuzzed is the program on real records, as somebody uses it who owns a team and administrates
// the installation. What belongs to others bears a mark that nobody can guess.
type fuzzed struct {
	http.Handler
	app     *handlers.App
	db      *database.DB
	raw     *sql.DB
	who     store.Actor
	team    string
	token   string // its secret
	tokenID string
	kept    string // a store that stays
	point   string // a restore point of it, and the backup that made it
	target  string // a backup target that can be used
	bucket  string // URL of the service at which that is
	manages string // secret of a token for the installation
	mark    string
	theirs  names
	routes  []string // that are asked, as METHOD /path
	cluster []string // those that need the cluster, which there is none of
}

func prepareFuzzed(f *testing.F) *fuzzed {
	f.Helper()
	file := filepath.Join(f.TempDir(), "shopwright.db")
	keys := [][]byte{[]byte(strings.Repeat("k", 32))}
	sealer, err := store.NewSealer(keys)
	if err != nil {
		f.Fatal(err)
	}
	db, log := storetest.Open(f, "sqlite:"+file, database.WithSealer(sealer)), slog.New(slog.DiscardHandler)
	app := handlers.New(handlers.Config{
		DB: db, Engines: engine.Offered(), SessionKeys: keys, BaseURL: "http://127.0.0.1", Log: log,
		Provisioner: provisioner.New(provisioner.Config{
			DB: db, Cluster: storetest.Cluster(f, db), Engines: engine.Offered(), Site: engine.Spec{TLS: engine.TLS{Mode: engine.TLSNone}}, Log: log,
		}),
	})
	f.Cleanup(app.Drain)
	raw := storetest.Beside(f, "sqlite:"+file)
	z := &fuzzed{Handler: app.Handler(), app: app, db: db, raw: raw, mark: "zq" + strings.ReplaceAll(uuid.NewString(), "-", "")}
	z.who, z.team = z.owner(f, "own")
	z.kept = z.newStore(f, z.who, z.team, "Kept", true)
	z.tokenID, z.token = z.newToken(f, z.who, z.team, everyScope()...)
	_, z.manages = z.newToken(f, z.who, z.team, store.Administer)
	z.addTarget(f)
	z.point = z.newPoint(f, z.who, z.kept, "own")
	them, elsewhere := z.owner(f, z.mark)
	foreign, _ := z.newToken(f, them, elsewhere, everyScope()...)
	shop := z.newStore(f, them, elsewhere, z.mark, true)
	point := z.newPoint(f, them, shop, z.mark)
	z.theirs = names{
		":id": shop, ":point": point, ":backup": point, ":team": elsewhere, ":user": z.newMember(f, them, elsewhere, z.mark+"m"),
		":invitation": z.newInvitation(f, them, elsewhere, z.mark+"i@example.com"), ":token": foreign,
	}
	return z
}

// owner is somebody of that name with a team.
func (z *fuzzed) owner(t testing.TB, name string) (store.Actor, string) {
	t.Helper()
	actor, _ := storetest.Actor(t, z.db, name)
	team, err := z.db.CreateTeam(t.Context(), actor, name)
	if err != nil {
		t.Fatal(err)
	}
	if name == "own" {
		if err := z.db.MakeAdmin(t.Context(), store.Actor{Admin: true}, actor.UserID); err != nil {
			t.Fatal(err)
		}
	}
	actor, _ = storetest.Actor(t, z.db, name)
	return actor, team.ID
}

// newStore is one that waits, or one that is ready with two revisions that have sold.
func (z *fuzzed) newStore(t testing.TB, who store.Actor, team, name string, ready bool) string {
	t.Helper()
	st, err := z.db.CreateStore(t.Context(), who, store.NewStore{TeamID: team, Cluster: storetest.Cluster(t, z.db), Name: name, Engine: "woocommerce"})
	if err != nil {
		t.Fatal(err)
	}
	if !ready {
		return st.ID
	}
	z.exec(t, `UPDATE stores SET status = 'ready', sold = 2, revision = 2, chart_version = '1.0.0', observed_generation = generation, url = 'http://x.localhost' WHERE id = $1`, st.ID)
	z.exec(t, `UPDATE jobs SET state = 'done', step = 'ready', ended_at = asked_at WHERE store_id = $1`, st.ID)
	z.exec(t, `INSERT INTO revisions (store_id, number, generation, change, chart_version, version, offer, state, kept, failure, actor_id, actor, began_at, ended_at)
		VALUES ($1, 1, 1, '{}', '0.9.0', '10.3.4', 'x', 'superseded', TRUE, '{}', '', '', 1, 2), ($1, 2, 1, '{"kind": "upgrade"}', '1.0.0', '11.0.1', 'y', 'deployed', TRUE, '{}', '', '', 3, 4)`, st.ID)
	return st.ID
}

func (z *fuzzed) newMember(t testing.TB, owner store.Actor, team, name string) string {
	t.Helper()
	member, _ := storetest.Actor(t, z.db, name)
	if err := z.db.AddMember(t.Context(), owner, team, member.UserID, store.Member); err != nil {
		t.Fatal(err)
	}
	return member.UserID
}

func (z *fuzzed) newInvitation(t testing.TB, owner store.Actor, team, email string) string {
	t.Helper()
	made, _, err := z.db.Invite(t.Context(), owner, store.NewInvitation{TeamID: team, Email: email, Role: store.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// addTarget adds a backup target that can be tested.
func (z *fuzzed) addTarget(t testing.TB) {
	t.Helper()
	z.bucket = bucketService(t)
	target, err := z.db.AddTarget(t.Context(), z.who, store.Target{Name: "Own", Endpoint: z.bucket, Bucket: "shops", PathStyle: true, KeyID: "key", Secret: hiddenSecret, InUse: true})
	if err != nil {
		t.Fatal(err)
	}
	z.target = target.ID
}

// newPoint is a restore point of the store, and the backup that made it.
func (z *fuzzed) newPoint(t testing.TB, who store.Actor, storeID, note string) string {
	t.Helper()
	job, err := z.db.BackUp(t.Context(), who, storeID, note)
	if err != nil {
		t.Fatal(err)
	}
	z.exec(t, insertPoint, job.ID, pointManifest)
	z.exec(t, `UPDATE restore_points SET note = $2 WHERE id = $1`, job.ID, note)
	z.exec(t, `UPDATE jobs SET state = 'done', ended_at = asked_at WHERE id = $1`, job.ID)
	return job.ID
}

func (z *fuzzed) newToken(t testing.TB, who store.Actor, team string, scopes ...store.Scope) (id, secret string) {
	t.Helper()
	token, secret, err := z.db.CreateToken(t.Context(), who, store.NewToken{TeamID: team, Name: who.Name, Scopes: scopes, Lifetime: 90 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return token.ID, secret
}

func (z *fuzzed) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := z.raw.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// tidy removes what one try has made, so that no limit is reached and nothing gets slow.
func (z *fuzzed) tidy(t testing.TB) {
	t.Helper()
	z.exec(t, `UPDATE stores SET deleted_at = 1, status = 'deleted' WHERE deleted_at = 0 AND id NOT IN ($1, $2)`, z.kept, z.theirs[":id"])
	z.exec(t, `UPDATE jobs SET state = 'cancelled', ended_at = 1 WHERE ended_at = 0 AND store_id NOT IN ($1, $2)`, z.kept, z.theirs[":id"])
	z.exec(t, `DELETE FROM invitations WHERE team_id <> $1`, z.theirs[":team"])
	z.exec(t, `DELETE FROM api_tokens WHERE id NOT IN ($1, $2) AND scopes <> 'installation'`, z.tokenID, z.theirs[":token"])
	z.exec(t, `DELETE FROM backup_targets WHERE id <> $1`, z.target)
	z.exec(t, `UPDATE backup_targets SET endpoint = $2, bucket = 'shops', prefix = '', region = '', path_style = TRUE, ca = '', in_use = TRUE WHERE id = $1`, z.target, z.bucket)
	z.exec(t, `DELETE FROM idempotency_keys`)
	z.exec(t, `DELETE FROM sessions`)
	z.exec(t, `DELETE FROM memberships WHERE team_id <> $1 AND (team_id <> $2 OR user_id <> $3) AND team_id IN (SELECT id FROM teams WHERE NOT personal)`,
		z.theirs[":team"], z.team, z.who.UserID)
}

// try is one request: what it asks for, about what, and with what.
type try struct {
	route string // METHOD /path, or any text
	about string // "own", "theirs" or any text
	ready bool   // whether a store of one's own is
	query string
	body  string
	extra string // headers
}

// path puts ids in the places of what stands for them. What may be lost is new each time.
func (z *fuzzed) path(t testing.TB, method, path string, a try) string {
	t.Helper()
	for _, placeholder := range []string{":id", ":team", ":user", ":invitation", ":token", ":engine", ":revision", ":person", ":any", ":point", ":backup", ":target"} {
		if strings.Contains(path, placeholder) {
			path = strings.ReplaceAll(path, placeholder, url.PathEscape(z.named(t, placeholder, method != http.MethodGet, a)))
		}
	}
	return path
}

func (z *fuzzed) named(t testing.TB, placeholder string, lost bool, a try) string {
	t.Helper()
	if id := z.theirs[placeholder]; a.about == "theirs" && id != "" {
		return id
	}
	if a.about != "own" {
		return a.about
	}
	switch placeholder {
	case ":id":
		if !lost && a.ready {
			return z.kept
		}
		return z.newStore(t, z.who, z.team, "Tried", a.ready)
	case ":team", ":any":
		if strings.HasSuffix(a.route, ":team/delete") {
			_, id := z.owner(t, "own")
			return id
		}
		return z.team
	case ":user", ":person":
		return z.newMember(t, z.who, z.team, uuid.NewString())
	case ":invitation":
		return z.newInvitation(t, z.who, z.team, "")
	case ":token":
		id, _ := z.newToken(t, z.who, z.team, everyScope()...)
		return id
	case ":point", ":backup":
		return z.point
	case ":target":
		return z.target
	case ":engine":
		return "woocommerce"
	}
	return "1"
}

// glance looks at the beginning of an answer that may go on for ever.
type glance struct {
	*httptest.ResponseRecorder
	enough context.CancelFunc
}

// Flush implements http.Flusher.
func (g glance) Flush() {
	g.ResponseRecorder.Flush()
	g.enough()
}

// SetWriteDeadline is what streams ask for.
func (glance) SetWriteDeadline(time.Time) error { return nil }

// send asks, with what lets one in. It expects an answer that is no fault of ours, and that
// says nothing of what others have.
func (z *fuzzed) send(t testing.TB, route string, a try, sign func(*http.Request)) int {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	path = z.path(t, method, path, a)
	defer z.tidy(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "/", strings.NewReader(a.body))
	r.URL = &url.URL{Path: unescaped(path), RawPath: path, RawQuery: a.query}
	r.Host = "127.0.0.1"
	sign(r)
	for _, name := range []string{"Idempotency-Key", "Last-Event-ID", "Accept"} {
		r.Header.Set(name, a.extra)
	}
	answered := glance{httptest.NewRecorder(), cancel}
	z.ServeHTTP(answered, r)
	z.judge(t, route, a, answered.ResponseRecorder, ctx.Err())
	return answered.Code
}

// ofInstallation reports whether the route is for administrators, who may see all there is.
func ofInstallation(route string) bool {
	return strings.Contains(route, " /admin/") || strings.HasSuffix(route, v1.Prefix+"/backups/overview")
}

func (z *fuzzed) judge(t testing.TB, route string, a try, got *httptest.ResponseRecorder, late error) {
	t.Helper()
	if got.Code >= http.StatusInternalServerError && (got.Code != http.StatusServiceUnavailable || !slices.Contains(z.cluster, route)) || late == context.DeadlineExceeded { //nolint:errorlint // it is the context's own
		t.Errorf("%s with %+v: %d %s, %v", route, a, got.Code, got.Body, late)
	}
	if strings.Contains(strings.ToLower(got.Body.String()), z.mark) && !ofInstallation(route) {
		t.Errorf("%s with %+v tells of another's: %s", route, a, got.Body)
	}
	if a.about == "theirs" && z.namesTheirs(route) && got.Code < http.StatusBadRequest {
		t.Errorf("%s of another's with %+v: %d %s", route, a, got.Code, got.Body)
	}
}

func (z *fuzzed) namesTheirs(route string) bool {
	for placeholder := range z.theirs {
		if strings.Contains(route, placeholder) {
			return true
		}
	}
	return false
}

// choose is a route for any text: the one that it names, or else another.
func choose(routes []string, text string) string {
	if slices.Contains(routes, text) {
		return text
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(text))
	return routes[int(sum.Sum32())%len(routes)]
}

func unescaped(path string) string {
	text, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return text
}

// strange are texts in the place of an id.
func strange() []string {
	return []string{"", "%", "\x00", "\xff", "../..", strings.Repeat("9", 300)}
}

// operationRoutes are the operations as routes, with what each is sent in the table of errands.
func (z *fuzzed) operationRoutes(t testing.TB) map[string]errand {
	t.Helper()
	said := httptest.NewRecorder()
	z.ServeHTTP(said, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+v1.Prefix+"/openapi.json", nil))
	all, table := map[string]errand{}, errands()
	for name, operation := range operationsIn(t, said.Body.Bytes()) {
		method, path, _ := strings.Cut(operation, " ")
		all[method+" "+v1.Prefix+strings.NewReplacer("{", ":", "}", "").Replace(path)] = table[name]
	}
	return all
}

func (z *fuzzed) asProgram(r *http.Request) {
	token := z.token
	if strings.HasPrefix(r.URL.Path, v1.Prefix+"/targets") || r.URL.Path == v1.Prefix+"/backups/overview" {
		token = z.manages
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
}

// FuzzAPI sends anything to every operation, about what is one's own, what is another's and
// what is no id at all. Whatever it is, it is answered: not with an error of ours, and with
// nothing of another's.
func FuzzAPI(f *testing.F) {
	z := prepareFuzzed(f)
	operations := z.operationRoutes(f)
	z.routes = slices.Sorted(maps.Keys(operations))
	for _, route := range z.routes {
		e := operations[route]
		if e.cluster {
			z.cluster = append(z.cluster, route)
		}
		query := strings.TrimPrefix(e.query, "?")
		a := try{route: route, about: "own", ready: true, query: query, body: e.body, extra: "1"}
		if code := z.send(f, route, a, z.asProgram); code >= http.StatusBadRequest && code != http.StatusServiceUnavailable && code != http.StatusConflict {
			f.Errorf("%s of one's own: %d", route, code) // else all that follows would prove little
		}
		for _, point := range []string{z.point, z.theirs[":point"], "%00"} {
			f.Add(route, "own", true, "", restoreBody(point, ""), "")
		}
		for _, about := range append(strange(), "own", "theirs") {
			f.Add(route, about, false, query, e.body, "")
			f.Add(route, about, true, "limit=1&to=1&q=%25", `{"name": "Own", "engine": "woocommerce", "to": 1}`, "1")
		}
		for _, body := range []string{"", "{", "null", "[]", `{"name": null}`, `{"images": {"": ""}}`, strings.Repeat("[", 9000), `{"name": "\ud800", "engine": "woocommerce", "slug": "\u0000"}`} {
			f.Add(route, "own", true, "limit=-1&cursor=%00&since=-1s&image==&tail=99999999999999999999", body, "\xfc")
		}
	}
	f.Fuzz(func(t *testing.T, text, about string, ready bool, query, body, extra string) {
		route := choose(z.routes, text)
		z.send(t, route, try{route: route, about: about, ready: ready, query: query, body: body, extra: extra}, z.asProgram)
	})
}

// FuzzForms sends anything to whatever the pages' forms are posted to.
func FuzzForms(f *testing.F) {
	z := prepareFuzzed(f)
	for line, a := range routes() {
		method, path, _ := strings.Cut(line, " ")
		if path, _, _ = strings.Cut(path, "?"); method != http.MethodPost {
			continue
		}
		route := method + " " + strings.NewReplacer("/admin/teams/:team/", "/admin/teams/:any/", "/admin/users/:user/", "/admin/users/:person/").Replace(path)
		z.routes = append(z.routes, route)
		form := names{":team": z.team, ":who": "x"}.inForm(a.form).Encode()
		for _, about := range append(strange(), "own", "theirs") {
			f.Add(route, about, true, form, "")
			f.Add(route, about, false, "name=%00&role=%ff&email=%0d%0a&confirm=&plan=&q=%25&page=-1&key=%27&session=x&team="+url.QueryEscape(about), "*/*")
		}
		f.Add(route, "own", true, "name=a&from="+z.point, "")
		f.Add(route, "own", true, "name=a&from="+z.theirs[":point"], "")
		f.Add(route, "own", true, "%zz&;&name=a&name=b&lifetime=9e9&scope=&scope=x&cpu=1e309&stores=-0&image-mariadb=../x&offer=%0a", "text/html")
	}
	slices.Sort(z.routes)
	f.Fuzz(func(t *testing.T, text, about string, ready bool, body, extra string) {
		cookie := z.cookie(t)
		route := choose(z.routes, text)
		z.send(t, route, try{route: route, about: about, ready: ready, body: body, extra: extra}, func(r *http.Request) {
			r.AddCookie(cookie)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		})
	})
}

// cookie is that of a new session: some forms end the one they are posted in.
func (z *fuzzed) cookie(t testing.TB) *http.Cookie {
	t.Helper()
	id, err := z.db.SignIn(t.Context(), storetest.Identity("own"), store.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := z.app.Cookie(id)
	if err != nil {
		t.Fatal(err)
	}
	return cookie
}
