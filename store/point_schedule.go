package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// PointSchedule says when the platform backs a store up: once in each slot of time.
type PointSchedule struct {
	every  time.Duration // zero for never
	offset time.Duration // of the slots' beginnings, so that not all stores are backed up at once
}

// PointSchedule is that of a store of the plan.
func (p Plan) PointSchedule(storeID string) PointSchedule {
	s := PointSchedule{every: time.Duration(p.BackupEvery) * time.Hour}
	if s.every > 0 {
		sum := sha256.Sum256([]byte(storeID))
		seconds := binary.BigEndian.Uint64(sum[:8]) % uint64(s.every/time.Second)
		s.offset = time.Duration(seconds) * time.Second //nolint:gosec // less than the seconds of 30 days
	}
	return s
}

// slot is when the slot of that moment began.
func (s PointSchedule) slot(now time.Time) time.Time {
	return now.Add(-s.offset).Truncate(s.every).Add(s.offset)
}

// Due reports whether a backup is to be made now, if the last one was tried at that time. However many
// slots were missed, one backup makes up for them. A last one that is more than a slot ahead was tried
// before the clock was set back, and doesn't count.
func (s PointSchedule) Due(now, last time.Time) bool {
	return s.every > 0 && (last.Before(s.slot(now)) || last.After(now.Add(s.every)))
}

// Next is when the next backup is due, if the last one was tried at that time; zero for never.
func (s PointSchedule) Next(now, last time.Time) time.Time {
	switch {
	case s.every == 0:
		return time.Time{}
	case s.Due(now, last):
		return now
	case last.After(now):
		now = last // tried before the clock was set back
	}
	return s.slot(now).Add(s.every)
}
