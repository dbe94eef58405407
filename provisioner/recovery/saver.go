package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"filippo.io/age" // encrypts for a key that is shown once

	"shopwright.dev/shopwright/provisioner/bucket"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// folder is where the database is in a target, beside the stores' repositories.
const folder = "shopwright-records"

// folderOf is the part of it for a key: installations that share a target don't meet there.
func folderOf(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return folder + "/" + hex.EncodeToString(sum[:8])
}

// Names of archives sort by time.
const (
	stamp  = "20060102T150405Z"
	suffix = ".age"
)

// lookEvery is the pause between two looks at whether a backup is due.
const lookEvery = time.Minute

// Saver backs the records up.
type Saver struct {
	DB      *database.DB
	Secrets Secrets
	Log     *slog.Logger
}

// Run backs up what is due until the context ends. Several processes may do so beside each other.
func (s Saver) Run(ctx context.Context) {
	for ctx.Err() == nil {
		s.Save(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// Save backs the records up if that is due. What fails is tried again the next time.
func (s Saver) Save(ctx context.Context) {
	key, target, due, err := s.DB.UnguardedBeginRecords(ctx)
	if err == nil && !due {
		return
	}
	size := int64(0)
	if err == nil {
		size, err = s.save(ctx, key, target)
	}
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		s.Log.Warn("the database can’t be backed up for now", "target", target.Name, "error", err)
		err = s.DB.UnguardedRecordsFailed(ctx, err.Error())
	default:
		s.Log.Info("the database is backed up", "target", target.Name, "bytes", size)
		err = s.DB.UnguardedRecordsSaved(ctx, size)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Error("record the backup of the database", "error", err)
	}
}

func (s Saver) save(ctx context.Context, key store.Recovery, target store.Target) (size int64, err error) {
	to, err := bucket.Open(target, folderOf(key.Recipient))
	if err != nil {
		return 0, err
	}
	archive, err := seal(key.Recipient, s.Secrets, func(w io.Writer) error { return s.DB.UnguardedDump(ctx, w) })
	if err != nil {
		return 0, err
	}
	size = int64(archive.Len())
	if err := to.Put(ctx, time.Now().UTC().Format(stamp)+suffix, archive, size); err != nil {
		return 0, err
	}
	if err := clean(ctx, to); err != nil { // the next backup does it
		s.Log.Warn("older backups of the database stay for now", "error", err)
	}
	return size, nil
}

// clean deletes the archives that are not kept.
func clean(ctx context.Context, in bucket.Folder) error {
	made, err := archives(ctx, in)
	if err != nil {
		return err
	}
	var over []string
	for _, at := range store.OverRecords(made) {
		over = append(over, at.Format(stamp)+suffix)
	}
	return in.Delete(ctx, over...)
}

// archives are the times of those in a folder, newest first. Other objects are left alone.
func archives(ctx context.Context, in bucket.Folder) (made []time.Time, err error) {
	names, err := in.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if at, err := time.Parse(stamp, strings.TrimSuffix(name, suffix)); err == nil && strings.HasSuffix(name, suffix) {
			made = append(made, at)
		}
	}
	slices.SortFunc(made, func(a, b time.Time) int { return b.Compare(a) })
	return made, nil
}

// Fetch opens the newest archive in a target that was encrypted for that recovery key and is not younger than that time, or
// the newest of all if the time is zero. The caller closes it.
func Fetch(ctx context.Context, target store.Target, identity string, before time.Time) (archive io.ReadCloser, at time.Time, err error) {
	key, err := age.ParseX25519Identity(identity)
	if err != nil {
		return nil, at, ErrNoKey
	}
	from, err := bucket.Open(target, folderOf(key.Recipient().String()))
	if err != nil {
		return nil, at, err
	}
	made, err := archives(ctx, from)
	if err != nil {
		return nil, at, err
	}
	i := slices.IndexFunc(made, func(at time.Time) bool { return before.IsZero() || !at.After(before) })
	if i < 0 {
		return nil, at, fmt.Errorf("the target has no backup of Shopwright’s database for this recovery key from that time, below %s", folder)
	}
	archive, err = from.Get(ctx, made[i].Format(stamp)+suffix)
	return archive, made[i], err
}
