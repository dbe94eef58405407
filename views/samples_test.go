package views

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// hostile is what a name, a message or an address may hold in the worst case.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`

var longName = strings.Repeat("Extraordinarily Long-Named Emporium of ", 7) + strings.Repeat("W", 60)

var sampleTime = time.Now().Add(-41 * time.Second)

func sampleShell(title string, place Place) Shell {
	return Shell{
		Title: title, Place: place, Stores: 38, Version: "0.1.0", CanBuild: true, Stream: "/stream",
		User:    User{Name: "Mara Lindqvist", Email: "mara@nordlicht.example", Initials: "ML"},
		Cluster: Cluster{Name: "fra-1", Link: ClusterConnected, Version: "v1.37.0"},
	}
}

func sampleTicks(done int, last Tick) []Tick {
	ticks := make([]Tick, 10)
	for n := range ticks {
		switch {
		case n < done:
			ticks[n] = TickDone
		case n == done:
			ticks[n] = last
		default:
			ticks[n] = TickToDo
		}
	}
	return ticks
}

func sampleRow(id, name string, status Status, detail string) StoreRow {
	r := StoreRow{
		ID: id, Name: name, Host: "shop-" + id + ".localhost:8081", Status: status, Detail: detail,
		Engine: "WooCommerce", Letter: "W", CreatedAt: sampleTime, CanDelete: true,
	}
	switch status {
	case Provisioning:
		r.Since, r.Ticks = sampleTime, sampleTicks(5, TickRunning)
	case Failed:
		r.Ticks, r.CanRetry = sampleTicks(5, TickBad), true
	case Ready, Degraded:
		r.URL = "http://" + r.Host
	case Upgrading, Deleting:
		r.Since, r.Ticks = sampleTime, sampleTicks(3, TickRunning)[:5]
	case Sleeping:
	}
	return r
}

func sampleList() StoreList {
	rows := []StoreRow{
		sampleRow("1", "Tea & Tonic", Provisioning, "Queued · second in line"),
		sampleRow("2", "Nordwind Outdoor", Provisioning, "Workloads · 1 of 2 pods ready"),
		sampleRow("3", "Papeterie du Canal", Failed, "Database got no disk: no class “fast-ssd”"),
		sampleRow("4", "Atelier Köhler", Ready, "Opened in 1:08"),
		sampleRow("5", longName, Ready, "Opened in 0:58"),
		sampleRow("6", hostile, Ready, hostile),
		sampleRow("7", "Sample Sale Archive", Sleeping, "Since 12 Nov"),
		sampleRow("8", "Bike Kitchen Utrecht", Degraded, "One of two pods is ready"),
		sampleRow("9", "Harbour Coffee Roasters", Upgrading, "Chart 1.8.0 → 1.9.0 · Workloads"),
		sampleRow("10", "Old Spring Pop-up", Deleting, "Waiting for disk data-mariadb-0"),
	}
	return StoreList{
		Rows: rows, Counts: sampleCounts(""), From: 1, To: 10, Total: 38, Next: "/stores?page=2", Sort: sortNewest,
		Engines: []Choice{{Value: "woocommerce", Label: "WooCommerce"}, {Value: "medusa", Label: "Medusa"}},
	}
}

func sampleCounts(current Status) []StatusCount {
	counts := []StatusCount{{Label: "All", Count: 38, URL: "/stores", Current: current == ""}}
	for _, s := range []Status{Provisioning, Ready, Degraded, Failed, Upgrading, Sleeping, Deleting} {
		counts = append(counts, StatusCount{Status: s, Label: s.Label(), Count: 2, URL: "/stores?status=" + string(s), Current: s == current})
	}
	return counts
}

func sampleHead(name string, status Status) StoreHead {
	h := StoreHead{
		ID: "7", Name: name, Slug: "nordwind-outdoor", Host: "nordwind-outdoor.localhost:8081",
		Status: status, Engine: "WooCommerce", Plan: "Medium", Cluster: "fra-1", CanDelete: true,
	}
	if status == Ready {
		h.URL, h.AdminURL = "http://"+h.Host, "http://"+h.Host+"/wp-admin"
	}
	h.CanRetry = status == Failed
	if status == Upgrading {
		h.Cancel = "Cancel rollback"
	}
	return h
}

