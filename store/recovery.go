package store

import "time"

// Recovery is the key that the platform's own records are encrypted with when they are backed up, and how that goes. The
// zero value is that of an installation without a key, whose records are not backed up.
type Recovery struct {
	Recipient string // the public half of the key
	MadeBy    string // name of the user
	MadeAt    time.Time
	SavedAt   time.Time // zero for never
	Size      int64     // of the newest backup, in bytes
	Failed    string    // why the last try came to nothing; empty if it didn't
	Target    string    // name of the backup target in use; empty for none
}

// RecordsEvery is how often the platform's records are backed up.
const RecordsEvery = time.Hour

// recordsKept is how many of the backups are kept, one of each time: two days of hours, and a month of days.
func recordsKept() PointRetention { return PointRetention{Hourly: 48, Daily: 30} }

// OverRecords returns which backups of the records, made at those times, are not kept.
func OverRecords(made []time.Time) (over []time.Time) {
	points := make([]RestorePoint, len(made))
	for i, at := range made {
		points[i] = RestorePoint{ID: at.Format(time.RFC3339Nano), EndedAt: at, Reason: OnSchedule}
	}
	for _, p := range recordsKept().Over(points) {
		over = append(over, p.EndedAt)
	}
	return over
}
