package store

import "time"

// Account is a user as the administrators of the installation see one.
type Account struct {
	User
	Disabled   bool
	Providers  []string // who vouched for this person
	Teams      int
	Stores     int // living, of the teams that the user owns
	CreatedAt  time.Time
	LastSeenAt time.Time
}

// TeamAccount is a team as the administrators of the installation see one.
type TeamAccount struct {
	ID        string
	Name      string
	Personal  bool
	Plan      string
	Chosen    bool         // whether somebody gave it that plan
	Owners    []string     // their names
	Heirs     []TeamMember // who can be made owner, where no owner can sign in
	Members   int
	Stores    int // living
	CreatedAt time.Time
}

// Page selects a part of a list.
type Page struct {
	Search string // whatever the case and accents
	Offset int
	Limit  int
}

// MustAdminister hides what only administrators know of.
func (a Actor) MustAdminister(action Action, what string) error {
	if !a.May(action, Installation) {
		return NoSuch(what)
	}
	return nil
}
