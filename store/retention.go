package store

import "time"

// Retention is how long records are kept that nothing needs any more; zero is for ever. The audit
// log is kept for ever.
type Retention struct {
	Events  time.Duration // of stores, but for those of the latest work; and revisions that no rollback may go to
	Deleted time.Duration // stores, after they were deleted
	Ended   time.Duration // tokens, invitations and sessions, after they have expired or were used
}
