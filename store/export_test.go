package store

// Statements are those with which a list is made: the counts and one page.
func (q Query) Statements(actor Actor) map[string]struct {
	Text string
	Args []any
} {
	type statement = struct {
		Text string
		Args []any
	}
	count, counted := q.count(actor)
	page, paged := q.page(actor)
	return map[string]statement{"count": {count, counted}, "page": {page, paged}}
}
