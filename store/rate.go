package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is how often something may be done: so many times within so long. The zero Rate is no
// limit.
type Rate struct {
	Times  int
	Within time.Duration
}

var errRate = errors.New("it must be a number per time, such as 5/5m or 1/s, or 0 for no limit")

// ParseRate reads a rate such as 5/5m, which is five times within five minutes; 1/m is short
// for 1/1m, and 0 is no limit.
func ParseRate(text string) (Rate, error) {
	if text == "0" {
		return Rate{}, nil
	}
	times, within, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(times)
	if err != nil || n < 1 || within == "" {
		return Rate{}, errRate
	}
	if strings.Trim(within[:1], "0123456789.") != "" {
		within = "1" + within
	}
	d, err := time.ParseDuration(within)
	if err != nil || d < time.Millisecond {
		return Rate{}, errRate
	}
	return Rate{Times: n, Within: d}, nil
}

// Unlimited reports whether the rate is no limit.
func (r Rate) Unlimited() bool { return r.Times == 0 }

// Of says the rate in words, such as 5 stores within 5 minutes.
func (r Rate) Of(noun string) string { return plural(r.Times, noun) + " within " + span(r.Within) }

// Wait returns how long to wait, in words that end a sentence.
func Wait(d time.Duration) string {
	seconds := max(1, int((d+time.Second-1)/time.Second))
	switch {
	case seconds == 1:
		return "in a second"
	case seconds < 120:
		return fmt.Sprintf("in %d seconds", seconds)
	default:
		return fmt.Sprintf("in %d minutes", (seconds+59)/60)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// span writes a time in whole units where it has them.
func span(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return plural(int(d/time.Hour), "hour")
	case d%time.Minute == 0:
		return plural(int(d/time.Minute), "minute")
	case d%time.Second == 0:
		return plural(int(d/time.Second), "second")
	default:
		return d.String()
	}
}
