package views

import "time"

func releasesPage(name string, t ReleasesTab) StorePage {
	head := sampleHead(name, Ready)
	t.StoreID = head.ID
	return StorePage{Shell: sampleShell(name, PlaceStores), Head: head, Tabs: StoreTabs{ID: head.ID, Current: TabReleases, Pods: 3}, Releases: &t}
}

func sampleReleases() ReleasesTab {
	ago := func(d time.Duration) time.Time { return sampleTime.Add(-d) }
	return ReleasesTab{
		Offer: Offer{Title: "Chart 1.10.0 is available", Text: "This store runs 1.9.0.", Newer: true, Can: true, Unsupported: "The database was migrated for version 11.0.1, and WooCommerce doesn’t support version 10.3.4 on it. The shop works, but upgrade it again soon.", Holes: []Hole{{ID: "CVE-2025-15033", Published: sampleTime, Text: "A customer can read guest orders. " + hostile}}},
		Rows: []RevisionRow{
			{Number: 6, State: "In progress", What: "Chart 1.9.0 → 1.10.0", Chart: "1.10.0", Who: "Mara Lindqvist", At: sampleTime, Known: true},
			{Number: 5, State: "Verified", Tone: ToneOK, What: "Back to revision 3", Chart: "1.9.0", Version: "10.3.4", Holes: "CVE-2025-15033, CVE-2026-00000", Who: "Shopwright", At: ago(time.Hour), Took: "46.0 s", Known: true},
			{Number: 4, State: "Failed", Tone: ToneBad, What: hostile, Why: "The test order failed", Chart: "1.9.1", Who: longName, At: ago(2 * time.Hour), Took: "2:10", Known: true},
			{Number: 3, State: "Replaced", What: "wordpress 6.9.1, mariadb 11.8@sha256:0000000000000000000000000000000000000000000000000000000000000000", Chart: "1.9.0", Who: "Jonas Weber", At: ago(48 * time.Hour), Took: "31.0 s", Known: true, CanBack: true},
			{Number: 2, State: "Deleted", What: "Opened", Chart: "1.8.0", Who: "Mara Lindqvist", At: ago(72 * time.Hour), Took: "44.0 s"},
		},
	}
}

func sampleChange() ChangeForm {
	return ChangeForm{
		StoreID: "7", Crumb: "Upgrade", Title: "Upgrade to chart 1.10.0", Text: "this store runs 1.9.0", Action: "/stores/7/releases/upgrade", Submit: "Upgrade", Can: true, BacksUp: true, Backup: true,
		Images: []ImageField{
			{Name: "mariadb", Repository: "docker.io/library/mariadb", Version: "11.8", Offered: "11.8"},
			{Name: "wordpress", Repository: "docker.io/library/wordpress", Version: "6.9.1 beta", Offered: "6.9-php8.3-apache", Error: "This isn’t a version. Enter a tag such as 1.2.3, optionally with @sha256: and the digest."},
			{Name: "cli", Repository: "a.registry.with.a.very.long.name.example/library/of/many/words/wordpress", Version: "cli-2.12", Offered: "cli-2.12"},
		},
		Facts: []FactGroup{
			{Title: "What changes", Lines: []string{"Chart 1.9.0 → 1.10.0", "4 of 14 objects changed", "1 of 14 objects added"}},
			{Title: "During the change", Lines: []string{"The shop closes briefly for a restart of wordpress and mariadb", "Setup runs again and keeps the merchant’s changes"}},
			{Title: "If the order check fails", Lines: []string{"The store rolls back to revision 5 automatically", "Orders and products stay: data is never rolled back"}},
		},
		Diff: []DiffPart{
			{Name: "values", Change: "changed", Lines: []DiffLine{{Mark: "…"}, {" ", "images:"}, {" ", "  mariadb:"}, {"-", `    tag: "11.4"`}, {"+", `    tag: "11.8"`}}},
			{Name: "ConfigMap/more", Change: "added", Lines: []DiffLine{{"+", "apiVersion: v1"}, {"+", "kind: ConfigMap"}}},
			{Name: "Deployment/wordpress", Change: "changed", Lines: []DiffLine{{" ", "        image: " + hostile + " that goes on and on far beyond the right edge of every screen that anybody has"}, {"-", "        password: •••"}}},
		},
	}
}

func changePage(change func(*ChangeForm)) ChangePage {
	form := sampleChange()
	change(&form)
	return ChangePage{Shell: sampleShell(form.Title, PlaceStores), Head: sampleHead("Atelier Köhler", Ready), Form: form}
}

func unreachableChange(f *ChangeForm) {
	f.Problem, f.Can, f.Diff, f.Facts = "The cluster is unreachable, so what runs there is unknown. Try again in a moment.", false, nil, nil
}

func pastChange(f *ChangeForm) {
	f.Crumb, f.Title, f.Text, f.Action, f.Images, f.Facts = "Revision 6", "Revision 5 → 6", "", "", nil, f.Facts[:1]
}

func undonePage() StorePage {
	page := overviewPage("Atelier Köhler", Ready)
	page.Overview.Undone = Undone{StoreID: "7", Title: "The change failed and was rolled back: An image can’t be pulled", Cause: "Pod wordpress-0 can’t pull the image " + hostile, Next: "The shop runs the previous revision again."}
	return page
}
