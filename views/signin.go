package views

import (
	"net/url"

	"github.com/a-h/templ"
)

func (p SignInPage) providerURL(v Provider) templ.SafeURL {
	address, query := "/sign-in/with/"+url.PathEscape(v.Name), url.Values{}
	if p.Next != "" {
		query.Set("next", p.Next)
	}
	if p.Again {
		query.Set("again", "1")
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return templ.SafeURL(address)
}

// initial is the letter shown for a provider, in place of its logo.
func initial(label string) string {
	for _, r := range label {
		return string(r)
	}
	return ""
}
