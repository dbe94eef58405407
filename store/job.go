package store

import "time"

// Job is work on a store: pending, in progress, or ended. The row is the queue: a job is recorded
// before any work starts, and any process can continue it.
type Job struct {
	ID        string // labels the Helm release that it makes
	StoreID   string
	ClusterID string
	Kind      JobKind
	State     JobState
	Priority  Priority
	Due       time.Time // it is not begun before
	Args
	Step Step // where it stands; empty until it was begun
	Note Note // what there is to tell of the step
	Result
	Attempt int           // 1 for the first; a retry is a job of its own
	Worked  time.Duration // working time, waiting not counted
	AskedBy By
	AskedAt time.Time
	BeganAt time.Time // zero until then
	EndedAt time.Time // zero until then
}

// JobKind says what a job does to its store.
type JobKind string

// The kinds of jobs.
const (
	OpenJob   JobKind = "open"   // bring a store about that was never ready
	DrillJob  JobKind = "drill"  // likewise, of one that is made to rehearse a restore; releases before 0.2 leave it alone
	ChangeJob JobKind = "change" // bring one to something else, or back to it: see [ChangeKind]
	RemoveJob JobKind = "remove"
	CheckJob  JobKind = "check"  // shop in one that is ready
	BackupJob JobKind = "backup" // make a restore point of one that is ready
)

// Exclusive reports whether a store has at most one such job that has not ended. The newest of them
// says what is wanted of the store.
func (k JobKind) Exclusive() bool { return k != CheckJob && k != BackupJob }

// JobState is how far a job has come.
type JobState string

// The states of jobs. All but the first are ends.
const (
	JobPending   JobState = "pending"
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled" // something else was wanted before it had ended
)

// Priority orders jobs of the same lane that wait: smaller ones go first.
type Priority int

// What a person waits for goes before what the platform does by itself.
const (
	Pressed   Priority = 0
	Scheduled Priority = 10
)

// Args say what exactly a job is to do. They are kept as JSON.
type Args struct {
	Change Change    `json:"change,omitzero"` // what the store is brought to; not of a check or a backup
	Place  bool      `json:"place,omitempty"` // the check places an order
	Point  PointArgs `json:"point,omitzero"`  // of a backup
	Data   string    `json:"data,omitempty"`  // id of the restore point that the store is opened with
	// After is the id of the backup that the job waits for; Was is the store's status before, which it has again if
	// the backup fails.
	After string `json:"after,omitempty"`
	Was   Status `json:"was,omitempty"`
}

// Result is what came of a job so far. It is kept as JSON.
type Result struct {
	// Applied is the revision that was made for the job; zero for none yet.
	Applied int     `json:"applied,omitempty"`
	Failure Failure `json:"failure,omitzero"` // why it failed
	Check   Check   `json:"check,omitzero"`   // what a check came to
	// Cleanup is what a backup came to beside its point.
	Cleanup CleanupResult `json:"cleanup,omitzero"`
}

// Pending reports whether the job has not ended.
func (j Job) Pending() bool { return j.State == JobPending }

// Begun reports whether somebody has begun to work on it.
func (j Job) Begun() bool { return !j.BeganAt.IsZero() }

// Steps are those that work of its kind goes through, in order.
func (j Job) Steps() []Step {
	switch {
	case j.Kind == RemoveJob:
		return DeleteSteps()
	case j.Kind == BackupJob:
		return BackupSteps()
	case j.Change.OfOpenShop():
		return ChangeSteps()
	case j.Data != "":
		return RestoreSteps()
	default:
		return CreateSteps()
	}
}

// Waits reports whether the job waits for a backup.
func (j Job) Waits() bool { return j.Pending() && j.After != "" && j.Due.Equal(someDay()) }

// someDay is when a job is due that waits for another one, which makes it due when it is done.
func someDay() time.Time { return time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Was is the status of the store, or the one that it had before what waits for a backup was asked for.
func (s Store) Was() Status {
	if s.Job.Waits() {
		return s.Job.Was
	}
	return s.Status
}

// BacksUp reports whether a change of the store can be preceded by a backup.
func (s Store) BacksUp() bool {
	return s.CanBackUp() || s.Job.Waits() && s.Living()
}

// WaitFor has the store's job wait for a backup. The store was in that status before.
func (s *Store) WaitFor(backup Job, was Status) {
	s.Job.After, s.Job.Was, s.Job.Due, s.Job.Note = backup.ID, was, someDay(), Note{Code: BackupFirst}
}

// GoAhead has the job go on that waited for a backup which is done.
func (s *Store) GoAhead(now time.Time) { s.Job.Due, s.Job.Note = now, Note{} }

// Abort ends a job that waited for a backup, and has changed nothing yet. The store is what it was.
func (s *Store) Abort(state JobState, why Failure, now time.Time) {
	s.Job.Failure = why
	s.Job.End(state, now)
	s.Status, s.Desired, s.ObservedGeneration = s.Job.Was, Present, s.Generation
}

// Aborted reports whether the store's job was ended because the backup before it failed.
func (s Store) Aborted() bool {
	return s.Job.State == JobFailed && s.Job.After != "" && !s.Job.Begun() && s.Status != Failed
}

// End closes the job in that state.
func (j *Job) End(state JobState, at time.Time) { j.State, j.EndedAt = state, at }

// StartJob gives the store work that only one at a time may do. It takes the place of what is
// being done, if anything is.
func (s *Store) StartJob(kind JobKind, change Change, actor Actor) {
	priority := Pressed
	if actor.UserID == "" {
		priority = Scheduled
	}
	s.Job = Job{
		ID: NewID(), StoreID: s.ID, ClusterID: s.ClusterID, Kind: kind, State: JobPending, Priority: priority,
		Args: Args{Change: change}, Attempt: 1, AskedBy: actor.By(),
	}
	if kind == OpenJob || kind == DrillJob || change.Kind == Rebuild {
		s.Job.Data = s.Origin.Point
	}
}

// TryAgain gives the store the job that has failed once more.
func (s *Store) TryAgain(actor Actor) {
	failed := s.Job
	if failed.Failure.Step != StepNamespace { // what is there is the store's own by now
		failed.Change.Elsewhere = false
	}
	s.StartJob(failed.Kind, failed.Change, actor)
	s.Job.Attempt = failed.Attempt + 1
}
