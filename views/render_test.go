package views

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatalf("render: %v", err)
	}
	return b.String()
}

// TestPagesObeyTheContentSecurityPolicy and hold nothing that a name smuggled in.
func TestPagesObeyTheContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	forbidden := map[string]*regexp.Regexp{
		"an inline script":   regexp.MustCompile(`(?i)<script(?: defer)?>`),
		"an inline style":    regexp.MustCompile(`(?i)<style|<[^>]* style=`),
		"an event attribute": regexp.MustCompile(`(?i)<[a-z][^>"]*(?:"[^"]*"[^>"]*)*\s(?:on[a-z]+|hx-on[a-z:-]*)=`),
		"a foreign address":  regexp.MustCompile(`(?i)(?:src|href)="(?:https?:)?//(?:[^"]*\.)?(?:com|net|org)`),
		"unescaped text":     regexp.MustCompile(`<img src=x|<script>alert`),
	}
	for name, page := range states() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			html := render(t, page)
			for what, pattern := range forbidden {
				if found := pattern.FindString(html); found != "" {
					t.Errorf("holds %s: %.120s", what, found)
				}
			}
		})
	}
}

func TestIDsAreUniqueOnEveryPage(t *testing.T) {
	t.Parallel()
	id := regexp.MustCompile(` id="([^"]*)"`)
	for name, page := range states() {
		seen := map[string]bool{}
		for _, match := range id.FindAllStringSubmatch(render(t, page), -1) {
			if match[1] == "" || seen[match[1]] {
				t.Errorf("%s: the id %q stands twice or is empty", name, match[1])
			}
			seen[match[1]] = true
		}
	}
}

// TestPartsKeepTheirIDs in every state: an update finds its target only by it.
func TestPartsKeepTheirIDs(t *testing.T) {
	t.Parallel()
	failed, running := *overviewPage("x", Failed).Overview, *overviewPage("x", Provisioning).Overview
	parts := map[string][]templ.Component{
		"cluster-pill":   {ClusterPill(Cluster{}), ClusterPill(unreachableShell().Cluster)},
		"cluster-notice": {ClusterNotice(Cluster{Link: ClusterConnected}), ClusterNotice(Cluster{}), ClusterNotice(unreachableShell().Cluster)},
		"stores-count":   {SidebarCount(0)},
		"status-tabs":    {StatusTabs(StoreList{}), StatusTabs(sampleList())},
		"store-rows":     {StoreRows(StoreList{Empty: true}), StoreRows(noMatchList()), StoreRows(sampleList())},
		"store-7":        {Row(sampleRow("7", "x", Ready, "")), Row(sampleRow("7", "x", Failed, "bad"))},
		"create-form":    {CreateDialogForm(sampleForm()), CreateDialogForm(wrongForm())},
		"address-field":  {AddressField(sampleForm()), AddressField(wrongForm())},
		"store-head":     {Head(sampleHead("x", Ready)), Head(sampleHead("x", Failed))},
		"store-tabs":     {TabBar(StoreTabs{ID: "7"})},
		"store-page":     {Gone("x", "")},
		"store-main":     {OverviewTab(failed), OverviewTab(running)},
		"tab-pods":       {PodsPane(PodsTab{}), PodsPane(PodsTab{Known: true}), PodsPane(PodsTab{Known: true, Pods: samplePods()})},
		"tab-events":     {EventsPane(EventsTab{}), EventsPane(EventsTab{Known: true}), EventsPane(EventsTab{Known: true, Events: sampleEvents()})},
		"tab-logs":       {LogsPane(LogsTab{}), LogsPane(LogsTab{Known: true}), LogsPane(LogsTab{Known: true, Sources: sampleLog().Sources}), LogsPane(sampleLog())},
		"log-sources":    {LogSources(LogsTab{}), LogSources(sampleLog())},
		"log-state":      {LogStateNote(LogState{}), LogStateNote(crashingLog().State)},
		"credentials":    {CredentialsPanel(Credentials{}), CredentialsPanel(sampleCredentials(false)), CredentialsPanel(sampleCredentials(true))},
		"admin-queue":    {AdminQueuePane(AdminQueue{}), AdminQueuePane(sampleQueue().Queue)},
		"delete-form":    {DeleteDialogForm(sampleDelete("")), DeleteDialogForm(sampleDelete("no"))},
	}
	for id, variants := range parts {
		root := regexp.MustCompile(`^\s*<[a-z]+[^>]* id="` + id + `"`)
		for _, c := range variants {
			if html := render(t, c); !root.MatchString(html) {
				t.Errorf("the outermost element is not #%s: %.120s", id, html)
			}
		}
	}
}

func TestPartialWrapsForTheStream(t *testing.T) {
	t.Parallel()
	got := render(t, Partial("#stores-count", "outerMorph", SidebarCount(3)))
	if !strings.HasPrefix(got, `<hx-partial hx-target="#stores-count" hx-swap="outerMorph">`) || !strings.HasSuffix(got, `</hx-partial>`) {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(got, `id="stores-count"`) {
		t.Errorf("the component is missing: %s", got)
	}
}

func TestCredentialsAreOnlyThereWhenShown(t *testing.T) {
	t.Parallel()
	c := sampleCredentials(true)
	c.Shown = false
	if html := render(t, CredentialsPanel(c)); strings.Contains(html, c.Password) || strings.Contains(html, "hx-morph-skip") {
		t.Error("a hidden panel holds the password, or cannot be updated")
	}
	c.Shown = true
	if html := render(t, CredentialsPanel(c)); !strings.Contains(html, c.Password) || !strings.Contains(html, "hx-morph-skip") {
		t.Error("a shown panel lacks the password, or would vanish on an update")
	}
}

func TestUnsafeAddressesAreNotLinked(t *testing.T) {
	t.Parallel()
	h := sampleHead("x", Ready)
	h.URL, h.AdminURL = "javascript:alert(1)", "data:text/html,x"
	if html := render(t, Head(h)); strings.Contains(html, "javascript:") || strings.Contains(html, "data:text") {
		t.Errorf("links an unsafe address: %s", html)
	}
}

func TestTook(t *testing.T) {
	t.Parallel()
	want := map[time.Duration]string{
		0:                       "0 ms",
		340 * time.Millisecond:  "340 ms",
		4840 * time.Millisecond: "4.8 s",
		9990 * time.Millisecond: "10 s",
		35 * time.Second:        "35 s",
		125 * time.Second:       "2:05",
		70 * time.Minute:        "70:00",
	}
	for d, text := range want {
		if got := Took(d); got != text {
			t.Errorf("Took(%v) = %q, want %q", d, got, text)
		}
	}
}

func TestRuleLabel(t *testing.T) {
	t.Parallel()
	want := map[string][]Tick{
		"Step 6 of 10":           sampleTicks(5, TickRunning),
		"Failed at step 6 of 10": sampleTicks(5, TickBad),
		"10 of 10 steps done":    sampleTicks(10, TickDone),
	}
	for label, ticks := range want {
		if got := ruleLabel(ticks); got != label {
			t.Errorf("got %q, want %q", got, label)
		}
	}
}

func TestListURLKeepsTheOtherFilters(t *testing.T) {
	t.Parallel()
	l := StoreList{Search: "a&b", Status: Failed, Sort: sortName}
	if got, want := string(listURL(l, "engine", "medusa")), "/stores?engine=medusa&q=a%26b&sort=name&status=failed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(listURL(StoreList{Search: "x"}, "q", "")); got != "/stores" {
		t.Errorf("got %s", got)
	}
}
