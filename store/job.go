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
	if kind == OpenJob {
		s.Job.Data = s.Origin.Point
	}
}

// TryAgain gives the store the job that has failed once more.
func (s *Store) TryAgain(actor Actor) {
	failed := s.Job
	s.StartJob(failed.Kind, failed.Change, actor)
	s.Job.Attempt = failed.Attempt + 1
}
