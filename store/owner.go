package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// canonicalEmail returns an address that somebody typed in the form in which addresses are
// compared, and whether it is one.
func canonicalEmail(typed string) (address string, ok bool) {
	address = canonical(strings.TrimSpace(typed))
	parsed, err := mail.ParseAddress(address)
	return address, err == nil && parsed.Address == address && len(address) <= 254
}

// cleanOwnerEmail returns the address of a shop's owner as it is kept.
func cleanOwnerEmail(typed string) (string, error) {
	address, ok := canonicalEmail(typed)
	if !ok || len(address) > longestOwnerEmail || !shopEmail.MatchString(address) {
		return address, invalid("owner_email", "Enter an address such as mara@example.com, without accents and with at most %d characters.", longestOwnerEmail)
	}
	return address, nil
}

// OwnerEmail is the address that a new store of the user has when nobody says another one: a
// verified one of that user's, or empty where there is none that a shop takes.
func (db *DB) OwnerEmail(ctx context.Context, userID string) (string, error) {
	return ownerEmail(ctx, db.read, userID)
}

// ownerEmail prefers the address that the user is known by.
func ownerEmail(ctx context.Context, q querier, userID string) (string, error) {
	var address string
	err := q.QueryRowContext(ctx, `
		SELECT i.email FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.user_id = $1 AND i.verified
		ORDER BY CASE WHEN LOWER(u.email) = i.email THEN 0 ELSE 1 END, i.created_at, i.email LIMIT 1`, userID).Scan(&address)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find an address of user %s: %w", userID, err)
	}
	if address, err = cleanOwnerEmail(address); err != nil {
		return "", nil //nolint:nilerr // such as one in another alphabet: the store has none then
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

// ChangeOwner gives a store another owner's address. The release that is in place is applied again
// with it, and the change is undone when it fails.
func (db *DB) ChangeOwner(ctx context.Context, actor Actor, id string, r OwnerRequest) (Store, error) {
	if !r.InShop {
		return db.noteOwner(ctx, actor, id, r)
	}
	return db.change(ctx, actor, id, UpgradeStores, func(_ tx, st *Store) (Event, error) {
		before := st.OwnerEmail
		if err := st.setOwner(r); err != nil {
			return Event{}, err
		}
		asked := st.begin(Change{
			Kind: OwnerChange, To: st.Sold, From: st.Sold, OwnerBefore: before,
		}, actor, OwnerAsked)
		asked.Data.Before, asked.Data.After = before, st.OwnerEmail
		return asked, nil
	})
}

// noteOwner changes only the record: the engine does not keep the address in the shop.
func (db *DB) noteOwner(ctx context.Context, actor Actor, id string, r OwnerRequest) (Store, error) {
	if _, err := db.FindStoreTo(ctx, actor, UpgradeStores, id); err != nil {
		return Store{}, err
	}
	var st Store
	err := db.update(ctx, func(t tx) (err error) {
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		before := st.OwnerEmail
		if err := st.setOwner(r); err != nil {
			return err
		}
		if err := t.saveStore(ctx, st); err != nil {
			return err
		}
		changed := storeEvent(st, actor, OwnerChanged)
		changed.JobID, changed.Data.Before, changed.Data.After = "", before, st.OwnerEmail
		return t.append(ctx, changed)
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return st, err
}

// setOwner returns errUnchanged for the address that the store has.
func (s *Store) setOwner(r OwnerRequest) error {
	email, err := cleanOwnerEmail(r.Email)
	switch {
	case err != nil:
		return err
	case email == s.OwnerEmail:
		return errUnchanged
	case s.Wanted():
		return &Error{Code: Conflict, Message: "Another change of this store is in progress. Wait until it has finished."}
	case !s.CanChangeOwner():
		return &Error{Code: Conflict, Message: "A store that is " + string(s.Status) + " can’t change its owner’s email. Retry it first, or roll it back."}
	}
	s.OwnerEmail = email
	return nil
}
