package store_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"shopwright.dev/shopwright/store"
)

const day = 24 * time.Hour

func everyDays(n int) store.DrillSchedule { return store.Plan{DrillEvery: n}.DrillSchedule("store") }

// ended is a drill that began so long before monday, took a minute, and came to that.
func ended(ago time.Duration, code store.FailureCode) store.Drill {
	began := monday.Add(-ago)
	return store.Drill{ID: "drill", BeganAt: began, EndedAt: began.Add(time.Minute), Failure: store.Failure{Code: code}}
}

func TestDrillSchedule(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		every  int
		newest store.Drill
		first  time.Duration // before monday; zero for no point
		due    bool
		next   time.Duration // after monday; negative for never
	}{
		"without a point":                   {7, store.Drill{}, 0, false, -1},
		"by a plan without drills":          {0, store.Drill{}, 99 * day, false, -1},
		"a day after the first point":       {7, store.Drill{}, day, true, 0},
		"long after the first point":        {7, store.Drill{}, 99 * day, true, 0},
		"while one goes on":                 {7, store.Drill{ID: "drill", BeganAt: monday.Add(-99 * day)}, 99 * day, false, -1},
		"just before the time":              {7, ended(7*day-time.Second, ""), 99 * day, false, time.Second},
		"when the time has come":            {7, ended(7*day, ""), 99 * day, true, 0},
		"missed for weeks":                  {7, ended(40*day, ""), 99 * day, true, 0},
		"just after a failure":              {7, ended(time.Hour, store.RestoreOverdue), 99 * day, false, 23*time.Hour + time.Minute},
		"a day after a failure":             {7, ended(day+time.Minute, store.RestoreOverdue), 99 * day, true, 0},
		"a day after it was cancelled":      {7, ended(day+time.Minute, store.DrillWasCancelled), 99 * day, true, 0},
		"after a failure, of a monthly one": {30, ended(2*day, store.RestoreOverdue), 99 * day, true, 0},
		"the clock was set back by years":   {7, ended(-9999*day, ""), 99 * day, true, 0},
		"its points have expired":           {7, ended(40*day, ""), 0, false, -1},
	} {
		s := everyDays(c.every)
		var first time.Time
		if c.first > 0 {
			first = monday.Add(-c.first)
		}
		if got := s.Due(monday, c.newest, first); got != c.due {
			t.Errorf("%s a drill is due: %t", about, got)
		}
		next, want := s.Next(monday, c.newest, first), monday.Add(c.next)
		if c.next < 0 {
			want = time.Time{}
		}
		if !next.Equal(want) {
			t.Errorf("%s the next drill is at %s, want %s", about, next, want)
		}
	}
}

func TestDrillIsOverdue(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		every         int
		passed, first time.Duration // before monday; zero for never
		want          bool
	}{
		"a new store":                       {7, 0, 7 * day, false},
		"one without points":                {7, 0, 0, false},
		"one that was never rehearsed":      {7, 0, 8*day + time.Second, true},
		"one that passed in time":           {7, 8 * day, 99 * day, false},
		"one that passed long ago":          {7, 8*day + time.Second, 99 * day, true},
		"one that passed before its points": {7, 20 * day, 5 * day, false},
		"one whose plan asks for none":      {0, 0, 99 * day, false},
	} {
		ago := func(d time.Duration) (at time.Time) {
			if d > 0 {
				at = monday.Add(-d)
			}
			return at
		}
		if got := everyDays(c.every).Overdue(monday, ago(c.passed), ago(c.first), ago(c.first)); got != c.want {
			t.Errorf("%s is overdue: %t", about, got)
		}
	}
}

