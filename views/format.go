package views

import (
	"fmt"
	"time"
)

// How a script shows a time. The server itself writes UTC.
const (
	asAge   = "age"   // 6 s, 18 min, 14 Nov
	asAgo   = "ago"   // the same with "ago"
	asUntil = "until" // in 3 h, 14 Nov 14:32
	asClock = "clock" // 14:32:09
	asHour  = "hour"  // 14:32
	asFull  = "full"  // 14 Nov 2026 14:32:09
	asShort = "short" // 14 Nov 14:32
)

// moment formats a time for the page as served, short enough for its place.
func moment(t time.Time, as string) string {
	t = t.UTC()
	switch as {
	case asAge:
		return t.Format("2 Jan")
	case asClock:
		return t.Format("15:04:05")
	case asHour:
		return t.Format("15:04")
	case asFull:
		return t.Format("2 Jan 2006 15:04:05")
	default:
		return t.Format("2 Jan 15:04")
	}
}

func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func fullTime(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

// Took formats how long something took: 340 ms, 4.8 s, 35 s, 2:05.
func Took(d time.Duration) string {
	whole := int(d.Round(time.Second).Seconds())
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case whole < 10:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case whole < 60:
		return fmt.Sprintf("%d s", whole)
	default:
		return fmt.Sprintf("%d:%02d", whole/60, whole%60)
	}
}

// day formats the day of a time, to group by.
func day(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006") }

// count returns a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
