package handlers

import "testing"

func TestShareIsNeverPromisedTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		requested, of, whole int64
		unit, text           string
		percent              int
	}{
		{1940, 2000, 1000, " CPU", "1.94 of 2 CPU", 97},
		{1941, 2009, 1000, " CPU", "1.95 of 2 CPU", 96},
		{0, 600, 1000, " CPU", "0 of 0.6 CPU", 0},
		{3000, 2000, 1000, " CPU", "3 of 2 CPU", 150},
		{5 << 29, 8<<30 - 1, 1 << 30, " GiB", "2.5 of 7.99 GiB", 31},
		{0, 0, 1 << 30, " GiB", "0 of 0 GiB", 0},
	} {
		if s := shareOf(c.requested, c.of, c.whole, c.unit); s.Text != c.text || s.Percent != c.percent {
			t.Errorf("%d of %d is %+v", c.requested, c.of, s)
		}
	}
}