func sampleTimeline(done int, last Tick) Timeline {
	names := []string{"Queued", "Namespace", "Limits", "Credentials", "Release", "Workloads", "Setup", "Order check", "Address", "Ready"}
	messages := []string{"Started immediately", "Made, pods restricted", "2 CPU, 2 GiB, 20 GiB, network closed", "Stored only in the namespace",
		"Chart woocommerce 0.1.0, 14 objects", "1 of 2 pods ready", "WooCommerce is set up", "Order 1042 sold in 1.7 s, and cancelled", "Responds in 38 ms", "Address and admin login"}
	t := Timeline{Title: "Opening the shop", Began: sampleTime, Running: last == TickRunning && done < 10, Took: 68 * time.Second}
	for n, state := range sampleTicks(done, last) {
		step := TimelineStep{Name: names[n], Message: messages[n], State: state, Start: float64(n) * 8, Width: float64(n) * 3}
		if state == TickRunning {
			step.Began, t.Current = sampleTime, n+1
		}
		if state == TickDone || state == TickBad {
			step.Took = time.Duration(n*n) * 230 * time.Millisecond
		}
		t.Steps = append(t.Steps, step)
	}
	return t
}

func sampleStory() []Entry {
	return []Entry{
		{At: sampleTime, Kind: EntryLogin, Actor: "Mara Lindqvist", Verb: "viewed the admin login of", Object: "Atelier Köhler", URL: "/stores/4"},
		{At: sampleTime.Add(-time.Hour), Actor: "Shopwright", Verb: "opened", Object: "Atelier Köhler", URL: "/stores/4", Tone: ToneOK},
		{At: sampleTime.Add(-2 * time.Hour), Actor: "Shopwright", Verb: "failed to finish work on", Object: hostile, Detail: "Workloads: " + hostile, Tone: ToneBad},
		{At: sampleTime.Add(-3 * time.Hour), Kind: EntryRetry, Actor: "Mara Lindqvist", Verb: "retried", Object: longName, URL: "/stores/5"},
		{At: sampleTime.Add(-30 * time.Hour), Kind: EntryStore, Actor: "Mara Lindqvist", Verb: "created", Object: "Nordwind Outdoor", URL: "/stores/2"},
		{At: sampleTime.Add(-31 * time.Hour), Kind: EntryDelete, Actor: longName, Verb: "requested the deletion of", Object: "Winter Market"},
		{At: sampleTime.Add(-32 * time.Hour), Kind: EntrySign, Actor: "Mara Lindqvist", Verb: "signed in", Detail: "with development login"},
	}
}

func sampleFacts() []Fact {
	return []Fact{
		{Name: "Engine", Value: "WooCommerce"},
		{Name: "Template", Value: "Demo catalogue"},
		{Name: "Country", Value: "Germany, EUR"},
		{Name: "Plan", Value: "Medium"},
		{Name: "Namespace", Value: "store-nordwind-outdoor", Code: true},
		{Name: "Chart", Value: "woocommerce 0.1.0"},
		{Name: "Opened by", Value: "Mara Lindqvist"},
		{Name: "Address", Value: "nordwind-outdoor.localhost", URL: "http://nordwind-outdoor.localhost"},
	}
}

func samplePods() []Pod {
	return []Pod{
		{Name: "woocommerce-mariadb-0", Component: "mariadb", Phase: "Running", Tone: ToneOK, Ready: "1/1", Node: "node-1", CreatedAt: sampleTime,
			Message: "ready after 14 s", Containers: []Container{{Name: "mariadb", Image: "mariadb:11.4.4@sha256:" + strings.Repeat("0af3", 16), State: "Running", Tone: ToneOK, Since: sampleTime}}},
		{Name: "woocommerce-wordpress-7c9d8b6f4-x2kqp", Phase: "Pending", Tone: TonePlain, Ready: "0/2", Node: "node-2", CreatedAt: sampleTime,
			Message: "started, waiting for its first answer on /wp-login.php",
			Containers: []Container{
				{Name: "wait-for-database", Init: true, Image: "woocommerce:10.3", State: "Completed", Tone: TonePlain, Since: sampleTime},
				{Name: "apache", Image: "woocommerce:10.3", State: "Waiting", Reason: "ImagePullBackOff", Tone: ToneBad, Restarts: 6,
					Message: "Back-off pulling image " + hostile, Since: sampleTime},
			}},
	}
}

