package store

import (
	"time"

	"github.com/google/uuid"
)

// How long a sign-in lasts: at most the lifetime, and no longer than the idle time after
// its last use.
const (
	SessionLifetime = 7 * 24 * time.Hour
	SessionIdle     = 2 * 24 * time.Hour
)

// User is a person who can sign in.
type User struct {
	ID    string
	Name  string
	Email string
	Admin bool // of the installation
}

// SearchText is the text in which a search looks for the user.
func (u User) SearchText() string { return Fold(u.Name + "\n" + u.Email) }

// Identity is what a sign-in provider says about a person.
type Identity struct {
	Provider string // for ever the same, such as an issuer's URL
	Label    string // of the provider, for people; Provider when empty
	Subject  string // the provider's own, unchanging id of the person
	Name     string
	Email    string
	Verified bool   // whether the provider has made sure that the address is that person's
	Doubt    string // why the address is not verified, for the log

	OwnsDomain bool // the settings declare that the provider decides who has addresses in this domain
}

// Session is one sign-in of one browser.
type Session struct {
	User      User
	Actor     Actor
	CreatedAt time.Time
	ExpiresAt time.Time // unless it is used before

	Hash   string
	UsedAt time.Time
}

// Team is a group of people who share stores.
type Team struct {
	ID       string
	Name     string
	Personal bool
	Role     Role // of the user who asked
}

// Browser is where a session was opened, as its user will recognise it.
type Browser struct {
	Device  string // user agent
	Address string // IP address
	Session string // id of the session that it had before, which ends with another sign-in
}

// NewID draws an id: UUIDs of version 7 sort by when they were drawn.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// LinkedIdentity is what a provider says about a user.
type LinkedIdentity struct {
	Provider string
	Subject  string
	Email    string
	Verified bool
	LinkedAt time.Time
	UsedAt   time.Time
}

// Removal names a sign-in method to remove.
type Removal struct {
	Provider  string
	Subject   string
	Label     string   // of the provider, for people
	Usable    []string // providers with which people can sign in now
	SessionID string   // the session that asks, which stays
}

// LoginLinkLifetime is how long a login link can be used. OWASP ASVS 6.5.5 allows ten minutes.
const LoginLinkLifetime = 10 * time.Minute

// LoginLink is the provider of the identity that signs in by a login link.
const LoginLink = "login-link"

// OpenSession is a session that its user can see and end.
type OpenSession struct {
	ID        string // the hash of its secret, which opens nothing
	Device    string // user agent
	Address   string // IP address of the sign-in
	CreatedAt time.Time
	UsedAt    time.Time // to the minute
	Current   bool      // whether it is the one that asks
}

// InPerson refuses tokens: what is about an account is done by its owner in a browser.
func (a Actor) InPerson() error {
	if a.Token != "" {
		return &Error{Code: Forbidden, Message: "A token can’t list or end sessions. Use your account page."}
	}
	return nil
}
