package store_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/text/collate"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"

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

func TestCountriesAreReadByPeople(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`^[A-Z]{2}/[A-Z]{3}$`)
	seen := map[string]bool{}
	for _, c := range store.Countries() {
		if !code.MatchString(c.Code+"/"+c.Currency) || c.Name == "" || seen[c.Code] {
			t.Errorf("%+v", c)
		}
		if _, err := currency.ParseISO(c.Currency); err != nil {
			t.Errorf("%s has the currency %s: %v", c.Name, c.Currency, err)
		}
		seen[c.Code] = true
	}
	english := collate.New(language.English, collate.IgnoreCase)
	byName := func(a, b store.Country) int { return english.CompareString(a.Name, b.Name) }
	if !slices.IsSortedFunc(store.Countries(), byName) {
		t.Error("the countries are not in the order of their names")
	}
	if all := store.Currencies(); !slices.IsSorted(all) || len(slices.Compact(all)) != len(store.Currencies()) {
		t.Errorf("currencies %v", all)
	}
}
