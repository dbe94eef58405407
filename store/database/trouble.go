package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"shopwright.dev/shopwright/store"
)

// trouble is a way in which a database can be unusable.
type trouble string

const (
	unanswered trouble = "unanswered"
	busy       trouble = "busy"
	crowded    trouble = "crowded"
	full       trouble = "full"
	readOnly   trouble = "read-only"
	moved      trouble = "moved"
	damaged    trouble = "damaged"
	broken     trouble = "broken"
	unopened   trouble = "unopened"
	slow       trouble = "slow"
	refusal    trouble = "refused"
	absent     trouble = "absent"
	newer      trouble = "newer"
)

// sentences say what is wrong, and what to do about it.
var sentences = map[trouble]string{
	unanswered: "The database isn’t responding. Check that it runs and is reachable. Work resumes automatically.",
	busy:       "Another program has locked the database file. Stop that program. Work resumes automatically.",
	crowded:    "The database has no free connection. Stop other clients or raise max_connections. Work resumes automatically.",
	full:       "Can’t write to the database: the disk is full. Free up space. Work resumes automatically.",
	readOnly:   "Can’t write to the database: it is read-only. Make the database, or the file and its directory, writable for Shopwright. Work resumes automatically.",
	moved:      "Can’t write to the database: its file was moved, replaced or deleted. Restore the file. Work resumes automatically.",
	damaged:    "The database is damaged, and Shopwright no longer writes to it. Stop Shopwright, keep the damaged database with all its files, restore a backup and start Shopwright again.",
	broken:     "Can’t use the database: its disk reports errors. Check the disk. Work resumes automatically.",
	unopened:   "Can’t open the database file. Check that its directory exists and belongs to the user who runs Shopwright.",
	slow:       "Can’t use the database: its disk is too slow or too busy. Check what else uses the disk. Work resumes automatically.",
	refusal:    "Can’t open the database: it rejects the user or the password. Correct them in SHOPWRIGHT_DATABASE_URL.",
	absent:     "Can’t open the database: no database has that name. Create it, or correct the name in SHOPWRIGHT_DATABASE_URL.",
	newer:      "The database was written by a newer version of Shopwright. Run that version, or restore the backup from before it.",
}

func newerSchema(current, known int64) error {
	return newer.error(fmt.Errorf("the schema has version %d, this program supports %d", current, known))
}

// troubled is an error of a database with the trouble that it means.
type troubled struct {
	error
	trouble trouble
}

func (e troubled) Unwrap() error { return e.error }

func (t trouble) error(cause error) *store.Error {
	return &store.Error{Code: store.Unavailable, Message: sentences[t], Cause: troubled{cause, t}}
}

// troubleIn is the trouble that the error tells of, empty for none.
func troubleIn(err error) trouble {
	e, _ := errors.AsType[troubled](err)
	return e.trouble
}

// Passing reports whether waiting may be all that the error needs: the database is not
// there yet, busy or cut off.
func Passing(err error) bool {
	switch troubleIn(err) {
	case unanswered, busy, crowded, slow:
		return true
	}
	return false
}

// classify turns an error that says that the database is unusable into an *Error with the
// code Unavailable, and returns any other as it is.
func classify(err error) error {
	if err == nil || errors.Is(err, store.ErrStale) {
		return err
	}
	if _, known := errors.AsType[*store.Error](err); known {
		return err
	}
	if t := troubleOf(err); t != "" {
		return t.error(err)
	}
	return err
}

func troubleOf(err error) trouble {
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteTrouble(lite.Code())
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresTrouble(pg.Code)
	}
	return plainTrouble(err)
}

// sqliteTrouble knows the result codes of https://sqlite.org/rescode.html.
func sqliteTrouble(code int) trouble {
	if code == sqlite3.SQLITE_IOERR_SHMSIZE {
		return full
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return busy
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return readOnly
	case sqlite3.SQLITE_FULL:
		return full
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged
	case sqlite3.SQLITE_IOERR:
		return broken
	case sqlite3.SQLITE_CANTOPEN:
		return unopened
	}
	return ""
}

// postgresTrouble knows the codes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
func postgresTrouble(code string) trouble {
	switch code {
	case "28000", "28P01":
		return refusal
	case "3D000":
		return absent
	case "53100":
		return full
	case "53300":
		return crowded
	case "25006", "42501":
		return readOnly
	case "57P01", "57P02", "57P03", "57014", "25P03", "25P04":
		return unanswered
	case "58030":
		return broken
	}
	switch {
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"):
		return unanswered
	case code == "XX001", code == "XX002":
		return damaged
	}
	return ""
}

// plainTrouble is for errors that come from no database, but from the way to it.
func plainTrouble(err error) trouble {
	switch {
	case cutOff(err):
		return unanswered
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return readOnly
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return full
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EISDIR):
		return unopened
	}
	return ""
}

// cutOff reports whether the error is about the way to Postgres. A caller who waits no
// longer says nothing of it.
func cutOff(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, errNoAnswer):
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !connecting:
		return false
	}
	return connecting || network || pgconn.SafeToRetry(err) || // such as on a connection that was closed meanwhile
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn)
}