// However long the platform is away, the clock jumps and drills fail: a drill begins when it was said to, never sooner
// than the plan or the pause after a failure allows, and the first one within a day of the first point.
func TestDrillScheduleHoldsWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1)) // the seed repeats a failure
		every := 1 + random.IntN(90)
		s := store.Plan{DrillEvery: every}.DrillSchedule(fmt.Sprint(seed))
		period := time.Duration(every) * day
		first, now := monday, monday
		var newest store.Drill
		for range 300 {
			said := s.Next(now, newest, first)
			switch random.IntN(20) {
			case 0:
				now = now.Add(-time.Duration(random.Int64N(int64(3 * period))))
			case 1:
				now = now.Add(time.Duration(random.Int64N(int64(3 * period))))
			default:
				now = now.Add(time.Duration(random.Int64N(int64(period / 5))))
			}
			next, due := s.Next(now, newest, first), s.Due(now, newest, first)
			if back := newest.EndedAt.After(now) || first.After(now); !back && due == said.After(now) {
				t.Fatalf("seed %d: said was %s, at %s one is due: %t", seed, said, now, due)
			}
			if next.Before(now) || next.Sub(now) > max(period, day) || due != next.Equal(now) {
				t.Fatalf("seed %d: at %s the next is at %s, one is due: %t", seed, now, next, due)
			}
			if newest.ID == "" && !first.After(now) && next.After(first.Add(day)) && !due {
				t.Fatalf("seed %d: the first is at %s", seed, next)
			}
			if !due {
				continue
			}
			newest = store.Drill{ID: "drill", BeganAt: now}
			if s.Due(now.Add(99*period), newest, first) {
				t.Fatalf("seed %d: one is due while another goes on", seed)
			}
			pause := period
			newest.EndedAt = now.Add(time.Duration(random.Int64N(int64(time.Hour))))
			if random.IntN(3) == 0 {
				newest.Failure.Code, pause = store.RestoreOverdue, newest.EndedAt.Sub(now)+day
			}
			now = newest.EndedAt
			if next := s.Next(now, newest, first); next.Sub(newest.BeganAt) != pause {
				t.Fatalf("seed %d: after one at %s that ended with %q the next is at %s", seed, newest.BeganAt, newest.Failure.Code, next)
			}
		}
	}
}

// The first drills of stores that were all backed up at once are spread over a day.
func TestStoresAreNotRehearsedAtOnce(t *testing.T) {
	t.Parallel()
	const stores = 1000
	hours := map[int]int{}
	for i := range stores {
		next := store.Plan{DrillEvery: 7}.DrillSchedule(fmt.Sprintf("store-%d", i)).Next(monday, store.Drill{}, monday)
		if next.Before(monday) || next.Sub(monday) >= day {
			t.Fatalf("the first is at %s", next)
		}
		hours[next.Hour()]++
	}
	for hour := range 24 {
		if n := hours[hour]; n < stores/24/2 || n > stores/24*2 {
			t.Errorf("%d of %d stores are rehearsed in the hour %d", n, stores, hour)
		}
	}
}

func TestDrillStoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	from := store.Store{ID: "shop", TeamID: "team", Name: strings.Repeat("ä", 120), OwnerEmail: "mara@example.com", Plan: "pro", Engine: "medusa", CreatedBy: "mara", URL: "https://shop"}
	st := store.DrillOf(from, store.RestorePoint{ID: "point"}, store.Cluster{ID: "cluster", BaseDomain: "localhost"}, "drill-a", store.Actor{}, monday)
	if st.OwnerEmail != "" || st.Plan != "pro" || st.TeamID != "team" || st.CreatedBy != "mara" || st.Host != "drill-a.localhost" || utf8.RuneCountInString(st.Name) > 120 {
		t.Errorf("the store is %+v", st)
	}
	if st.Job.Kind != store.DrillJob || st.Job.Data != "point" || st.Job.Priority != store.Scheduled || !st.Origin.Pending() {
		t.Errorf("its job is %+v", st.Job)
	}
	for _, status := range store.Statuses() {
		st.Status, st.Sold = status, 1
		st.Job.Failure.Code = store.DataLost
		for what, can := range map[string]bool{
			"retried": st.CanRetry(), "rebuilt": st.CanRebuild(), "repaired": st.CanRepair(), "checked": st.CanCheck(), "backed up": st.CanBackUp(),
			"upgraded": st.CanChange(), "cancelled": st.CanCancel(), "given away": st.CanChangeOwner(), "rehearsed": st.CanDrill(),
		} {
			if can {
				t.Errorf("one that is %s can be %s", status, what)
			}
		}
	}
}
