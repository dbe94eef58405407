package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"shopwright.dev/shopwright/store"
)

var pointColumns = columns[store.RestorePoint]{
	{"id", func(p *store.RestorePoint) any { return &p.ID }},
	{"store_id", func(p *store.RestorePoint) any { return &p.StoreID }},
	{"target_id", func(p *store.RestorePoint) any { return &p.TargetID }},
	{"reason", func(p *store.RestorePoint) any { return &p.Reason }},
	{"note", func(p *store.RestorePoint) any { return &p.Note }},
	{"asked_by", func(p *store.RestorePoint) any { return &p.AskedBy.ID }},
	{"asked_by_name", func(p *store.RestorePoint) any { return &p.AskedBy.Name }},
	{"manifest", func(p *store.RestorePoint) any { return document{&p.Manifest} }},
	{"began_at", func(p *store.RestorePoint) any { return at(&p.BeganAt) }},
	{"ended_at", func(p *store.RestorePoint) any { return at(&p.EndedAt) }},
}

// Backups returns the restore points of a store that are kept, newest first, and its newest backup.
func (db *DB) Backups(ctx context.Context, actor store.Actor, storeID string) (store.Backups, error) {
	return db.ListBackups(ctx, actor, storeID, store.PointQuery{})
}

// ListBackups is [DB.Backups] with the points that the query selects.
func (db *DB) ListBackups(ctx context.Context, actor store.Actor, storeID string, q store.PointQuery) (b store.Backups, err error) {
	st, err := db.FindStore(ctx, actor, storeID)
	if err != nil {
		return store.Backups{}, err
	}
	if b.Points, err = db.points(ctx, storeID, q); err != nil {
		return store.Backups{}, err
	}
	err = db.read.QueryRowContext(ctx, `
		SELECT `+jobColumns.list("")+` FROM jobs WHERE store_id = $1 AND kind = 'backup' ORDER BY asked_at DESC, id DESC LIMIT 1`, storeID).Scan(jobColumns.of(&b.Job)...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return store.Backups{}, fmt.Errorf("read the newest backup of store %s: %w", storeID, err)
	}
	if err = db.planned(ctx, st, &b); err != nil {
		return store.Backups{}, err
	}
	b.Drills, err = db.drillsOf(ctx, st)
	return b, err
}

// BackUp has a restore point made of a store that is ready. It returns the job that makes it.
func (db *DB) BackUp(ctx context.Context, actor store.Actor, id, note string) (job store.Job, err error) {
	r, err := db.newBackup(ctx, actor, id, note)
	if err != nil {
		return store.Job{}, err
	}
	err = db.update(ctx, func(t tx) (err error) { job, err = t.backUp(ctx, actor, r); return err })
	return job, err
}

// backupRequest asks for a restore point.
type backupRequest struct {
	storeID  string
	note     string // as it is kept
	password string // sealed, of the repository of a store that has none
}

func (db *DB) newBackup(ctx context.Context, actor store.Actor, id, note string) (r backupRequest, err error) {
	if _, err := db.FindStoreTo(ctx, actor, store.BackUpStores, id); err != nil {
		return r, err
	}
	r.storeID = id
	if r.note, err = store.CleanPointNote(note); err != nil {
		return r, err
	}
	r.password, err = db.seal(repositoryPasswords(), id, store.NewPassword())
	return r, err
}

func (t tx) backUp(ctx context.Context, actor store.Actor, r backupRequest) (store.Job, error) {
	st, err := t.lockStore(ctx, r.storeID)
	if err != nil {
		return store.Job{}, err
	}
	if !st.CanBackUp() {
		return store.Job{}, &store.Error{Code: store.Conflict, Message: "This store is " + string(st.Status) + ". Only a ready store can be backed up."}
	}
	return t.beginBackup(ctx, st, store.PointArgs{Reason: store.Manual, Note: r.note}, actor, r.password)
}

