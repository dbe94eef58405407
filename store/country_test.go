package store_test

import (
	"regexp"
	"slices"
	"testing"

	"golang.org/x/text/collate"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"shopwright.dev/shopwright/store"
)

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
