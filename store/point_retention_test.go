package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// pointAt is a point of that time, which is also its id.
func pointAt(text, note string) store.RestorePoint {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, time.UTC)
	if err != nil {
		panic(err)
	}
	return store.RestorePoint{ID: text, Note: note, EndedAt: t}
}

func ids(points []store.RestorePoint) string {
	var all []string
	for _, p := range points {
		all = append(all, p.ID)
	}
	return strings.Join(all, ", ")
}

func TestPointsThatAreOver(t *testing.T) {
	t.Parallel()
	points := []store.RestorePoint{
		pointAt("2026-11-30 12:50", ""), pointAt("2026-11-30 12:10", ""), pointAt("2026-11-30 09:00", ""), // Monday
		pointAt("2026-11-29 23:59", ""), pointAt("2026-11-29 00:00", ""), pointAt("2026-11-20 10:00", ""),
		pointAt("2026-11-19 10:00", "before the sale"), pointAt("2026-10-31 10:00", ""), pointAt("2026-10-01 10:00", ""),
	}
	for _, c := range []struct {
		about string
		keep  store.PointRetention
		over  string
	}{
		{"nothing but the newest and the one with a note", store.PointRetention{},
			"2026-11-30 12:10, 2026-11-30 09:00, 2026-11-29 23:59, 2026-11-29 00:00, 2026-11-20 10:00, 2026-10-31 10:00, 2026-10-01 10:00"},
		{"of three hours, which need not follow one another", store.PointRetention{Hourly: 3}, "2026-11-30 12:10, 2026-11-29 00:00, 2026-11-20 10:00, 2026-10-31 10:00, 2026-10-01 10:00"},
		{"of three days", store.PointRetention{Daily: 3}, "2026-11-30 12:10, 2026-11-30 09:00, 2026-11-29 00:00, 2026-10-31 10:00, 2026-10-01 10:00"},
		{"of two weeks, which begin on Monday", store.PointRetention{Weekly: 2}, "2026-11-30 12:10, 2026-11-30 09:00, 2026-11-29 00:00, 2026-11-20 10:00, 2026-10-31 10:00, 2026-10-01 10:00"},
		{"of two months", store.PointRetention{Monthly: 2}, "2026-11-30 12:10, 2026-11-30 09:00, 2026-11-29 23:59, 2026-11-29 00:00, 2026-11-20 10:00, 2026-10-01 10:00"},
		{"of all there are", store.PointRetention{Hourly: 100}, "2026-11-30 12:10"},
	} {
		if got := ids(c.keep.Over(points)); got != c.over {
			t.Errorf("%s: over are %s, want %s", c.about, got, c.over)
		}
	}
	if got := (store.PointRetention{}).Over(nil); got != nil {
		t.Errorf("of none over are %v", got)
	}
}

// draw makes points of a few months at random, some of the same time.
func draw(random *rand.Rand) (keep store.PointRetention, points []store.RestorePoint) {
	keep = store.PointRetention{Hourly: random.IntN(5), Daily: random.IntN(5), Weekly: random.IntN(5), Monthly: random.IntN(5)}
	for i := range random.IntN(150) {
		p := store.RestorePoint{ID: fmt.Sprint(i), EndedAt: monday.Add(-time.Duration(random.IntN(1+random.IntN(200*24))) * time.Hour)}
		if random.IntN(20) == 0 {
			p.Note = "kept"
		}
		points = append(points, p)
	}
	return keep, points
}

// without are the points that are not over.
func without(points, over []store.RestorePoint) []store.RestorePoint {
	return slices.DeleteFunc(slices.Clone(points), func(p store.RestorePoint) bool { return slices.Contains(over, p) })
}

func TestRetentionHolds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0)) // the seed repeats a failure
		keep, points := draw(random)
		over := keep.Over(points)
		shuffled := slices.Clone(points)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := keep.Over(shuffled); !slices.Equal(got, over) {
			t.Fatalf("seed %d: in another order over are %s, and were %s", seed, ids(got), ids(over))
		}
		kept := without(points, over)
		if again := keep.Over(kept); len(again) != 0 {
			t.Fatalf("seed %d: when applied again over are %s", seed, ids(again))
		}
		noted := 0
		for _, p := range points {
			if p.Note != "" {
				noted++
			}
		}
		if most := 1 + noted + keep.Hourly + keep.Daily + keep.Weekly + keep.Monthly; len(kept) > most || len(points) > 0 && len(kept) == 0 {
			t.Fatalf("seed %d: %d points are kept, at most %d by %+v", seed, len(kept), most, keep)
		}
		if slices.ContainsFunc(over, func(p store.RestorePoint) bool { return p.Note != "" }) {
			t.Fatalf("seed %d: a point with a note is over", seed)
		}
	}
}

// What is kept is the same whether the rule is applied after each new point or once in the end: no point is
// lost that would be the newest of its period later.
func TestRetentionAfterEachPointLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		keep, points := draw(rand.New(rand.NewPCG(seed, 1))) // the seed repeats a failure
		slices.SortStableFunc(points, func(a, b store.RestorePoint) int { return a.EndedAt.Compare(b.EndedAt) })
		for i := range points {
			points[i].ID = fmt.Sprintf("%03d", i) // in the order in which they are made
		}
		var kept []store.RestorePoint
		for _, p := range points {
			kept = append(kept, p)
			kept = without(kept, keep.Over(kept))
		}
		if want := without(points, keep.Over(points)); !slices.Equal(kept, want) {
			t.Fatalf("seed %d: kept are %s, want %s by %+v", seed, ids(kept), ids(want), keep)
		}
	}
}