func sampleFailure() *Failure {
	return &Failure{
		Title: "The database got no disk", At: sampleTime,
		Cause: "Stores use the storage class fast-ssd, but the cluster doesn’t have it. Its storage classes: standard. The database waits for its disk, and the shop waits for its database.",
		Next:  "Create that class, or change SHOPWRIGHT_STORAGE_CLASS and restart Shopwright. Then press Retry.",
		Evidence: []Evidence{
			{Object: "pvc/data-woocommerce-mariadb-0", Reason: "ProvisioningFailed", Message: `storageclass.storage.k8s.io "fast-ssd" not found`, Count: 41, Last: sampleTime},
			{Object: "pod/woocommerce-wordpress-7c9d8b6f4-x2kqp-with-a-long-name", Message: hostile, Count: 1, Last: sampleTime},
		},
		Words:   LastWords{Of: "setup-1a2b3c4d-x7k2p/setup", URL: "/stores/7/logs", Lines: []string{"setup: installing WordPress", "setup: FAILED: there is no way to pay", hostile}},
		HelmLog: []string{"creating 14 resource(s)", "StatefulSet is not ready: store-papeterie-du-canal/mariadb. 0 out of 1 expected pods are ready", hostile},
	}
}

func sampleCredentials(shown bool) Credentials {
	c := Credentials{StoreID: "7", Can: true, Ready: true, Shown: shown, AdminURL: "http://nordwind-outdoor.localhost:8081/wp-admin"}
	if shown {
		c.Username, c.Password = "admin", "q7Rk2VbX9mTz4NcLw8HdYp3E"
	}
	return c
}

func sampleStorePage(name string, status Status, tab Tab) StorePage {
	return StorePage{
		Shell: sampleShell(name, PlaceStores), Head: sampleHead(name, status),
		Tabs: StoreTabs{ID: "7", Current: tab, Pods: 2},
	}
}

func overviewPage(name string, status Status) StorePage {
	p := sampleStorePage(name, status, TabOverview)
	o := Overview{Head: p.Head, Facts: sampleFacts(), Story: sampleStory()[:6], Credentials: sampleCredentials(false)}
	switch status {
	case Ready:
		o.Timeline, o.Health = sampleTimeline(10, TickDone), sampleHealth()
	case Failed:
		o.Timeline, o.Failure, o.Left = sampleTimeline(5, TickBad), sampleFailure(), sampleFacts()[4:6]
		o.Credentials = Credentials{StoreID: "7", Can: true}
	default:
		o.Timeline, o.Pods = sampleTimeline(5, TickRunning), samplePods()
		o.Credentials = Credentials{StoreID: "7", Can: true}
	}
	p.Overview = &o
	return p
}

func sampleHealth() Health {
	return Health{
		StoreID: "7", At: sampleTime, OK: true, Summary: "Order 1042 was placed and cancelled.", Can: true,
		Steps:   []Fact{{Name: "catalogue", Value: "120 ms"}, {Name: "cart", Value: "84 ms"}, {Name: "checkout", Value: "1.4 s"}},
		Address: "Responds in 38 ms", Next: "Checked automatically about every 6 hours, up to checkout.",
	}
}

// simulatedHealthPage is of a ready store on nodes that run no containers, which is being
// checked.
func simulatedHealthPage() StorePage {
	p := overviewPage("Atelier Köhler", Ready)
	p.Overview.Health = Health{
		StoreID: "7", At: sampleTime, OK: true, Quiet: true, Can: true, Due: true,
		Summary: "Simulated: this cluster runs no containers, so no order was placed.",
		Address: "Simulated: nothing answers there", Next: "Checked after changes and on request.",
	}
	return p
}

