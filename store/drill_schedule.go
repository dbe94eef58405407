package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

const (
	day = 24 * time.Hour
	// drillAgain is when a drill that failed is tried again, and by how much one may be late before it is overdue.
	drillAgain = day
)

// DrillSchedule says when the restore of a store is rehearsed.
type DrillSchedule struct {
	Every  time.Duration // zero for never
	offset time.Duration // of the first drill from the first point, so that not all begin at once
}

// DrillSchedule is that of a store of the plan.
func (p Plan) DrillSchedule(storeID string) DrillSchedule {
	sum := sha256.Sum256([]byte("drill " + storeID))
	seconds := binary.BigEndian.Uint64(sum[:8]) % uint64(day/time.Second)
	return DrillSchedule{Every: time.Duration(p.DrillEvery) * day, offset: time.Duration(seconds) * time.Second}
}

// Next is when the next drill is due, if that is the newest one and the first point that is kept was made then; zero
// for never, and while one goes on. A store that never had one is due within a day of its first point, the others so
// long after the last one began, and after one that failed a day later. A last one that is further ahead than that was
// made before the clock was set back, and doesn't count.
func (s DrillSchedule) Next(now time.Time, newest Drill, firstPoint time.Time) time.Time {
	last, pause := newest.BeganAt, s.Every
	if newest.ID != "" && !newest.Passed() {
		last, pause = newest.EndedAt, drillAgain
	}
	switch {
	case s.Every == 0, firstPoint.IsZero(), newest.ID != "" && newest.EndedAt.IsZero():
		return time.Time{}
	case newest.ID == "":
		return later(now, firstPoint.Add(s.offset), day)
	}
	return later(now, last.Add(pause), pause)
}

// Due reports whether a drill is to be made now.
func (s DrillSchedule) Due(now time.Time, newest Drill, firstPoint time.Time) bool {
	next := s.Next(now, newest, firstPoint)
	return !next.IsZero() && !next.After(now)
}

// later is that moment, or now if it is over or further ahead than it can be.
func later(now, then time.Time, atMost time.Duration) time.Time {
	if then.Before(now) || then.After(now.Add(atMost)) {
		return now
	}
	return then
}

// Overdue reports whether no drill has passed for longer than the plan allows, while there was a point to restore and
// drills were made, which is since that time; zero for never.
func (s DrillSchedule) Overdue(now, lastPassed, firstPoint, since time.Time) bool {
	late := now.Add(-s.Every - drillAgain)
	could := !firstPoint.IsZero() && firstPoint.Before(late) && !since.IsZero() && since.Before(late)
	return s.Every > 0 && could && lastPassed.Before(late)
}
