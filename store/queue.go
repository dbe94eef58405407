package store

import "time"

// Claim is the right to work on one store until the lease runs out. Only its holder changes what
// the platform says about the store.
type Claim struct {
	Store  Store
	Job    Job // to be done: the store's newest, a check or a backup
	Holder string
	// Number is higher than that of every claim before. It fences what a holder writes: a claim that
	// was taken over is refused even where both have the same holder.
	Number int64
	// From is when the lease began, by this process's clock, or a moment before: it does not
	// last longer than its time from then.
	From time.Time
}

// On is the claim on the store as it is now. It goes over to the job that is wanted of the store now.
func (c Claim) On(st Store) Claim {
	c.Store = st
	if c.Job.Kind.Exclusive() {
		c.Job = st.Job
	}
	return c
}

// Concurrency bounds how many jobs are done at once, over all replicas, and which ones. A job
// counts while a process holds its claim.
type Concurrency struct {
	Cluster    string // only stores that are placed in it; empty for any
	Global     int    // stores that are opened or changed; zero for no limit
	PerCluster int    // of those, in one cluster; zero for no limit
	Removals   int    // stores that are removed, up to the removal of their namespace; zero for no limit
	Checks     int    // stores that are checked; zero for none
	Backups    int    // stores that are backed up; zero for none
}

// Progress is what the platform has to say about a store it works on. Empty fields leave
// what is recorded.
type Progress struct {
	Step     Step // the step that the work is at now
	Finished Note // what the step before came to, when the step changes
	Note     Note // where the step stands
}

// Opened is what there is to record about a store that is ready.
type Opened struct {
	Finished Note // what the last step came to
	URL      string
	AdminURL string
	Volumes  []string // names of the volume claims that hold its data
	Check    Check
	Next     time.Duration // until the next check; zero for never
}

// FinishStep tells that the present step has ended, if there is one, and what it came to.
func (s Store) FinishStep(came Note) []Event {
	if s.Job.Step == "" {
		return nil
	}
	return []Event{NoteEvent(s, Actor{}, StepFinished, came)}
}
