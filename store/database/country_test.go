package database_test

import (
	"errors"
	"testing"

	"shopwright.dev/shopwright/store"
)

func TestStoreIsSomewhere(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for asked, want := range map[[2]string][2]string{
			{"", ""}:      {"DE", "EUR"},
			{"CH", ""}:    {"CH", "CHF"},
			{"CH", "EUR"}: {"CH", "EUR"},
			{"", "USD"}:   {"DE", "USD"},
			{"US", "USD"}: {"US", "USD"},
		} {
			n := b.request("Somewhere")
			n.Country, n.Currency = asked[0], asked[1]
			made, err := b.db.CreateStore(t.Context(), b.actor, n)
			if err != nil {
				t.Fatal(err)
			}
			if st := b.store(t, made.ID); st.Country != want[0] || st.Currency != want[1] {
				t.Errorf("asked for %q it is in %s and paid in %s", asked, st.Country, st.Currency)
			}
		}
		for field, n := range map[string]store.NewStore{"country": {Country: "ZZ"}, "currency": {Country: "US", Currency: "XXX"}} {
			asked := b.request("Nowhere")
			asked.Country, asked.Currency = n.Country, n.Currency
			_, err := b.db.CreateStore(t.Context(), b.actor, asked)
			if refused, ok := errors.AsType[*store.Error](err); !ok || refused.Field != field || refused.Code != store.Invalid {
				t.Errorf("a %s that there is not: %v", field, err)
			}
		}
	})
}
