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
	if text == "" || text != strings.TrimSpace(text) || strings.HasSuffix(text, ":") || strings.HasSuffix(text, ",") || text == code {
		t.Errorf("%s is told as %q", code, text)
	}
}

func facts() store.EventData {
	return store.EventData{
		UserID: "user", Before: "before", After: "after", Method: "GitHub", Email: "mara@example.com", InvitedBy: "Noor",
		Lifetime: 10 * time.Minute, Scopes: []store.Scope{store.ReadStores, store.WriteStores},
		PlanBefore: store.Figures{Label: "Small", Stores: 1, CPU: 1, Memory: 1, Disk: 1, Pods: 1},
		PlanAfter:  store.Figures{Label: "Large", Stores: 2, CPU: 2, Memory: 2, Disk: 2, Pods: 2, BackupEvery: 1, Keep: store.PointRetention{Daily: 7}},
		Failure:    store.Failure{Code: store.TimedOut},
		Note:       store.Quote("said"),
		Change:     store.Change{Kind: store.Upgrade, Chart: "1.1.0", ChartBefore: "1.0.0", RevisionBefore: 2, Images: map[string]string{"mariadb": "11.8"}},
	}
}

func TestEveryKindOfEventIsTold(t *testing.T) {
	t.Parallel()
	for _, kind := range declared(t, "Kind") {
		line := phrase.Event(store.Event{Kind: store.Kind(kind), ActorID: "actor", Object: "Shop", Step: store.StepSetup, Data: facts()})
		wantWhole(t, kind, line.Message)
		wantWhole(t, kind, line.Verb)
		if line.Detail != "" {
			wantWhole(t, kind, line.Detail)
		}
	}
}

func TestEveryReasonOfAPointIsTold(t *testing.T) {
	t.Parallel()
	for _, reason := range declared(t, "PointReason") {
		wantWhole(t, reason, phrase.PointReason(store.PointReason(reason)))
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
			line := phrase.Event(store.Event{Kind: store.Kind(kind), Data: data})
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
		wantWhole(t, kind, phrase.Change(store.Change{Kind: store.ChangeKind(kind), To: 3}))
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
		"an upgrade":    {store.Event{Kind: store.UpgradeAsked, Data: facts()}, "revision 2, chart 1.0.0", "chart 1.1.0, mariadb 11.8"},
		"a rollback":    {store.Event{Kind: store.RollbackAsked, Data: store.EventData{Change: store.Change{Kind: store.Rollback, To: 1, RevisionBefore: 2, ChartBefore: "1.0.0"}}}, "revision 2, chart 1.0.0", "revision 1"},
		"a new plan":    {store.Event{Kind: store.PlanAdded, Data: store.EventData{PlanAfter: facts().PlanAfter}}, "", "Large: 2 stores of a team, 2 thousandths of a CPU, 2 MiB of memory, 2 MiB of disk, 2 pods, scheduled backups: every hour, restore points kept: 0 hourly, 7 daily, 0 weekly, 0 monthly"},
		"a plan of 0.1": {store.Event{Kind: store.PlanAdded, Data: store.EventData{PlanAfter: facts().PlanBefore}}, "", "Small: 1 stores of a team, 1 thousandths of a CPU, 1 MiB of memory, 1 MiB of disk, 1 pods"},
		"a role":        {store.Event{Kind: store.RoleChanged, Data: facts()}, "before", "after"},
		"an open way":   {store.Event{Kind: store.MemberInvited, Data: store.EventData{Anyone: true, After: "viewer"}}, "", "viewer"},
	} {
		if line := phrase.Event(c.event); line.Before != c.before || line.After != c.after {
			t.Errorf("%s: from %q to %q", name, line.Before, line.After)
		}
	}
}

