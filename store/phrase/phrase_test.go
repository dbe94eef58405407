package phrase_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// declared are the values of the constants of that type in package store.
func declared(t *testing.T, typeName string) (values []string) {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != typeName || len(spec.Values) != 1 {
				return true
			}
			if text, ok := spec.Values[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
				value, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return true
		})
	}
	if len(values) == 0 {
		t.Fatalf("no constant of the type %s is declared", typeName)
	}
	return values
}

// wantWhole refuses a sentence that a part is missing from.
func wantWhole(t *testing.T, code, text string) {
	t.Helper()
	for _, hole := range []string{"  ", " ,", " .", "%!", ": .", ",,", "“”"} {
		if strings.Contains(text, hole) {
			t.Errorf("%s is told as %q", code, text)
		}
	}
	if text == "" || text != strings.TrimSpace(text) || strings.HasSuffix(text, ":") || strings.HasSuffix(text, ",") || strings.Contains(text, code) {
		t.Errorf("%s is told as %q", code, text)
	}
}

func facts() store.EventData {
	return store.EventData{
		UserID: "user", Before: "before", After: "after", Method: "GitHub", Email: "mara@example.com", InvitedBy: "Noor",
		Lifetime: 10 * time.Minute, Scopes: []store.Scope{store.ReadStores, store.WriteStores},
		PlanBefore: store.Figures{Label: "Small", Stores: 1, CPU: 1, Memory: 1, Disk: 1, Pods: 1},
		PlanAfter:  store.Figures{Label: "Large", Stores: 2, CPU: 2, Memory: 2, Disk: 2, Pods: 2},
		Change:     store.Change{Kind: store.Upgrade, Chart: "1.1.0", ChartBefore: "1.0.0", RevisionBefore: 2, Images: map[string]string{"mariadb": "11.8"}},
	}
}

func TestEveryKindOfEventIsTold(t *testing.T) {
	t.Parallel()
	for _, kind := range declared(t, "Kind") {
		line := phrase.Event(store.Event{Kind: store.Kind(kind), ActorID: "actor", Object: "Shop", Step: store.StepSetup, Message: "message", Data: facts()})
		wantWhole(t, kind, line.Message)
		wantWhole(t, kind, line.Verb)
		if line.Detail != "" {
			wantWhole(t, kind, line.Detail)
		}
	}
}

func TestEveryWayIsTold(t *testing.T) {
	t.Parallel()
	usual := map[string]bool{}
	for _, kind := range declared(t, "Kind") {
		usual[phrase.Event(store.Event{Kind: store.Kind(kind), Data: facts()}).Message] = true
	}
	for _, how := range declared(t, "How") {
		told := false
		for _, kind := range declared(t, "Kind") {
			data := facts()
			data.How = store.How(how)
			line := phrase.Event(store.Event{Kind: store.Kind(kind), Message: "message", Data: data})
			wantWhole(t, kind, line.Message)
			told = told || !usual[line.Message]
		}
		if !told {
			t.Errorf("no event tells that it came about by %s", how)
		}
	}
}

func TestEveryChangeIsTold(t *testing.T) {
	t.Parallel()
	for _, kind := range declared(t, "ChangeKind") {
		wantWhole(t, "the change "+kind, phrase.Change(store.Change{Kind: store.ChangeKind(kind), To: 3}))
	}
	for want, c := range map[string]store.Change{
		"Chart 1.0.0 → 1.1.0, mariadb 11.8": facts().Change,
		"mariadb 11.8, wordpress 7":         {Kind: store.Upgrade, Chart: "1", ChartBefore: "1", Images: map[string]string{"wordpress": "7", "mariadb": "11.8"}},
		"Installation settings":             {Kind: store.Upgrade, Chart: "1", ChartBefore: "1"},
		"Back to revision 3":                {Kind: store.Rollback, To: 3},
	} {
		if got := phrase.Change(c); got != want {
			t.Errorf("told as %q, want %q", got, want)
		}
	}
}

func TestValuesOfChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event         store.Event
		before, after string
	}{
		"an upgrade":  {store.Event{Kind: store.UpgradeAsked, Data: facts()}, "revision 2, chart 1.0.0", "chart 1.1.0, mariadb 11.8"},
		"a rollback":  {store.Event{Kind: store.RollbackAsked, Data: store.EventData{Change: store.Change{Kind: store.Rollback, To: 1, RevisionBefore: 2, ChartBefore: "1.0.0"}}}, "revision 2, chart 1.0.0", "revision 1"},
		"a new plan":  {store.Event{Kind: store.PlanAdded, Data: store.EventData{PlanAfter: facts().PlanAfter}}, "", "Large: 2 stores of a team, 2 thousandths of a CPU, 2 MiB of memory, 2 MiB of disk, 2 pods"},
		"a role":      {store.Event{Kind: store.RoleChanged, Data: facts()}, "before", "after"},
		"an open way": {store.Event{Kind: store.MemberInvited, Data: store.EventData{Anyone: true, After: "viewer"}}, "", "viewer"},
	} {
		if line := phrase.Event(c.event); line.Before != c.before || line.After != c.after {
			t.Errorf("%s: from %q to %q", name, line.Before, line.After)
		}
	}
}
