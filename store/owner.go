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
		return address, invalid("owner_email", "Type an address such as mara@example.com, in letters from a to z and with at most %d characters.", longestOwnerEmail)
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
