package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

var monday = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func everyHours(n int) store.Plan { return store.Plan{BackupEvery: n} }

// A due backup is tried at once; so the next one is at the beginning of a slot.
func TestPointSchedule(t *testing.T) {
	t.Parallel()
	const id = "store"
	slot := everyHours(24).PointSchedule(id).Next(monday, monday)
	for _, c := range []struct {
		about     string
		every     int
		now, last time.Duration // after the beginning of a slot
		due       bool
	}{
		{"at the beginning of the slot", 24, 0, -24 * time.Hour, true},
		{"just before it", 24, -time.Second, -24 * time.Hour, false},
		{"tried at its beginning", 24, time.Hour, 0, false},
		{"tried late in the slot before", 24, 0, -time.Minute, true},
		{"tried late in this one", 24, 23 * time.Hour, 22 * time.Hour, false},
		{"missed for a week", 24, 5 * time.Hour, -7 * 24 * time.Hour, true},
		{"made up for", 24, 6 * time.Hour, 5 * time.Hour, false},
		{"the clock was set back within the slot", 24, time.Hour, 2 * time.Hour, false},
		{"the clock was set back into the slot before", 24, -time.Hour, time.Minute, false},
		{"the clock was set back by years", 24, time.Hour, 20_000 * time.Hour, true},
		{"by a plan without backups", 0, 0, -1000 * time.Hour, false},
	} {
		s := everyHours(c.every).PointSchedule(id)
		if got := s.Due(slot.Add(c.now), slot.Add(c.last)); got != c.due {
			t.Errorf("%s a backup is due: %t", c.about, got)
		}
	}
	if !everyHours(1).PointSchedule(id).Due(monday, time.Time{}) {
		t.Error("a store that was never backed up isn’t due")
	}
	if next := everyHours(0).PointSchedule(id).Next(monday, monday); !next.IsZero() {
		t.Errorf("the next backup of a plan without backups is at %s", next)
	}
}

// However the clock jumps and the platform is away, a store is backed up once in a slot, and the next backup
// is when it was said to be.
func TestPointScheduleHoldsWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0)) // the seed repeats a failure
		every := 1 + random.IntN(72)
		s := everyHours(every).PointSchedule(fmt.Sprint(seed))
		period := time.Duration(every) * time.Hour
		now, last := monday, monday
		for range 200 {
			said := s.Next(now, last)
			switch random.IntN(20) {
			case 0:
				now = now.Add(-time.Duration(random.Int64N(int64(4 * period))))
			case 1:
				now = now.Add(time.Duration(random.Int64N(int64(9 * period))))
			default:
				now = now.Add(time.Duration(random.Int64N(int64(period / 3))))
			}
			if back := last.After(now); !back && s.Due(now, last) == said.After(now) {
				t.Fatalf("seed %d: said was %s, at %s it is due: %t", seed, said, now, s.Due(now, last))
			}
			if next := s.Next(now, last); next.Before(now) || next.Sub(now) > 2*period {
				t.Fatalf("seed %d: at %s the next backup is at %s", seed, now, next)
			}
			if s.Due(now, last) {
				if last = now; s.Due(now, last) || s.Due(s.Next(now, last).Add(-1), last) {
					t.Fatalf("seed %d: a slot at %s has two backups", seed, now)
				}
				if next := s.Next(now, last); !s.Due(next, last) || next.Sub(now) > period {
					t.Fatalf("seed %d: after a backup at %s the next is at %s", seed, now, next)
				}
			}
		}
	}
}

// The stores of a plan are spread over the time between two backups.
func TestStoresAreNotBackedUpAtOnce(t *testing.T) {
	t.Parallel()
	const stores = 1000
	hours := map[int]int{}
	for i := range stores {
		s := everyHours(24).PointSchedule(fmt.Sprintf("store-%d", i))
		if again := everyHours(24).PointSchedule(fmt.Sprintf("store-%d", i)); again != s {
			t.Fatal("the schedule of a store changes")
		}
		hours[s.Next(monday, monday).Hour()]++
	}
	for hour := range 24 {
		if n := hours[hour]; n < stores/24/2 || n > stores/24*2 {
			t.Errorf("%d of %d stores are backed up in the hour %d", n, stores, hour)
		}
	}
}
