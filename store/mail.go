package store

// Mail is a notification to send to a person by email.
type Mail struct {
	ID    string
	To    User
	Event Event
	Store Store // as it is now, if the event is about one
	Tries int   // this one included
}
