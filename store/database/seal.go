package database

import (
	"context"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// WithSealer sets what seals the secrets of backup targets and repositories. Without it they can be
// neither kept nor read.
func WithSealer(s *store.Sealer) Option { return func(db *DB) { db.sealer = s } }

var errNoSealer = errors.New("the database was opened without a secret key")

// sealed is a column with a secret, and the records that have one.
type sealed struct{ table, key, column string }

func targetSecrets() sealed       { return sealed{"backup_targets", "id", "secret"} }
func repositoryPasswords() sealed { return sealed{"repositories", "store_id", "password"} }

// record names the row that a value is sealed for.
func (s sealed) record(id string) string { return s.table + "/" + id }

func (db *DB) seal(in sealed, id, secret string) (string, error) {
	if db.sealer == nil {
		return "", errNoSealer
	}
	return db.sealer.Seal(in.record(id), secret), nil
}

func (db *DB) unseal(in sealed, id, value string) (secret string, err error) {
	if db.sealer == nil {
		return "", errNoSealer
	}
	secret, _, err = db.sealer.Open(in.record(id), value)
	return secret, err
}

// Reseal seals with the first secret key what another one has sealed, so that the other one is no longer
// needed. It returns how many values none of the keys opens; they stay as they are.
func (db *DB) Reseal(ctx context.Context) (unreadable int, err error) {
	err = db.update(ctx, func(t tx) (err error) {
		unreadable, err = db.reseal(ctx, t)
		return err
	})
	return unreadable, err
}

func (db *DB) reseal(ctx context.Context, t tx) (unreadable int, err error) {
	for _, in := range []sealed{targetSecrets(), repositoryPasswords()} {
		n, err := db.resealTable(ctx, t, in)
		if err != nil {
			return 0, fmt.Errorf("seal the secrets of %s again: %w", in.table, err)
		}
		unreadable += n
	}
	return unreadable, nil
}

func (db *DB) resealTable(ctx context.Context, t tx, in sealed) (unreadable int, err error) {
	type row struct{ id, value string }
	found, err := t.QueryContext(ctx, `SELECT `+in.key+`, `+in.column+` FROM `+in.table)
	rows, err := collect(found, err, func(from scanner) (r row, err error) { return r, from.Scan(&r.id, &r.value) })
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		secret, old, err := db.sealer.Open(in.record(r.id), r.value)
		if err != nil {
			unreadable++
		}
		if err != nil || !old {
			continue
		}
		_, err = t.ExecContext(ctx, `UPDATE `+in.table+` SET `+in.column+` = $2 WHERE `+in.key+` = $1`, r.id, db.sealer.Seal(in.record(r.id), secret))
		if err != nil {
			return unreadable, err
		}
	}
	return unreadable, nil
}
