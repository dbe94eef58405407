package store

// Mail is something that a person is to be told by email.
type Mail struct {
	ID    string
	To    User
	Event Event
	Store Store // as it is now, if the event is about one
	Tries int   // this one included
}
