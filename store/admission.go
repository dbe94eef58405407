package store

import (
	"cmp"
	"slices"
	"strings"
)

// Why a person who has signed in with a provider is not let in.
var (
	ErrDisabled = &Error{Code: Forbidden, Message: "Your account is disabled. Ask an administrator to enable it."}
	ErrStranger = &Error{Code: Forbidden, Message: "You don’t have an account here. Ask a member to invite you."}
	// ErrAddressTaken keeps an identity of one provider from taking over the user of another one.
	ErrAddressTaken = &Error{Code: Conflict, Message: "An account with your address exists. Sign in the way you did before, then add this sign-in method on your account page."}
	// ErrMethodKnown and ErrMethodTaken say why a sign-in method cannot be added, and ErrOnlyMethod why
	// it cannot be removed.
	ErrMethodKnown = &Error{Code: Conflict, Message: "This sign-in method is already on your account."}
	ErrMethodTaken = &Error{Code: Conflict, Message: "Another user signs in with this account. Sign in with it and remove it there first."}
	ErrOnlyMethod  = &Error{Code: Conflict, Message: "This is your only sign-in method. Add another one first."}
)

// Everybody as a domain of an [Admission] lets in everybody who can sign in with a provider.
const Everybody = "*"

// Admission decides whom a sign-in with a provider lets in: existing users, people with a verified
// address in one of the domains, and people with an invitation.
type Admission struct {
	Admins      []string // email addresses of the installation's administrators
	Authorities []string // providers that are trusted to verify such an address
	Domains     []string // email domains whose users may create an account
	Invited     bool     // whether this person has a valid invitation
}

// names reports whether the settings name the address as an administrator's.
func (r Admission) names(email string) bool {
	return slices.ContainsFunc(r.Admins, func(admin string) bool { return Canonical(admin) == Canonical(email) })
}

// MakesAdmin reports whether the settings name the person as an administrator.
func (r Admission) MakesAdmin(who Identity) bool {
	return who.Verified && slices.Contains(r.Authorities, who.Provider) && r.names(who.Email)
}

// LetsIn reports whether a person without an account may get one.
func (r Admission) LetsIn(who Identity) bool {
	return r.Invited || slices.Contains(r.Domains, Everybody) || r.MakesAdmin(who) || who.Verified && who.InDomain(r.Domains)
}

// WhyStranger says for the log why the rules do not let the person in.
func (r Admission) WhyStranger(who Identity) string {
	switch {
	case who.Email == "":
		return "the provider returns no email address"
	case !who.Verified:
		return cmp.Or(who.Doubt, "the provider has not verified the address")
	case r.names(who.Email):
		return "SHOPWRIGHT_ADMINS has the address, but this provider has no domains in SHOPWRIGHT_OIDC"
	default:
		return "the address is in none of SHOPWRIGHT_ALLOWED_DOMAINS, and there is no invitation"
	}
}

// InDomain reports whether the address is in one of the domains.
func (who Identity) InDomain(domains []string) bool {
	_, domain, _ := strings.Cut(Canonical(who.Email), "@")
	return slices.ContainsFunc(domains, func(d string) bool { return Canonical(d) == domain })
}

// ProviderName is the provider's display name.
func (who Identity) ProviderName() string {
	if who.Label != "" {
		return who.Label
	}
	return who.Provider
}

// Canonical is the form in which addresses and domains are compared. Only ASCII letters
// lose their case: others would make different addresses equal, such as one with a Kelvin
// sign and one with a k.
func Canonical(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, address)
}
