package live

import (
	"context"

	"github.com/a-h/templ"

	"shopwright.dev/shopwright/store"
)

// Key says who sees the same: the page, and what its reader may do there.
type Key struct {
	View   string // kind of page
	ID     string // of the store or team that it shows
	Query  string // of its address
	Rights string // the same text for readers who may do the same
}

// Page is a page as its room sees it.
type Page interface {
	// Concerns reports what of the page an event can have changed.
	Concerns(e store.Event) Change
	// Connection subscribes to the state of the connection to the cluster, which every page shows.
	Connection() (changed <-chan struct{}, cancel func())
	// Cluster subscribes to what else the page shows of the cluster. It is called again each time the connection
	// changes. A nil channel is for a page that shows nothing else.
	Cluster() (changed <-chan struct{}, cancel func())
	// Parts returns what the page consists of now, of which those that the change cannot
	// have touched are marked as settled.
	Parts(ctx context.Context, c Change) ([]Part, error)
}

// Part is one piece of a page that can be replaced by itself.
type Part struct {
	Target    string // id of the element
	Component templ.Component
	Settled   bool   // whether it is as it was when it was drawn last
	Within    string // target of the part that contains it
	Shape     string // of a part that contains others: it changes when this does, else only they do
	Fleeting  bool   // whether it also shows what no event tells, such as pods
}

// Change is what of a page can be different now: all of it, or only what it says of some
// stores.
type Change struct {
	All    bool
	Stores map[string]struct{}
}

// mostStores is how many stores a change may be about that is not one of everything.
const mostStores = 25

func (c Change) nothing() bool { return !c.All && len(c.Stores) == 0 }

// add takes in another change. One that has become large is a change of everything.
func (c *Change) add(other Change) {
	c.All = c.All || other.All
	for id := range other.Stores {
		if c.Stores == nil {
			c.Stores = map[string]struct{}{}
		}
		c.Stores[id] = struct{}{}
	}
	if c.All || len(c.Stores) > mostStores {
		*c = Change{All: true}
	}
}
