package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// figure is one measured number, and what it should be.
type figure struct {
	name   string
	value  float64
	unit   string
	spread string // how the single measurements lie around the value
	aim    aim
}

// aim is the bound of a figure. The zero aim is none: the figure is there to compare with.
type aim struct {
	compare func(value, bound float64) bool
	sign    string
	bound   float64
	why     string // where a bound that was measured too comes from
}

func atMost(bound float64, why string) aim {
	return aim{func(v, b float64) bool { return v <= b }, "≤", bound, why}
}

func atLeast(bound float64, why string) aim {
	return aim{func(v, b float64) bool { return v >= b }, "≥", bound, why}
}

func below(bound float64) aim {
	return aim{func(v, b float64) bool { return v < b }, "<", bound, ""}
}

// seconds is a figure of the median of the measured times.
func seconds(name string, measured []time.Duration, a aim) figure {
	f := figure{name: name, value: median(measured).Seconds(), unit: "s", aim: a}
	if len(measured) > 1 {
		low, high := slices.Min(measured), slices.Max(measured)
		f.spread = fmt.Sprintf("median of %d, %s to %s", len(measured), number(low.Seconds()), number(high.Seconds()))
	}
	return f
}

func (f figure) met() string {
	switch {
	case f.aim.compare == nil:
		return "-"
	case f.aim.compare(f.value, f.aim.bound):
		return "met"
	default:
		return "NOT MET"
	}
}

func (f figure) target() string {
	if f.aim.compare == nil {
		return "-"
	}
	return withNote(f.aim.sign+" "+number(f.aim.bound)+" "+f.unit, f.aim.why)
}

func withNote(text, note string) string {
	if note == "" {
		return text
	}
	return text + " (" + note + ")"
}

// number shows three digits that count.
func number(v float64) string {
	digits := 0
	for scaled := max(v, -v); digits < 3 && scaled < 100; scaled *= 10 {
		digits++
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// median is the value in the middle, the lower one of two.
func median[T int | time.Duration](values []T) T { return percentile(values, 50) }

// percentile is the smallest value that at least p of 100 values do not exceed.
func percentile[T int | time.Duration](values []T, p int) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// row is a line of the table.
type row struct {
	figure
	again string
}

func rowsOf(s section, figures []figure) []row {
	var rows []row
	for _, f := range figures {
		rows = append(rows, row{f, "make bench ONLY=" + s.name})
	}
	return rows
}

// printTable writes the rows; an error in writing comes from the flush at the end.
func printTable(out io.Writer, rows []row) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "FIGURE\tVALUE\tAIM\tMET\tAGAIN")
	for _, r := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.name, withNote(number(r.value)+" "+r.unit, r.spread), r.target(), r.met(), r.again)
	}
	return table.Flush()
}
