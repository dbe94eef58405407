package store

// Query selects stores for a list.
type Query struct {
	Search string // found in name and host, whatever the case and accents
	Status Status // any when empty
	Engine string // any when empty
	TeamID string // any when empty
	Sort   Sort
	After  string // id of a store that the actor sees, or saw, behind which the page begins in that order; the beginning when empty
	Offset int
	Limit  int
}

// Sort is the order of a list.
type Sort string

// The orders there are; any other value means Newest.
const (
	Newest Sort = "newest"
	Oldest Sort = "oldest"
	ByName Sort = "name"
)

// Sorts are the orders to choose from.
func Sorts() []Sort { return []Sort{Newest, Oldest, ByName} }

// List is a page of stores with the data shown beside it.
type List struct {
	Stores []Store
	Total  int            // how many match the query, on all pages
	Counts map[Status]int // by status, of those that match search and engine
}

// All is the sum of the counts: how many match search and engine in any status.
func (l List) All() int {
	sum := 0
	for _, n := range l.Counts {
		sum += n
	}
	return sum
}

// Place is where a store is in its cluster.
type Place struct {
	StoreID   string
	Namespace string
	Drill     bool     // it is there for a drill
	Ready     bool     // or degraded
	Volumes   []string // names of the volume claims that hold its data, since it was ready
}
