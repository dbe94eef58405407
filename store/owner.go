package store

import (
	"net/mail"
	"regexp"
	"strings"
)

// longestOwnerEmail is the length of the longest address that every shop can store: that of a column in
// WordPress.
const longestOwnerEmail = 100

// shopEmail matches the addresses that every shop accepts. WordPress, for example, rejects other
// alphabets and domains without a dot.
var shopEmail = regexp.MustCompile(`^[a-z0-9!#$%'*+/=?^_{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CanonicalEmail returns the typed address in the form in which addresses are compared, and whether it is valid.
func CanonicalEmail(typed string) (address string, ok bool) {
	address = Canonical(strings.TrimSpace(typed))
	parsed, err := mail.ParseAddress(address)
	return address, err == nil && parsed.Address == address && len(address) <= 254
}

// CleanOwnerEmail returns the address of a shop's owner in the form in which it is stored.
func CleanOwnerEmail(typed string) (string, error) {
	address, ok := CanonicalEmail(typed)
	if !ok || len(address) > longestOwnerEmail || !shopEmail.MatchString(address) {
		return address, Invalidf("owner_email", "Enter an address such as mara@example.com, without accents and with at most %d characters.", longestOwnerEmail)
	}
	return address, nil
}

// CanChangeOwner reports whether the shop's owner can be changed: it is ready, and no work on it is in progress.
func (s Store) CanChangeOwner() bool { return s.CanRepair() }

// OwnerRequest names a new owner of a store.
type OwnerRequest struct {
	Email string
	// InShop says that the shop itself stores the address, so that its release must be applied again.
	// Otherwise only the database is changed.
	InShop bool
}

// SetOwner changes the address of the owner. It returns ErrUnchanged if the store already has that address.
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
