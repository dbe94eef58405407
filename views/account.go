package views

import "time"

// AccountPage is the page about the signed-in user.
type AccountPage struct {
	Shell      Shell
	Identities []Identity
	AddMethod  []Link           // to the providers, to add a sign-in method
	Sessions   []BrowserSession // the last used first
	ExpiresAt  time.Time        // expiry of the current one, if it is not used before
}

// others returns how many sessions there are besides the current one.
func (p AccountPage) others() int {
	n := 0
	for _, s := range p.Sessions {
		if !s.Current {
			n++
		}
	}
	return n
}

// Link leads to another page.
type Link struct {
	Label   string
	Address string
}

// Identity is a sign-in method of the user.
type Identity struct {
	Provider string
	Subject  string // the provider's id of the user
	Label    string // of the provider
	Email    string
	Verified bool
	Since    time.Time
}

// BrowserSession is a browser in which the user is signed in.
type BrowserSession struct {
	ID       string
	Device   string // such as "Firefox on Linux"
	Address  string
	SignedIn time.Time
	Used     time.Time
	Current  bool
}