// beginBackup gives a locked store a backup to the target in use. The password is kept if the store has
// none.
func (t tx) beginBackup(ctx context.Context, st store.Store, args store.PointArgs, actor store.Actor, password string) (store.Job, error) {
	target, err := t.lockTarget(ctx, `in_use`)
	if store.ErrorCode(err) == store.NotFound {
		return store.Job{}, &store.Error{Code: store.Conflict, Message: "No backup target is in use. Ask an administrator to add one."}
	}
	if err != nil {
		return store.Job{}, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO repositories (store_id, password, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, st.ID, password, t.now)
	if err != nil {
		return store.Job{}, fmt.Errorf("keep the repository password of store %s: %w", st.ID, err)
	}
	args.Target = target.ID
	job := st.NewBackup(args, actor)
	if err := t.insertJob(ctx, &job); isUniqueViolation(err) {
		return store.Job{}, &store.Error{Code: store.Conflict, Message: "A backup of this store is already in progress."}
	} else if err != nil {
		return store.Job{}, err
	}
	asked := store.BackupEvent(st, job, store.BackupAsked, store.Note{})
	if args.Reason == store.OnSchedule {
		asked.Kind = store.BackupScheduled
	}
	if args.Note != "" {
		asked.Data.Note = store.Quote(args.Note)
	}
	return job, t.append(ctx, actor.Sign(asked))
}

// RepositoryOf returns where the claimed backup writes to, with the secrets. ErrSealed says that one of
// them can't be read.
func (db *DB) RepositoryOf(ctx context.Context, c store.Claim) (store.Repository, error) {
	target, err := queryTarget(ctx, db.read, `id = $1`, c.Job.Point.Target)
	if err != nil {
		return store.Repository{}, err
	}
	return db.openRepository(ctx, store.Repository{Target: target, StoreID: c.Store.ID, Name: c.Store.ID})
}

// UnguardedRepositories returns where the restore points of a store are, newest first, with the secrets,
// and records in the audit log that they were shown. It is for the server's command line. The store is
// named by its address or its id, and may be deleted.
func (db *DB) UnguardedRepositories(ctx context.Context, name string) (all []store.Repository, err error) {
	var id string
	err = db.read.QueryRowContext(ctx, `SELECT id FROM stores WHERE id = $1 OR slug = $1 AND deleted_at = 0`, name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, store.NoSuch("store")
	}
	if err != nil {
		return nil, fmt.Errorf("find store %s: %w", name, err)
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+targetColumns.list("t")+`, p.manifest FROM restore_points p JOIN backup_targets t ON t.id = p.target_id
		WHERE p.store_id = $1 ORDER BY p.ended_at DESC, p.id`, id)
	places, err := collect(rows, err, func(row scanner) (r store.Repository, err error) {
		var m store.Manifest
		err = row.Scan(append(targetColumns.of(&r.Target), document{&m})...)
		r.StoreID, r.Name = id, cmp.Or(m.Repository, id)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("find the repositories of store %s: %w", id, err)
	}
	for _, place := range places {
		if slices.ContainsFunc(all, func(r store.Repository) bool { return r.URL() == place.URL() }) {
			continue
		}
		r, err := db.openRepository(ctx, place)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	err = db.update(ctx, func(t tx) error {
		st, err := queryStore(ctx, t, id)
		if err != nil || len(all) == 0 {
			return err
		}
		return t.append(ctx, store.EventOf(st, store.Actor{}, store.RepositoryShown))
	})
	return all, err
}

// openRepository adds the secrets to a repository, whose target has its own sealed.
func (db *DB) openRepository(ctx context.Context, r store.Repository) (_ store.Repository, err error) {
	var password string
	if err := db.read.QueryRowContext(ctx, `SELECT password FROM repositories WHERE store_id = $1`, r.StoreID).Scan(&password); err != nil {
		return store.Repository{}, fmt.Errorf("read the repository password of store %s: %w", r.StoreID, err)
	}
	target := r.Target.Listed()
	if r.Target.Secret, err = db.unseal(targetSecrets(), r.Target.ID, r.Target.Secret); err != nil {
		return store.Repository{Target: target}, fmt.Errorf("open the key of backup target %s: %w", target.Name, err)
	}
	if r.Password, err = db.unseal(repositoryPasswords(), r.StoreID, password); err != nil {
		return store.Repository{Target: target}, fmt.Errorf("open the repository password of store %s: %w", r.StoreID, err)
	}
	return r, nil
}

// AdvanceBackup records the step of a claimed backup.
func (db *DB) AdvanceBackup(ctx context.Context, c store.Claim, step store.Step) error {
	return db.workOnBackup(ctx, c, func(t tx, st store.Store, job *store.Job) (store.Event, error) {
		if job.Step = step; !job.Begun() {
			job.BeganAt = st.UpdatedAt
		}
		return store.BackupEvent(st, *job, store.BackupProgressed, store.Note{}), nil
	})
}

// RecordPoint records the restore point that a claimed backup has made.
func (db *DB) RecordPoint(ctx context.Context, c store.Claim, m store.Manifest) error {
	if !m.Whole() {
		return fmt.Errorf("the manifest of backup %s names not all snapshots", c.Job.ID)
	}
	return db.workOnBackup(ctx, c, func(t tx, st store.Store, job *store.Job) (store.Event, error) {
		job.End(store.JobDone, st.UpdatedAt)
		var err error
		if m.Version, err = t.versionOf(ctx, st); err != nil {
			return store.Event{}, err
		}
		point := store.PointOf(*job, m)
		_, err = t.ExecContext(ctx, `INSERT INTO restore_points (`+pointColumns.list("")+`) VALUES (`+pointColumns.marks()+`)`, pointColumns.of(&point)...)
		if err != nil {
			return store.Event{}, fmt.Errorf("record restore point %s: %w", point.ID, err)
		}
		return store.BackupEvent(st, *job, store.BackupDone, point.Outcome()), t.goAhead(ctx, st, *job)
	})
}

// versionOf is the version of the shop's program in the revision that is in place; empty when it is not known.
func (t tx) versionOf(ctx context.Context, st store.Store) (version string, err error) {
	err = t.QueryRowContext(ctx, `SELECT version FROM revisions WHERE store_id = $1 AND number = $2 ORDER BY generation DESC LIMIT 1`, st.ID, st.Revision).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the version of store %s: %w", st.ID, err)
	}
	return version, nil
}

// FailBackup records why a claimed backup made no point.
func (db *DB) FailBackup(ctx context.Context, c store.Claim, f store.Failure) error {
	f = f.Storable()
	return db.workOnBackup(ctx, c, func(t tx, st store.Store, job *store.Job) (store.Event, error) {
		f.Step, f.At = job.Step, st.UpdatedAt
		job.Failure = f
		job.End(store.JobFailed, st.UpdatedAt)
		failed := store.BackupEvent(st, *job, store.BackupFailed, store.Note{})
		failed.Data.Failure = f.Brief()
		return failed, t.abort(ctx, st, *job)
	})
}

// workOnBackup changes a claimed backup and records its event, if the claim holds; otherwise it
// returns ErrStale.
func (db *DB) workOnBackup(ctx context.Context, c store.Claim, apply func(tx, store.Store, *store.Job) (store.Event, error)) error {
	return db.changeBackup(ctx, c, func(t tx, st store.Store, job *store.Job) error {
		event, err := apply(t, st, job)
		if err != nil {
			return err
		}
		return t.append(ctx, event)
	})
}

// changeBackup is [DB.workOnBackup] for a change that no event tells of.
func (db *DB) changeBackup(ctx context.Context, c store.Claim, apply func(tx, store.Store, *store.Job) error) error {
	return db.update(ctx, func(t tx) error {
		st, err := t.lockClaimed(ctx, c)
		if err != nil {
			return err
		}
		job, err := queryJob(ctx, t, c.Job.ID)
		if err != nil {
			return err
		}
		if err := apply(t, st, &job); err != nil {
			return err
		}
		return t.saveJob(ctx, &job)
	})
}

// cancelBackup ends the backup of a locked store that something else is wanted of. Its holder finds the
// claim lost.
func (t tx) cancelBackup(ctx context.Context, st store.Store) error {
	var job store.Job
	err := t.QueryRowContext(ctx, `SELECT `+jobColumns.list("")+` FROM jobs WHERE store_id = $1 AND kind = 'backup' AND ended_at = 0`, st.ID).Scan(jobColumns.of(&job)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the backup of store %s: %w", st.ID, err)
	}
	job.End(store.JobCancelled, fromMicros(t.now))
	if err := t.saveJob(ctx, &job); err != nil {
		return err
	}
	return t.append(ctx, store.BackupEvent(st, job, store.BackupCancelled, store.Note{}))
}
