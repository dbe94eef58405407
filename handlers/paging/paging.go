// Package paging reads and checks which part of a list somebody asks for: a numbered page with a search, or what is
// before an entry. Pages and the API share it. It knows no list.
package paging

import (
	"net/url"
	"strconv"

	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

const (
	size       = 25        // entries of a numbered page
	mostSearch = 100       // characters
	mostPages  = 1_000_000 // that an address can name
)

// Query is a search, and which page of what is found.
type Query struct {
	Search string
	Page   int // from 1
}

// Parse reads the values q and page. What is not a page is the first one.
func Parse(value func(name string) string) Query {
	page, err := strconv.Atoi(value("page"))
	if err != nil || page < 1 || page > mostPages {
		page = 1
	}
	return Query{Search: Search(value("q")), Page: page}
}

// Search is the text of a search as it is asked of the database.
func Search(text string) string { return legible.FirstRunes(legible.Word(text), mostSearch) }

// AddTo adds the query to those of an address, without what is the default.
func (q Query) AddTo(values url.Values) {
	if q.Search != "" {
		values.Set("q", q.Search)
	}
	if q.Page > 1 {
		values.Set("page", strconv.Itoa(q.Page))
	}
}

// Selected is the query as the database has it.
func (q Query) Selected() store.Page {
	return store.Page{Search: q.Search, Offset: (q.Page - 1) * size, Limit: size}
}

// At returns the query for another page.
func (q Query) At(page int) Query {
	q.Page = page
	return q
}

// Read reads the page that is asked for, or the last one where there are fewer. It returns the query of the page that
// it has read.
func Read[T any](q Query, read func(store.Page) (entries []T, total int, err error)) ([]T, int, Query, error) {
	entries, total, err := read(q.Selected())
	if err == nil && len(entries) == 0 && q.Page > 1 {
		q.Page = max(1, (total+size-1)/size)
		entries, total, err = read(q.Selected())
	}
	return entries, total, q, err
}

// Place is where in a list a page is.
type Place struct {
	From, To       int // number of the first and the last entry, from 1; zero for a page without any
	Previous, Next int // pages beside it; zero for none
}

// Place tells where the page is that shows so many of all entries.
func (q Query) Place(shown, total int) (p Place) {
	p.Previous = q.Page - 1
	if shown == 0 {
		return p
	}
	p.From, p.To = (q.Page-1)*size+1, (q.Page-1)*size+shown
	if p.To < total {
		p.Next = q.Page + 1
	}
	return p
}

// Before reads the number of the event before which a list goes on; zero is for the newest events.
func Before(text string) int64 {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 {
		return 0
	}
	return number
}

// Cut leaves out the entry with which a list was read beyond its limit, and reports whether there was one: then there
// is another page.
func Cut[T any](entries []T, limit int) (page []T, more bool) {
	if len(entries) <= limit {
		return entries, false
	}
	return entries[:limit], true
}
