package store

// Returning reports whether the store is being rebuilt with a restore point of its own.
func (s Store) Returning() bool {
	return s.Job.Pending() && s.Job.Change.Kind == Rebuild && s.Job.Data != ""
}