// degradedPage is of a store in which customers cannot buy.
func degradedPage() StorePage {
	p := overviewPage("Bike Kitchen Utrecht", Degraded)
	h := sampleHealth()
	h.OK, h.Degraded = false, true
	h.Cause, p.Head.Pods = "A disk of pod mariadb-0 is full: InnoDB: Write failed with error 28.", "1 of 2 pods ready"
	h.Summary = "The order check failed at checkout: Sorry, we cannot do that. " + hostile
	p.Overview.Health, p.Overview.Timeline, p.Overview.Pods = h, sampleTimeline(10, TickDone), nil
	return p
}

// driftedPage is of a ready store that somebody has changed in the cluster.
func driftedPage() StorePage {
	p := overviewPage("Atelier Köhler", Ready)
	p.Overview.Head.CanRepair = true
	p.Overview.Drift = []string{"wordpress was scaled to 0 manually; the chart specifies 1.", hostile + " was scaled to 3 manually; the chart specifies 1."}
	return p
}

// refusedRemovalPage is of a store of which the cluster lets nothing go.
func refusedRemovalPage() StorePage {
	p := overviewPage("Papeterie du Canal", Deleting)
	p.Overview.Timeline = Timeline{Title: "Deleting the store", Began: sampleTime, Running: true, Current: 1, Steps: []TimelineStep{
		{Name: "Uninstall", State: TickRunning, Began: sampleTime, Message: "The cluster denied the request: services \"mariadb\" is forbidden: ValidatingAdmissionPolicy 'keep-shops' with binding 'keep-shops' denied request: " + hostile + ". Shopwright retries until the cluster’s administrator allows it."},
		{Name: "Disks", State: TickToDo}, {Name: "Namespace", State: TickToDo}, {Name: "Gone", State: TickToDo},
	}}
	return p
}

// lostPage is of a store whose disks have gone.
func lostPage() StorePage {
	p := overviewPage("Papeterie du Canal", Failed)
	p.Overview.Head.CanRebuild = true
	p.Overview.Failure = &Failure{
		Title: "The shop’s data is lost",
		Cause: "These disks of the shop are missing from the namespace store-papeterie-du-canal: data-mariadb-0, files. New ones would be empty.",
		Next:  "Restore them under the same names and press Retry, or rebuild the shop: from a restore point if it has one, or empty.",
		At:    sampleTime, Point: "1", PointAt: sampleTime.Add(-2 * time.Hour),
	}
	return p
}

func credentialsPage(c Credentials) StorePage {
	p := overviewPage("Atelier Köhler", Ready)
	p.Overview.Credentials = c
	return p
}

func clusterPage(c Cluster) templ.Component {
	p := StoresPage{Shell: sampleShell("Stores", PlaceStores), List: sampleList(), Create: sampleForm()}
	p.Shell.Cluster = c
	return Stores(p)
}

func listPage(l StoreList) templ.Component {
	return Stores(StoresPage{Shell: sampleShell("Stores", PlaceStores), List: l, Create: sampleForm()})
}

func noMatchList() StoreList {
	return StoreList{Counts: sampleCounts(Failed), Search: "kioks " + hostile, Status: Failed, Engine: "medusa",
		Engines: sampleList().Engines, Total: 0}
}

// manyList is a page in the middle of hundreds of stores, with a search and a filter on.
func manyList() StoreList {
	l := sampleList()
	l.Search, l.Engine, l.Previous, l.From, l.To, l.Total = "shop", "woocommerce", "/stores?page=2", 51, 75, 412
	l.Rows = nil
	statuses := []Status{Ready, Ready, Ready, Degraded, Provisioning}
	for n := range 25 {
		l.Rows = append(l.Rows, sampleRow(strconv.Itoa(51+n), "Shop "+strconv.Itoa(51+n), statuses[n%len(statuses)], "Opened in 1:08"))
	}
	return l
}

func podsPage(tab PodsTab) templ.Component {
	p := sampleStorePage("Bike Kitchen Utrecht", Degraded, TabPods)
	p.Pods = &tab
	return Store(p)
}

func eventsPage(tab EventsTab) templ.Component {
	p := sampleStorePage("Bike Kitchen Utrecht", Degraded, TabEvents)
	p.Events = &tab
	return Store(p)
}

