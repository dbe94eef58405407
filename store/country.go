package store

import "slices"

// Country is where a shop can be.
type Country struct {
	Code     string // ISO 3166, such as DE
	Name     string
	Currency string // ISO 4217, what people pay with there
}

// home is where a shop is when nobody says otherwise.
const home = "DE"

// Countries are those that a shop can be in, by name. The order checks of the charts know a
// postcode, and where one is asked for a state, of each.
func Countries() []Country {
	return []Country{
		{"AU", "Australia", "AUD"},
		{"AT", "Austria", "EUR"},
		{"BE", "Belgium", "EUR"},
		{"CA", "Canada", "CAD"},
		{"CZ", "Czechia", "CZK"},
		{"DK", "Denmark", "DKK"},
		{"FI", "Finland", "EUR"},
		{"FR", "France", "EUR"},
		{"DE", "Germany", "EUR"},
		{"IE", "Ireland", "EUR"},
		{"IT", "Italy", "EUR"},
		{"LU", "Luxembourg", "EUR"},
		{"NL", "Netherlands", "EUR"},
		{"NZ", "New Zealand", "NZD"},
		{"NO", "Norway", "NOK"},
		{"PL", "Poland", "PLN"},
		{"PT", "Portugal", "EUR"},
		{"ES", "Spain", "EUR"},
		{"SE", "Sweden", "SEK"},
		{"CH", "Switzerland", "CHF"},
		{"GB", "United Kingdom", "GBP"},
		{"US", "United States", "USD"},
	}
}

// FindCountry returns the country of that code.
func FindCountry(code string) (Country, bool) {
	all := Countries()
	i := slices.IndexFunc(all, func(c Country) bool { return c.Code == code })
	if i < 0 {
		return Country{}, false
	}
	return all[i], true
}

// Currencies are those of the countries, in the order of their codes.
func Currencies() []string {
	var codes []string
	for _, c := range Countries() {
		codes = append(codes, c.Currency)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// ChooseCountry returns the country with the currency that was chosen for it. What is empty
// is what is usual. It returns an *Error that names the field of what there is not.
func ChooseCountry(country, currency string) (Country, error) {
	if country == "" {
		country = home
	}
	found, known := FindCountry(country)
	if !known {
		return Country{}, &Error{Code: Invalid, Field: "country", Message: "Choose a country."}
	}
	if currency != "" {
		found.Currency = currency
	}
	if !slices.Contains(Currencies(), found.Currency) {
		return Country{}, &Error{Code: Invalid, Field: "currency", Message: "Choose a currency."}
	}
	return found, nil
}