func failureFacts() store.Facts {
	return store.Facts{
		Namespace: "store-shop", StoreID: "id", Label: "shopwright.dev/store-id", Object: "pod/web-0", Pod: "web-0", Container: "web", Image: "web:1",
		Name: "name", Names: []string{"data", "files"}, Engine: "WooCommerce", Chart: "1.0.0", Plan: "Standard", Person: "Mara", Count: 3, ExitCode: 1, Limit: "1Gi",
		Revision: 2, Status: "pending-upgrade", Since: time.Unix(1_800_000_000, 0), After: 10 * time.Minute,
		Shortages: []store.Shortage{{Resource: "requests.storage", Needs: "20 GiB", Allows: "1 GiB"}, {Resource: "limits.cpu", Needs: "2", Allows: "1"}},
		Problem:   store.WrongPassword,
		Doing:     "making the database", Quote: "it said so",
	}
}

func TestEveryFailureIsTold(t *testing.T) {
	t.Parallel()
	titles := map[string]string{}
	for _, code := range declared(t, "FailureCode") {
		for _, going := range []bool{false, true} {
			f := store.Failure{Code: store.FailureCode(code), Step: store.StepSetup, Facts: failureFacts()}
			f.Facts.Going = going
			said := phrase.Failure(f)
			wantWhole(t, code, said.Cause)
			if f.Code == store.DiskFull || f.Code == store.PodsNotReady { // the causes of checks that failed
				continue
			}
			wantWhole(t, code, said.Title)
			if f.Code != store.ChangeWasCancelled {
				wantWhole(t, code, said.Next)
			}
			titles[said.Title+said.Cause] = code
		}
	}
	if len(titles) != len(declared(t, "FailureCode"))-1 { // lost data are told in two ways
		t.Errorf("some failures are told in the same words: %v", titles)
	}
}

// A problem is told by the failure of which it is the cause, in words of its own.
func TestEveryProblemIsTold(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, problem := range declared(t, "Problem") {
		for _, code := range []store.FailureCode{store.DatabaseRefuses, store.NoNodeForPod, store.TimedOut} {
			f := store.Failure{Code: code, Step: store.StepSetup, Facts: failureFacts()}
			f.Facts.Problem = "another"
			unknown := phrase.Failure(f)
			f.Facts.Problem = store.Problem(problem)
			if said := phrase.Failure(f); said != unknown && problem != "room" {
				if other, double := seen[said.Title+said.Cause+said.Next]; double {
					t.Errorf("%s is told like %s", problem, other)
				}
				seen[said.Title+said.Cause+said.Next] = problem
			}
		}
	}
	for _, problem := range declared(t, "Problem") {
		told := problem == string(store.NoRoom)
		for _, of := range seen {
			told = told || of == problem
		}
		if !told {
			t.Errorf("no failure tells of the problem %s", problem)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]store.Failure{
		"WooCommerce doesn’t fit the Standard plan. It needs 2 CPU; the plan allows 1. It needs 20 GiB of disk; the plan allows 1 GiB.":              {Code: store.PlanTooSmall, Facts: failureFacts()},
		"The cluster denied the request at the step namespace: no reason was given.":                                                                 {Code: store.RequestDenied},
		"After 10m0s the store is still at the step workloads: 1 of 2 workloads ready. The container web of the pod web-0 is running but not ready.": {Code: store.TimedOut, Step: store.StepWorkloads, Note: store.Note{Code: store.WorkloadsComing, Facts: store.Facts{Count: 1, Of: 2}}, Facts: store.Facts{After: 10 * time.Minute, Pod: "web-0", Container: "web", Problem: store.NotReady}},
		"Setup failed after 1 attempt while making the database.":                                                                                    {Code: store.SetupStepFailed, Facts: store.Facts{Count: 1, Doing: "making the database"}},
		"Shopwright cancelled the change.": {Code: store.ChangeWasCancelled},
		"The store’s disks name no storage class, and the cluster has no default. Its storage classes: none.":                                                                          {Code: store.NoDefaultStorage},
		"Another Helm operation on the release store started at 08:00:00 UTC and hasn’t finished: its revision 2 is pending-upgrade. It started again each time Shopwright continued.": {Code: store.ReleaseLocked, Facts: store.Facts{Name: "store", Since: time.Unix(1_800_000_000, 0), Revision: 2, Status: "pending-upgrade"}},
	} {
		if got := phrase.Failure(f).Cause; got != want {
			t.Errorf("told as %q, want %q", got, want)
		}
	}
}
