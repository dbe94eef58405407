package views

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/a-h/templ"
)

const (
	sortNewest = "newest"
	sortOldest = "oldest"
	sortName   = "name"
)

func sorts() []Choice {
	return []Choice{
		{Value: sortNewest, Label: "Newest first"},
		{Value: sortOldest, Label: "Oldest first"},
		{Value: sortName, Label: "Name"},
	}
}

// listURL returns the URL of the list with one parameter changed.
func listURL(l StoreList, name, value string) templ.SafeURL {
	query := url.Values{}
	for key, value := range map[string]string{
		"q": l.Search, "status": string(l.Status), "engine": l.Engine, "team": l.Team, "sort": listSort(l),
	} {
		if value != "" {
			query.Set(key, value)
		}
	}
	query.Set(name, value)
	if value == "" || value == sortNewest {
		query.Del(name)
	}
	if len(query) == 0 {
		return "/stores"
	}
	return templ.SafeURL("/stores?" + query.Encode())
}

// listSort returns the order for a URL; it is empty for the default.
func listSort(l StoreList) string {
	if l.Sort == sortNewest {
		return ""
	}
	return l.Sort
}

// createdSort returns the order after a click on the column's head.
func createdSort(l StoreList) string {
	if l.Sort == sortOldest || l.Sort == sortName {
		return sortNewest
	}
	return sortOldest
}

func ariaSort(l StoreList, column string) string {
	switch {
	case column == sortName && l.Sort == sortName, column != sortName && l.Sort == sortOldest:
		return "ascending"
	case column != sortName && l.Sort != sortName:
		return "descending"
	default:
		return "none"
	}
}

func rowID(id string) string { return "store-" + id }

func storeURL(id string, more ...string) templ.SafeURL {
	return templ.SafeURL(strings.Join(append([]string{"/stores", url.PathEscape(id)}, more...), "/"))
}

func clusterURL(id string, more ...string) templ.SafeURL {
	return templ.SafeURL(strings.Join(append([]string{"/admin/clusters", url.PathEscape(id)}, more...), "/"))
}

func pageRange(l StoreList) string {
	if l.To == 0 {
		return fmt.Sprintf("0 of %d", l.Total)
	}
	return fmt.Sprintf("%d–%d of %d", l.From, l.To, l.Total)
}

// nothingFound says that no store matches the filters, and names them.
func nothingFound(l StoreList) string {
	what := "No store"
	if l.Status != "" {
		what = "No " + string(l.Status) + " store"
	}
	if l.Engine != "" {
		what += " with " + engineLabel(l)
	}
	if l.Team != "" {
		what += " in " + teamLabel(l)
	}
	if l.Search != "" {
		return what + " matches “" + l.Search + "”"
	}
	return what
}

func engineLabel(l StoreList) string {
	for _, e := range l.Engines {
		if e.Value == l.Engine {
			return e.Label
		}
	}
	return l.Engine
}

func teamLabel(l StoreList) string {
	for _, t := range l.Teams {
		if t.Value == l.Team {
			return t.Label
		}
	}
	return "that team"
}

// filters returns how many filters of the menu are set.
func filters(l StoreList) int {
	on := 0
	for _, filter := range []string{l.Engine, l.Team} {
		if filter != "" {
			on++
		}
	}
	return on
}

// hostLine returns the host of a store, and its team if there are several.
func hostLine(r StoreRow) string {
	if r.Team == "" {
		return r.Host
	}
	return r.Team + " · " + r.Host
}

func detailClass(r StoreRow) string {
	if r.Status == Failed {
		return "sw-2nd bad"
	}
	return "sw-2nd"
}
