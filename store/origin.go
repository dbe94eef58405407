package store

import "time"

// Origin says with which restore point a store is opened. The zero value is that of a store that begins
// empty. It is kept as JSON.
type Origin struct {
	Point   string    `json:"point,omitempty"`    // id
	StoreID string    `json:"store,omitempty"`    // of the store that the point was made of
	Name    string    `json:"name,omitempty"`     // of that store
	URL     string    `json:"url,omitempty"`      // of that store, as it is written in the data
	MadeAt  time.Time `json:"made_at,omitzero"`   // when the point was made
	Loaded  time.Time `json:"loaded_at,omitzero"` // when the data were in the store; zero until then
}

// Pending reports whether the data are still to be loaded.
func (o Origin) Pending() bool { return o.Point != "" && o.Loaded.IsZero() }

// OriginOf is the origin of a store that is opened with that point of another store.
func OriginOf(p RestorePoint, from Store) Origin {
	return Origin{Point: p.ID, StoreID: from.ID, Name: from.Name, URL: from.URL, MadeAt: p.EndedAt}
}

// Restorable returns an error if no store can be opened with the point. One that was made where the nodes run no
// containers has no data, which matters unless they are simulated here too.
func (p RestorePoint) Restorable(simulated bool) error {
	if p.Manifest.Simulated && !simulated {
		return &Error{Code: Conflict, Field: "from", Message: "This restore point was simulated and has no data. Choose another one."}
	}
	return nil
}

// OpenWith makes the new store one that is opened with a restore point: the data decide what they are of.
func (n NewStore) OpenWith(from Store) NewStore {
	n.Engine, n.Template, n.Country, n.Currency = from.Engine, from.Template, from.Country, from.Currency
	return n
}
