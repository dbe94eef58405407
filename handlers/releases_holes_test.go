package handlers_test

import (
	"strings"
	"testing"
)

// A store that runs a version with a known hole is told so where it is upgraded, until it is.
func TestKnownHolesAreToldWhereAStoreIsUpgraded(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	page := l.create(l.mara, "Holey")
	l.sellVersion(1, "10.3.4")
	shown := l.get(l.mara, page+"/releases").body
	for _, want := range []string{"Security update: version ", "This store runs 10.3.4", "CVE-2025-15033", "22 December 2025", "can read the orders of guests"} {
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
		return strings.Contains(l.get(l.mara, page+"/releases").body, "The database is migrated for version 11.0.1, and WooCommerce does not support version 11.0.0 on it")
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