func settingsPage() templ.Component {
	p := sampleStorePage("Atelier Köhler", Ready, TabSettings)
	p.Settings = &SettingsTab{Facts: sampleFacts(), Owner: sampleOwner(), Delete: sampleDelete("")}
	return Store(p)
}

func sampleOwner() OwnerForm {
	return OwnerForm{
		StoreID: "7", Email: "mara@example.com", Can: true,
		Text: "Receives mail about orders and stock, and customers’ replies. Addresses set in the shop itself stay.",
		Hint: "The release is applied again with the new address. If the order check fails, the change is rolled back.",
	}
}

// ownerWrong is what an address that is none comes back as.
func ownerWrong() templ.Component {
	p := sampleStorePage("Atelier Köhler", Ready, TabSettings)
	p.Settings = &SettingsTab{Facts: sampleFacts(), Owner: sampleOwner(), Delete: sampleDelete("")}
	p.Settings.Owner.Email, p.Settings.Owner.Error = hostile, "Enter an address such as mara@example.com, without accents and with at most 100 characters."
	return Store(p)
}

// ownerWaits is shown while the store is worked on.
func ownerWaits() templ.Component {
	p := sampleStorePage("Atelier Köhler", Upgrading, TabSettings)
	p.Settings = &SettingsTab{Facts: sampleFacts(), Owner: sampleOwner(), Delete: sampleDelete("")}
	p.Settings.Owner.Hint = "Can be changed while the store is ready."
	return Store(p)
}

func sampleDelete(problem string) DeleteForm {
	return DeleteForm{ID: "7", Name: "Atelier Köhler", Host: "atelier-koehler.localhost:8081", Namespace: "store-atelier-koehler",
		Error: problem, Can: true, BacksUp: true, Backup: problem == ""}
}

func deletePage(f DeleteForm) templ.Component {
	return DeleteStore(DeletePage{Shell: sampleShell("Delete", PlaceStores), Head: sampleHead(f.Name, Ready), Form: f})
}

func sampleEvents() []Event {
	return []Event{
		{Warning: true, Object: "pod/woocommerce-wordpress-7c9d8b6f4-x2kqp", Reason: "BackOff", Message: hostile, Count: 12, Last: sampleTime},
		{Object: "job/setup", Reason: "Completed", Message: "Job completed", Count: 1, Last: sampleTime.Add(-time.Minute)},
	}
}

