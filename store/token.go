package store

import (
	"slices"
	"time"
)

const (
	// TokenPrefix begins every token, so that scanners of source code can recognise one.
	TokenPrefix = "shopwright_"
	// LongestToken is the longest time for which a token can be made.
	LongestToken = 366 * 24 * time.Hour
)

// Token lets a program act for a user within one team. Its secret is kept nowhere.
type Token struct {
	ID         string
	UserID     string
	TeamID     string
	Team       string // its name
	Name       string
	Scopes     []Scope
	CreatedAt  time.Time
	LastUsedAt time.Time // exact to a minute; zero for never
	ExpiresAt  time.Time
}

// NewToken is a request for a token.
type NewToken struct {
	TeamID   string
	Name     string
	Scopes   []Scope
	Lifetime time.Duration
}

// Bearer is who comes with a token.
type Bearer struct {
	User  User
	Actor Actor // with the rights that the token leaves
	Token Token
}

// CheckToken returns the token's name as it is stored, or an error about the request.
func (a Actor) CheckToken(n NewToken) (name string, err error) {
	if a.Token != "" {
		return "", &Error{Code: Forbidden, Message: "A token can’t create another token. Use your account page."}
	}
	if a.Roles[n.TeamID] == "" {
		return "", Invalidf("team", "Choose one of your teams.")
	}
	name, err = CleanName(n.Name)
	if err != nil && name == "" {
		return "", Invalidf("name", "Enter a name for the token, for example build server.")
	}
	if err != nil {
		return "", err
	}
	switch {
	case len(n.Scopes) == 0:
		return "", Invalidf("scopes", "Choose at least one permission.")
	case slices.ContainsFunc(n.Scopes, func(s Scope) bool { return !slices.Contains(Scopes(), s) }):
		return "", Invalidf("scopes", "Unknown scope. Choose one from the list.")
	case slices.Contains(n.Scopes, Administer) && !a.Admin:
		return "", Invalidf("scopes", "Only an administrator can create a token for the installation.")
	case n.Lifetime < time.Minute || n.Lifetime > LongestToken:
		return "", Invalidf("lifetime", "A token expires after at most one year.")
	}
	return name, nil
}

// Event tells of the token what the actor did to it.
func (k Token) Event(actor Actor, kind Kind, data EventData) Event {
	return actor.Sign(Event{TeamID: k.TeamID, Kind: kind, Object: k.Name, Data: data})
}
