package main

import (
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	values := []int{5, 1, 4, 2, 3}
	for p, want := range map[int]int{0: 1, 20: 1, 50: 3, 95: 5, 100: 5} {
		if got := percentile(values, p); got != want {
			t.Errorf("percentile %d of %v is %d, want %d", p, values, got, want)
		}
	}
	if got := median([]time.Duration{4, 1, 2, 3}); got != 2 {
		t.Errorf("the median of four is %d, want the lower one in the middle", got)
	}
}

func TestNumberShowsThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0.000", 0.04567: "0.046", 1.2345: "1.23", 26: "26.0", 123.4: "123", 60000: "60000"} {
		if got := number(v); got != want {
			t.Errorf("%v is shown as %s, want %s", v, got, want)
		}
	}
}

func TestTableSaysWhetherAimsAreMet(t *testing.T) {
	var out strings.Builder
	s := section{name: "create"}
	err := printTable(&out, rowsOf(s, []figure{
		{name: "good", value: 2, unit: "s", aim: atMost(2, "half")},
		{name: "bad", value: 1, unit: "s", aim: atLeast(2, "")},
		{name: "strict", value: 30, aim: below(30)},
		{name: "other", value: 1, unit: "s"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"MET", "≤ 2.00 s (half)  met ", "≥ 2.00 s         NOT MET ", "NOT MET", " -  "} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d does not say %q: %s", i, want, lines[i])
		}
	}
	if !strings.HasSuffix(lines[1], "make bench ONLY=create") {
		t.Errorf("the line does not say how to measure it again: %s", lines[1])
	}
}

func TestChoose(t *testing.T) {
	all := []section{{name: "a"}, {name: "b"}, {name: "c"}}
	chosen, err := choose(all, "c,a")
	if err != nil || names(chosen) != "c, a" {
		t.Errorf("chose %s, %v", names(chosen), err)
	}
	if chosen, _ := choose(all, ""); len(chosen) != 3 {
		t.Errorf("without a choice %d sections are chosen", len(chosen))
	}
	if _, err := choose(all, "a,nope"); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("a section that is not there: %v", err)
	}
}