// states are all pages in all their states, by a name for their picture.
func states() map[string]templ.Component {
	empty := StoreList{Empty: true, Counts: sampleCounts("")}
	away := sampleList()
	away.AsOf = sampleTime
	notices := StoresPage{Shell: sampleShell("Stores", PlaceStores), List: sampleList(), Create: sampleForm()}
	notices.Shell.Notices = []Notice{{Kind: ToneOK, Title: "Deleted.", Message: hostile}, {Kind: ToneBad, Message: "The store wasn’t found."}}
	broken := sampleCredentials(false)
	broken.Problem = "The cluster is unreachable. Try again in a moment."
	activity := ActivityPage{Shell: sampleShell("Activity", PlaceActivity), Older: "/activity?before=3", Entries: sampleStory()}
	activity.Entries[0].Object, activity.Entries[0].URL = "Atelier Köhler", "/stores/7"
	activity.Entries[2].Object = hostile

	return with(with(with(with(adminStates(), restoreStates()), adminBackupStates()), drillStates()), map[string]templ.Component{
		"01-sign-in":              SignIn(SignInPage{DevLogin: true, Next: "/stores/7", Version: "0.1.0", Notice: "You are signed out."}),
		"01c-sign-in-link-only":   SignIn(SignInPage{Version: "0.1.0"}),
		"01d-login-link":          LoginLink(LoginLinkPage{Key: "k", Version: "0.1.0"}),
		"01e-login-link-used":     LoginLink(LoginLinkPage{Problem: "This link was already used, or is older than 10 minutes. Create another with: shopwright login-link", Version: "0.1.0"}),
		"01b-sign-in-providers":   SignIn(SignInPage{DevLogin: true, Version: "0.1.0", Providers: sampleProviders()}),
		"01f-sign-in-one":         SignIn(SignInPage{Version: "0.1.0", Providers: sampleProviders()[:1], Next: "/stores/7", Notice: "Sign in to continue."}),
		"01g-sign-in-refused":     SignIn(SignInPage{Version: "0.1.0", Providers: sampleProviders()[:2], Problem: "Google isn’t responding. Try again in a moment, or use another sign-in method."}),
		"02-stores":               listPage(sampleList()),
		"02a-stores-notices":      Stores(notices),
		"02b-cluster-simulated":   clusterPage(Cluster{Name: "dev", Link: ClusterConnected, Version: "v1.37.0", Simulated: true}),
		"02c-no-match":            listPage(noMatchList()),
		"02d-cluster-starting":    clusterPage(Cluster{Name: "dev", Link: ClusterStarting, Message: "Building kube-apiserver", Done: 2, Total: 5, Since: sampleTime}),
		"02e-cluster-connecting":  clusterPage(Cluster{Name: "dev", Link: ClusterConnecting, Since: sampleTime}),
		"02f-cluster-none":        clusterPage(Cluster{}),
		"02i-many":                listPage(manyList()),
		"02g-cluster-foreign":     clusterPage(Cluster{Name: "fra-1", Link: ClusterForeign, Message: "Its kube-system namespace has another identity."}),
		"03-empty":                listPage(empty),
		"04b-create-wrong":        Create(CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: wrongForm()}),
		"04c-create":              Create(CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: sampleForm()}),
		"04d-create-full":         Create(CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: fullForm()}),
		"04f-create-crowded":      Create(CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: crowdedForm()}),
		"05-provisioning":         Store(overviewPage("Nordwind Outdoor", Provisioning)),
		"05b-long-name":           Store(overviewPage(longName, Provisioning)),
		"05d-upgrading":           Store(overviewPage("Nordwind Outdoor", Upgrading)),
		"05c-hostile-name":        Store(overviewPage(hostile, Deleting)),
		"05d-gone":                gonePage(),
		"05e-removal-refused":     Store(refusedRemovalPage()),
		"06-ready":                Store(overviewPage("Atelier Köhler", Ready)),
		"06b-credentials":         Store(credentialsPage(sampleCredentials(true))),
		"06c-credentials-problem": Store(credentialsPage(broken)),
		"06d-drifted":             Store(driftedPage()),
		"06g-undone":              Store(undonePage()),
		"31-backups":              Store(backupsPage(sampleBackups())),
		"31a-backups-none":        Store(backupsPage(BackupsTab{Form: true})),
		"31b-backups-no-target":   Store(backupsPage(BackupsTab{Why: "No backup target is in use. Ask an administrator to add one."})),
		"11-releases":             Store(releasesPage("Atelier Köhler", sampleReleases())),
		"11b-releases-none":       Store(releasesPage("Atelier Köhler", ReleasesTab{Offer: Offer{Title: "Chart 1.10.0", Text: "The store can be upgraded or rolled back after it has been ready once."}})),
		"11c-upgrade":             Change(changePage(func(*ChangeForm) {})),
		"11d-upgrade-unreachable": Change(changePage(unreachableChange)),
		"11e-revision":            Change(changePage(pastChange)),
		"06f-degraded":            Store(degradedPage()),
		"06g-health-simulated":    Store(simulatedHealthPage()),
		"07b-data-lost":           Store(lostPage()),
		"07-failed":               Store(overviewPage("Papeterie du Canal", Failed)),
		"08-pods":                 podsPage(PodsTab{Pods: samplePods(), Known: true, Simulated: true}),
		"08b-pods-none":           podsPage(PodsTab{Known: true}),
		"09-events":               eventsPage(EventsTab{Events: sampleEvents(), Known: true}),
		"09b-events-unknown":      eventsPage(EventsTab{}),
		"10-logs":                 logsPage(sampleLog()),
		"10b-logs-no-pods":        logsPage(LogsTab{StoreID: "7", Known: true}),
		"10c-logs-first-pods":     logsPage(LogsTab{StoreID: "7", Known: true, Sources: sampleLog().Sources}),
		"10d-logs-unreachable":    logsPage(LogsTab{StoreID: "7"}),
		"10e-logs-not-started":    logsPage(waitingLog()),
		"10f-logs-crashing":       logsPage(crashingLog()),
		"10g-logs-searched":       logsPage(searchedLog()),
		"12-settings":             settingsPage(),
		"12d-owner-wrong":         ownerWrong(),
		"12e-owner-waits":         ownerWaits(),
		"12b-delete":              deletePage(sampleDelete("")),
		"12c-delete-wrong":        deletePage(sampleDelete("The name doesn’t match. Type it exactly as shown above.")),
		"17-teams":                Teams(sampleTeams()),
		"17b-team-new-wrong":      NewTeam(NewTeamPage{Shell: sampleShell("Create team", PlaceTeams), Form: TeamNameForm{Name: hostile, Error: "A name can have at most 120 characters; this one has 400.", Problem: "Nothing was created."}}),
		"17c-team":                Team(sampleTeam()),
		"17d-team-viewer":         Team(viewersTeam()),
		"17e-team-personal":       Team(personalTeam()),
		"17f-team-wrong":          Team(wrongTeam()),
		"17g-team-issued":         Team(issuedTeam()),
		"17h-team-mailed":         Team(mailedTeam("")),
		"17i-team-not-mailed":     Team(mailedTeam("The mail couldn’t be sent. Send the link yourself, or renew the invitation later.")),
		"18-invitation":           Invitation(sampleInvitation("")),
		"18b-invitation-problem":  Invitation(sampleInvitation("This invitation is for another email address. Sign in with the address it was sent to, or ask for an invitation to yours.")),
		"19-audit":                Audit(sampleAudit()),
		"19b-audit-none":          Audit(emptyAudit()),
		"02j-stores-of-teams":     listPage(teamsList()),
		"04e-create-in-team":      Create(CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: teamForm()}),
		"13-activity":             Activity(activity),
		"13b-activity-none":       Activity(ActivityPage{Shell: sampleShell("Activity", PlaceActivity)}),
		"14-account":              Account(sampleAccount()),
		"14f-account-one-session": Account(freshAccount()),
		"14a-tokens":              Tokens(sampleTokens(TokenForm{}, MadeToken{})),
		"14b-token-made":          Tokens(sampleTokens(TokenForm{}, MadeToken{Name: hostile, Secret: "shopwright_" + strings.Repeat("abcdefg2", 5)[:39]})),
		"14c-token-refused":       Tokens(refusedToken()),
		"14d-no-tokens":           Tokens(noTokens()),
		"14e-reference":           Reference(sampleReference()),
		"15c-signed-out":          SignedOut(SignedOutPage{Action: "/stores", Fields: []Fact{{Name: "name", Value: hostile}}, Version: "0.1.0"}),
		"16-error-404":            Error(ErrorPage{Code: 404, Title: "Not found", Message: "The address is wrong, or the page no longer exists.", SignedIn: true}),
		"16b-error-500":           Error(ErrorPage{Code: 500, Title: "Something broke on our side", Message: "Your shops are not touched by this.", RequestID: "req_01JD3V8Q4T"}),
		"16d-error-503":           Error(ErrorPage{Code: 503, Title: "Database unavailable", Message: "The database isn’t responding. Shops keep selling. Reload the page in a moment.", SignedIn: true}),
		"16c-unreachable":         Stores(StoresPage{Shell: unreachableShell(), List: away, Create: sampleForm()}),
	})
}

// gonePage is a store's page after its stream has said that the store is deleted.
func gonePage() templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return shell(sampleShell("Gone", PlaceStores), deleteDialog()).Render(templ.WithChildren(ctx, Gone(longName, "/backups/7")), w)
	})
}

func unreachableShell() Shell {
	s := sampleShell("Stores", PlaceStores)
	s.Cluster = Cluster{Name: "fra-1", Link: ClusterUnreachable, Message: "dial tcp 10.0.0.1:6443: connection refused.", Since: sampleTime}
	return s
}
