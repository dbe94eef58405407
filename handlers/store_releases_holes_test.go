package handlers_test

import (
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

// shownStates are the states of a store's revisions, newest first, as its page shows them.
func (l ledger) shownStates(page string) string {
	l.t.Helper()
	var states []string
	for _, row := range regexp.MustCompile(`(?s)class="c-rev num">.*?</svg>([^<]*)<`).FindAllStringSubmatch(l.get(l.mara, page+"/releases").body, -1) {
		states = append(states, strings.TrimSpace(row[1]))
	}
	return strings.Join(states, ", ")
}

// A revision is verified when its check placed an order. Nodes that run no containers place none.
func TestRevisionIsVerifiedUnlessItsCheckWasSimulated(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	for name, c := range map[string]struct {
		check         store.Check
		first, failed string
	}{
		"real":      {store.Check{OK: true, Order: "7"}, "Verified", "Failed, Previously verified"},
		"simulated": {store.Check{OK: true, Simulated: true}, "Simulated", "Failed, Simulated"},
	} {
		page := l.create(l.mara, "Nodes "+name)
		l.sellChecked(1, "11.0.1", c.check)
		if got := l.shownStates(page); got != c.first {
			t.Errorf("%s: the revision is shown as %q, want %q", name, got, c.first)
		}
		l.posts(l.mara, page+"/repair")()
		work := l.work()
		st, err := l.db.RecordRelease(t.Context(), work, store.Released{Number: 2, ChartVersion: "1.2"})
		if err != nil {
			t.Fatal(err)
		}
		work.Store = st
		if _, err := l.db.Fail(t.Context(), work, store.Failure{Code: store.OrderFailed}); err != nil {
			t.Fatal(err)
		}
		if err := l.db.Release(t.Context(), work); err != nil {
			t.Fatal(err)
		}
		if got := l.shownStates(page); got != c.failed {
			t.Errorf("%s: after a failed repair the revisions are shown as %q, want %q", name, got, c.failed)
		}
	}
}

// A store that runs a version with a known hole is told so where it is upgraded, until it is.
func TestKnownHolesAreToldWhereAStoreIsUpgraded(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	page := l.create(l.mara, "Holey")
	l.sellVersion(1, "10.3.4")
	shown := l.get(l.mara, page+"/releases").body
	for _, want := range []string{"Security update: version ", "This store runs 10.3.4", "CVE-2025-15033", "22 December 2025", "can read guest orders"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page does not tell %q", want)
		}
	}
	page = l.create(l.mara, "Mended")
	l.sellVersion(1, "11.0.1")
	if shown := l.get(l.mara, page+"/releases").body; strings.Contains(shown, "CVE-") || strings.Contains(shown, "Security update") {
		t.Error("a version without a known hole is called one with it")
	}
}

// Engines do not support an older program on a database that a newer one has migrated.
func TestDatabaseOfANewerVersionIsTold(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	page := l.create(l.mara, "Back")
	l.sellVersion(1, "11.0.1")
	told := func() bool {
		return strings.Contains(l.get(l.mara, page+"/releases").body, "The database was migrated for version 11.0.1, and WooCommerce doesn’t support version 11.0.0 on it")
	}
	if told() {
		t.Error("a store that was only opened is said to have gone back")
	}
	l.posts(l.mara, page+"/repair")()
	l.sellVersion(2, "11.0.0")
	if !told() {
		t.Error("an older program on a newer database is not told")
	}
}
