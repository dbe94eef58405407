package views

import (
	"cmp"

	"github.com/a-h/templ"
)

type tabLink struct {
	tab   Tab
	label string
	path  string // below the path of the store
}

func storeTabs() []tabLink {
	return []tabLink{
		{tab: TabOverview, label: "Overview"},
		{tab: TabPods, label: "Pods", path: "pods"},
		{tab: TabEvents, label: "Events", path: "events"},
		{tab: TabLogs, label: "Logs", path: "logs"},
		{tab: TabReleases, label: "Releases", path: "releases"},
		{tab: TabBackups, label: "Backups", path: "backups"},
		{tab: TabSettings, label: "Settings", path: "settings"},
	}
}

func planName(h StoreHead) string { return cmp.Or(h.Plan, "Default") + " plan" }

func tabURL(id string, link tabLink) templ.SafeURL {
	if link.path == "" {
		return storeURL(id)
	}
	return storeURL(id, link.path)
}

func tabLabel(tab Tab) string {
	for _, link := range storeTabs() {
		if link.tab == tab {
			return link.label
		}
	}
	return ""
}
