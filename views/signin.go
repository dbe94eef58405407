package views

import (
	"net/url"

	"github.com/a-h/templ"
)

func providerURL(p Provider, next string) templ.SafeURL {
	address := "/sign-in/with/" + url.PathEscape(p.Name)
	if next != "" {
		address += "?" + url.Values{"next": {next}}.Encode()
	}
	return templ.SafeURL(address)
}

// initial is the letter of a tile: no foreign logos.
func initial(label string) string {
	for _, r := range label {
		return string(r)
	}
	return ""
}
