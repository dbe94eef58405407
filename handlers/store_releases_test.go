package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/views/browsertest"
)

// chooseDatabase looks at an upgrade to that version of it.
func (s shop) chooseDatabase(b *browsertest.Browser, version string) {
	s.t.Helper()
	b.Visit(s.url + s.page + "/releases")
	b.Until(isLive)
	b.Click("#tab-releases a.btn")
	b.WaitFor("#image-mariadb")
	browsertest.Evaluate[string](b, fmt.Sprintf(`document.getElementById("image-mariadb").value = %q`, version))
	b.Click(`button[formmethod="get"]`)
	b.Until(fmt.Sprintf(`location.search.includes("image-mariadb=%s") && document.querySelector(".sw-diff .a") !== null`, version))
}

const (
	isReady     = `document.getElementById("store-head").dataset.status === "ready"`
	isUpgrading = `document.getElementById("store-head").dataset.status === "upgrading"`
	mainText    = `document.getElementById("store-main").innerText`
)

func TestUpgradeAndRollbackInABrowser(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	b := s.openBrowser()
	s.chooseDatabase(b, "11.8")
	if shown := browsertest.Evaluate[string](b, `[...document.querySelectorAll(".sw-diff .a")].map(l => l.innerText).join(" ")`); !strings.Contains(shown, "mariadb:11.8") || strings.Contains(shown, s.password()) {
		t.Errorf("the preview shows as new %s", shown)
	}
	look(b, "upgrade")
	b.Click(`header button.btn-primary`)
	b.Until(`location.pathname === "` + s.page + `" && ` + mainText + `.includes("Upgrading the shop") && ` + isReady)
	b.Until(mainText + `.includes("finished work on the store mariadb 11.8")`)

	b.Visit(s.url + s.page + "/releases")
	b.Click(`a[href$="/releases/1/rollback"]`)
	b.WaitFor(".sw-diff .a")
	look(b, "rollback")
	b.Click(`header button.btn-primary`)
	b.Until(`location.pathname === "` + s.page + `" && ` + mainText + `.includes("Rolling back the shop") && ` + isReady)
	b.Visit(s.url + s.page + "/releases")
	b.Until(isLive + ` && document.querySelectorAll("#tab-releases tbody tr").length === 3`)
	look(b, "releases")
	b.Click(`a[href$="/releases/2"]`)
	b.WaitFor(".sw-diff .r")
	look(b, "revision")
	if text := b.Complaints(); text != "" {
		t.Errorf("the browser complains: %s", text)
	}
}

// The overview tells of a change that was undone, and the list of releases follows it live.
func TestUpgradeThatIsUndoneInABrowser(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	b := s.openBrowser()
	history := b.Tab()
	history.Visit(s.url + s.page + "/releases")
	history.Until(isLive)
	s.chooseDatabase(b, "does-not-exist")
	b.Click(`header button.btn-primary`)
	b.Until(isUpgrading)
	history.Until(`document.getElementById("tab-releases").innerText.includes("In progress")`)
	b.Until(`document.getElementById("undone-title") !== null && ` + mainText + `.includes("The shop runs the previous revision again.") && ` + isReady)
	look(b, "undone")
	history.Until(`[...document.querySelectorAll("#tab-releases tbody tr")].map(r => r.cells[1].innerText.trim()).join() === "Simulated,Failed,Replaced"`)
	history.Check()
}

var hidden = regexp.MustCompile(`name="(offer|looked)" value="([^"]*)"`)

// previewed is the form of an upgrade as it was looked at.
func (s shop) previewed(b *http.Client, query string) url.Values {
	s.t.Helper()
	got := s.get(b, s.page+"/releases/upgrade?"+query)
	form, _ := url.ParseQuery(query)
	for _, field := range hidden.FindAllStringSubmatch(got.body, -1) {
		form.Set(field[1], field[2])
	}
	return form
}

func TestOnlyWhatWasLookedAtIsUpgraded(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	upgrade := s.page + "/releases/upgrade"
	for name, change := range map[string]func(url.Values){
		"another version":   func(f url.Values) { f.Set("image-mariadb", "11.8") },
		"no preview":        func(f url.Values) { f.Del("offer") },
		"a stale preview":   func(f url.Values) { f.Set("offer", "old") },
		"another previewed": func(f url.Values) { f.Set("looked", "mariadb 12") },
	} {
		form := s.previewed(s.owner, "")
		change(form)
		if got := s.post(s.owner, upgrade, form); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "This isn’t the upgrade you reviewed.") {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	for _, version := range []string{"11.8 beta", "../x", "a@sha256:12", "<b>"} {
		got := s.get(s.owner, upgrade+"?image-mariadb="+url.QueryEscape(version)+"&stay=on")
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "This isn’t a version") || !strings.Contains(got.body, `name="stay" value="on" checked`) || strings.Contains(got.body, "<b>") {
			t.Errorf("%q: %d %s", version, got.status, got.body)
		}
	}
	viewer, _ := s.viewer()
	if got := s.get(viewer, s.page+"/releases"); got.status != http.StatusOK || strings.Contains(got.body, "/releases/upgrade") {
		t.Errorf("who may only look sees %d %s", got.status, got.body)
	}
	for _, path := range []string{"/releases/upgrade", "/releases/1/rollback"} {
		if got := s.post(viewer, s.page+path, s.previewed(s.owner, "")); got.status != http.StatusForbidden {
			t.Errorf("who may only look is answered %d at %s", got.status, path)
		}
	}
	for path, status := range map[string]int{
		"/releases/0": http.StatusNotFound, "/releases/x": http.StatusNotFound, "/releases/7/rollback": http.StatusOK,
	} {
		if got := s.get(s.owner, s.page+path); got.status != status {
			t.Errorf("%s answers %d", path, got.status)
		}
	}
	if got := s.post(s.owner, s.page+"/releases/7/rollback", nil); got.status != http.StatusConflict {
		t.Errorf("a rollback to what never was answers %d", got.status)
	}
	if got := s.get(s.owner, s.page+"/releases"); strings.Contains(got.body, "In progress") || !strings.Contains(got.body, "Up to date") {
		t.Error("something was changed")
	}
}
