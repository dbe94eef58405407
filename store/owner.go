package store

import (
	"net/mail"
	"regexp"
	"strings"
)

// longestOwnerEmail is how long an address may be that every shop can keep: WordPress has a
// column of that length.
const longestOwnerEmail = 100

// shopEmail matches the addresses that every shop takes. WordPress, for one, knows neither other
// alphabets nor domains of one part.
var shopEmail = regexp.MustCompile(`^[a-z0-9!#$%'*+/=?^_{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CanonicalEmail returns an address that somebody typed in the form in which addresses are
// compared, and whether it is one.
func CanonicalEmail(typed string) (address string, ok bool) {
	address = Canonical(strings.TrimSpace(typed))
	parsed, err := mail.ParseAddress(address)
	return address, err == nil && parsed.Address == address && len(address) <= 254
}

// CleanOwnerEmail returns the address of a shop's owner as it is kept.
func CleanOwnerEmail(typed string) (string, error) {
	address, ok := CanonicalEmail(typed)
	if !ok || len(address) > longestOwnerEmail || !shopEmail.MatchString(address) {
		return address, Invalidf("owner_email", "Enter an address such as mara@example.com, without accents and with at most %d characters.", longestOwnerEmail)
	}
	return address, nil
}

// CanChangeOwner reports whether the shop may get another owner's address: it is ready, and nobody
// works on it.
func (s Store) CanChangeOwner() bool { return s.CanRepair() }

// OwnerRequest says who owns a store from now on.
type OwnerRequest struct {
	Email string
	// InShop tells that the shop itself keeps the address, so that its release is applied with it.
	// Otherwise it is only written down.
	InShop bool
}

// SetOwner returns ErrUnchanged for the address that the store has.
func (s *Store) SetOwner(r OwnerRequest) error {
	email, err := CleanOwnerEmail(r.Email)
	switch {
	case err != nil:
		return err
	case email == s.OwnerEmail:
		return ErrUnchanged
	case s.Wanted():
		return &Error{Code: Conflict, Message: "Another change of this store is in progress. Wait until it has finished."}
	case !s.CanChangeOwner():
		return &Error{Code: Conflict, Message: "A store that is " + string(s.Status) + " can’t change its owner’s email. Retry it first, or roll it back."}
	}
	s.OwnerEmail = email
	return nil
}
