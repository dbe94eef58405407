package store_test

import (
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

func TestNarrowestQuotaIsShown(t *testing.T) {
	t.Parallel()
	you, team, all := store.Quota{Of: "you", Used: 3}, store.Quota{Of: "team", Used: 2, Allowed: 4}, store.Quota{Of: "installation", Used: 99, Allowed: 100}
	for want, quotas := range map[store.QuotaOf][]store.Quota{
		"you": {you, {Of: "team"}}, "team": {you, team}, "installation": {you, team, all},
	} {
		if got := store.Narrowest(quotas).Of; got != want {
			t.Errorf("of %+v the narrowest is that of %s", quotas, got)
		}
	}
}

func TestRatesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]store.Rate{
		"0": {}, "1/m": {Times: 1, Within: time.Minute}, "5/5m": {Times: 5, Within: 5 * time.Minute}, "20/1m30s": {Times: 20, Within: 90 * time.Second},
	} {
		if got, err := store.ParseRate(text); err != nil || got != want {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "/m", "5/", "0/m", "-1/m", "5/0s", "5/-1m", "a/m", "5/x", "1/1us"} {
		if got, err := store.ParseRate(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}
