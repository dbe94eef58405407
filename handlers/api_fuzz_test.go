package handlers_test

import (
	"context"
	"hash/fnv"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// fuzzed is the pages' program on real records, with what a token can reach and what it cannot.
type fuzzed struct {
	http.Handler
	token, tokenID string
	own, theirs    string // stores
	operations     []string
}

func prepareFuzzed(f *testing.F) fuzzed {
	f.Helper()
	db, log := storetest.Open(f, "sqlite:"+filepath.Join(f.TempDir(), "shopwright.db")), slog.New(slog.DiscardHandler)
	cluster := storetest.Cluster(f, db)
	app := handlers.New(handlers.Config{
		DB: db, Engines: engine.Offered(), SessionKeys: [][]byte{[]byte(strings.Repeat("k", 32))}, BaseURL: "http://127.0.0.1", Log: log,
		Provisioner: provisioner.New(provisioner.Config{
			DB: db, Cluster: cluster, Engines: engine.Offered(), Site: engine.Spec{TLS: engine.TLS{Mode: engine.TLSNone}}, Log: log,
		}),
	})
	f.Cleanup(app.Drain)
	person := func(name string) (store.Actor, string) {
		actor, team := storetest.Actor(f, db, name)
		st, err := db.CreateStore(f.Context(), actor, store.NewStore{TeamID: team, Cluster: cluster, Name: name, Engine: "woocommerce"})
		if err != nil {
			f.Fatal(err)
		}
		return actor, st.ID
	}
	who, own := person("own")
	_, theirs := person("theirs")
	token, secret, err := db.CreateToken(f.Context(), who, store.NewToken{TeamID: who.Teams(store.ViewStores)[0], Name: "x", Scopes: everyScope(), Lifetime: time.Hour})
	if err != nil {
		f.Fatal(err)
	}
	z := fuzzed{Handler: app.Handler(), token: secret, tokenID: token.ID, own: own, theirs: theirs}
	z.operations = operationsOf(f, z)
	return z
}

// choose is an operation for any text: the one it names, or else another.
func choose(operations []string, text string) (method, path string) {
	if !slices.Contains(operations, text) {
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(text))
		text = operations[int(sum.Sum32())%len(operations)]
	}
	method, path, _ = strings.Cut(text, " ")
	return method, path
}

// FuzzAPI sends anything to every operation. Whatever it is, it is answered: not with an error
// of ours, and not at all for another's store.
func FuzzAPI(f *testing.F) {
	z := prepareFuzzed(f)
	for _, o := range z.operations {
		for _, id := range []string{z.own, "", "%", "\x00", "\xff", "../..", strings.Repeat("9", 300)} {
			f.Add(o, id, "limit=1&to=1&q=%25", `{"name": "Own", "engine": "woocommerce", "to": 1}`, "1")
		}
		for _, body := range []string{"", "{", "null", "[]", `{"name": null}`, `{"images": {"": ""}}`, strings.Repeat("[", 9000), `{"name": "\ud800", "engine": "woocommerce", "slug": "\u0000"}`} {
			f.Add(o, z.own, "limit=-1&cursor=%00&since=-1s&image==&tail=99999999999999999999", body, "\xfc")
		}
	}
	f.Fuzz(func(t *testing.T, operation, id, query, body, header string) {
		method, path := choose(z.operations, operation)
		for _, name := range []string{"{id}", "{token}", "{engine}", "{revision}", "{team}", "{user}", "{invitation}"} {
			path = strings.ReplaceAll(path, name, url.PathEscape(id))
		}
		if path == "/tokens/"+z.tokenID {
			t.Skip("without the token there is nothing to try")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, method, "/", strings.NewReader(body))
		r.URL = &url.URL{Path: unescaped(api.Prefix + path), RawPath: api.Prefix + path, RawQuery: query}
		r.Host = "127.0.0.1"
		r.Header.Set("Authorization", "Bearer "+z.token)
		r.Header.Set("Content-Type", "application/json")
		for _, name := range []string{"Idempotency-Key", "Last-Event-ID", "Accept"} {
			r.Header.Set(name, header)
		}
		answered := httptest.NewRecorder()
		z.ServeHTTP(answered, r)
		if answered.Code >= http.StatusInternalServerError && answered.Code != http.StatusServiceUnavailable || ctx.Err() != nil {
			t.Errorf("%s %s?%s with %q: %d %s, %v", method, path, query, body, answered.Code, answered.Body, ctx.Err())
		}
		if strings.Contains(path, z.theirs) && answered.Code < 400 {
			t.Errorf("%s %s: %d %s", method, path, answered.Code, answered.Body)
		}
	})
}

func unescaped(path string) string {
	text, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return text
}
