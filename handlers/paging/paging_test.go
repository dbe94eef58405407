package paging_test

import (
	"net/url"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/store"
)

func TestQueriesThatAreNone(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]paging.Query{
		"":                                   {Page: 1},
		"page=0":                             {Page: 1},
		"page=-3&q=+tea+%0A":                 {Page: 1, Search: "tea"},
		"page=1000001":                       {Page: 1},
		"page=x":                             {Page: 1},
		"page=7":                             {Page: 7},
		"q=" + strings.Repeat("%C3%A4", 200): {Page: 1, Search: strings.Repeat("ä", 100)},
	} {
		values, err := url.ParseQuery(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := paging.Parse(values.Get); got != want {
			t.Errorf("%s is read as %+v", address, got)
		}
	}
}

func TestPlacesInAList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		page, shown, total int
		want               paging.Place
	}{
		{1, 0, 0, paging.Place{}},
		{1, 25, 25, paging.Place{From: 1, To: 25}},
		{1, 25, 26, paging.Place{From: 1, To: 25, Next: 2}},
		{2, 1, 26, paging.Place{From: 26, To: 26, Previous: 1}},
		{2, 25, 60, paging.Place{From: 26, To: 50, Previous: 1, Next: 3}},
	} {
		if got := (paging.Query{Page: tt.page}).Place(tt.shown, tt.total); got != tt.want {
			t.Errorf("page %d with %d of %d is at %+v", tt.page, tt.shown, tt.total, got)
		}
	}
}

func TestPageBehindTheLast(t *testing.T) {
	t.Parallel()
	read := func(p store.Page) ([]int, int, error) {
		if p.Offset >= 30 {
			return nil, 30, nil
		}
		return make([]int, min(p.Limit, 30-p.Offset)), 30, nil
	}
	shown, total, at, err := paging.Read(paging.Query{Page: 9}, read)
	if len(shown) != 5 || total != 30 || at.Page != 2 || err != nil {
		t.Errorf("page %d with %d of %d, %v", at.Page, len(shown), total, err)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	if page, more := paging.Cut([]int{1, 2, 3}, 2); len(page) != 2 || !more {
		t.Errorf("3 of 2: %v, %v", page, more)
	}
	if page, more := paging.Cut([]int{1, 2}, 2); len(page) != 2 || more {
		t.Errorf("2 of 2: %v, %v", page, more)
	}
}
