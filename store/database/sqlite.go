package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"shopwright.dev/shopwright/store"
)

// file is a SQLite database.
type file struct {
	path      string
	info      os.FileInfo // as it was when it was opened
	exclusive bool        // refuse to open it beside another process that has it exclusively
	lock      *os.File    // nil unless it is exclusive
}

// errInUse begins the error about a file that another process has opened exclusively.
var errInUse = errors.New("another Shopwright uses the database")

const sqlitePragmas = "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_dqs=0"

func connectSQLite(path string) (*DB, error) {
	h := newHealth(slow, func() bool { _, err := os.Stat(path); return errors.Is(err, fs.ErrNotExist) })
	db := &DB{file: &file{path: path}, now: time.Now, health: h}
	// FULL: what was answered is on the disk. With NORMAL the newest commits go with a power cut.
	write := openSQLite(path, sqlitePragmas+"&mode=rw&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	write.SetMaxOpenConns(1)
	read := openSQLite(path, sqlitePragmas+"&mode=rw&_pragma=query_only(1)&_txlock=deferred")
	read.SetMaxOpenConns(4)
	read.SetMaxIdleConns(4)
	db.write, db.read = &pool{DB: write, health: h, file: db.file, within: answerWithin}, &pool{DB: read, health: h, file: db.file, within: answerWithin}
	return db, nil
}

func openSQLite(path, query string) *sql.DB {
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}).String()
	return sql.OpenDB(&sqliteConnector{driver: &sqlite.Driver{}, dsn: dsn})
}

// prepare makes an empty file where there is none, and makes sure that one which is there
// can be written and is sound, without writing to it. Connections make no file: one that
// vanished while we run is not replaced by an empty one.
func (f *file) prepare(ctx context.Context) error {
	made, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	info, err := made.Stat()
	if err := errors.Join(err, made.Close()); err != nil {
		return fmt.Errorf("open database %s: %w", f.path, err)
	}
	f.info = info
	const writable = 2 // W_OK: SQLite keeps its log beside the file
	if err := syscall.Access(filepath.Dir(f.path), writable); err != nil {
		return &fs.PathError{Op: "write into", Path: filepath.Dir(f.path), Err: err}
	}
	if err := f.acquire(); err != nil {
		return err
	}
	if info.Size() == 0 {
		return nil
	}
	return f.inspect(ctx)
}

// exists returns an error when there is no file, where one is not to be made.
func (f *file) exists() error {
	_, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return store.Invalidf("", "There is no database at %s. Start Shopwright once to create it, or name another file.", f.path)
	}
	return err
}

// acquire locks a file beside the database where it is to be exclusive. The lock ends with the
// process, however that ends. The database has locks of its own, which are held for moments.
func (f *file) acquire() error {
	if !f.exclusive {
		return nil
	}
	path, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return fmt.Errorf("lock database: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock database: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("%w %s: stop it, or set another file with SHOPWRIGHT_DATABASE_URL or another directory with SHOPWRIGHT_DATA_DIR", errInUse, f.path), lock.Close())
	}
	f.lock = lock
	return nil
}

// release lets other processes have the file.
func (f *file) release() {
	if f != nil && f.lock != nil {
		_ = f.lock.Close()
	}
}

// inspect reads the whole file and returns an error when it is damaged. It writes nothing.
func (f *file) inspect(ctx context.Context) error {
	db := openSQLite(f.path, "mode=ro&_pragma=busy_timeout(5000)")
	defer db.Close() //nolint:errcheck // it was only read
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return fmt.Errorf("inspect database %s: %w", f.path, err)
	}
	if found != "ok" {
		return damaged.error(fmt.Errorf("inspect database %s: %s", f.path, found))
	}
	return nil
}

// inPlace reports whether the path still leads to the file that was opened. SQLite does not
// look: it would go on to write into a file that is gone.
func (f *file) inPlace() bool {
	info, err := os.Stat(f.path)
	return err == nil && os.SameFile(info, f.info)
}

// explain tells a file that may not be written to any more from a disk that fails: where it is
// open already, SQLite calls either an I/O error.
func (f *file) explain(err error) error {
	lite, ok := errors.AsType[*sqlite.Error](err)
	if !ok || lite.Code()&0xff != sqlite3.SQLITE_IOERR || f.writable() {
		return err
	}
	return readOnly.error(err)
}

// writable reports whether the file, and the log beside it, may be written to.
func (f *file) writable() bool {
	const writable = 2 // W_OK
	for _, path := range []string{f.path, f.path + "-wal"} {
		if err := syscall.Access(path, writable); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// roomToGoOn is how much space must be free before a disk is said to be full no longer.
const roomToGoOn = 1 << 20

func (f *file) roomy() bool {
	var s syscall.Statfs_t
	err := syscall.Statfs(filepath.Dir(f.path), &s)
	return err == nil && s.Bavail*uint64(s.Bsize) >= roomToGoOn //nolint:gosec // a block's size is positive
}

// probeFile tries whether the trouble with a SQLite file is over.
func (db *DB) probeFile(ctx context.Context, known *store.Error) {
	switch troubleIn(known) {
	case damaged:
		if db.file.inspect(ctx) != nil || db.forget(ctx) != nil {
			return
		}
		db.health.mended()
	case full:
		if !db.file.roomy() {
			return
		}
	}
	_ = db.touch(ctx) // the database's health learns of it
}

// forget drops what connections remember of a file that was damaged.
func (db *DB) forget(ctx context.Context) error {
	db.read.SetMaxIdleConns(0)
	db.read.SetMaxIdleConns(4)
	_, err := db.write.DB.ExecContext(ctx, `PRAGMA shrink_memory`)
	return err
}
