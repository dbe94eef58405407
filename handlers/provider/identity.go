package provider

import (
	"slices"
	"strings"
	"unicode"

	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

// email is an address as a provider tells it.
type email struct {
	address  string
	verified bool
	doubt    string // why it is not verified, for the log
}

// identity is the person as the database keeps it, with the first name that there is.
// Without one, the address gives a name.
func (p *Provider) identity(subject string, told email, names ...string) store.Identity {
	if !isAddress(told.address) {
		told = email{}
	}
	local, _, _ := strings.Cut(told.address, "@")
	names = append(names, local, "Somebody")
	named := slices.IndexFunc(names, func(n string) bool { return strings.TrimSpace(n) != "" })
	who := store.Identity{
		Provider: p.URL, Label: p.Label, Subject: subject, Name: names[named], Email: told.address, Verified: told.verified, Doubt: told.doubt,
	}
	return p.withinDomains(who)
}

// withinDomains believes the provider only on addresses that it gives out, where the settings
// name their domains.
func (p *Provider) withinDomains(who store.Identity) store.Identity {
	switch {
	case len(p.Domains) == 0 || !who.Verified:
	case who.InDomain(p.Domains):
		who.OwnsDomain = true
	default:
		who.Verified, who.Doubt = false, "the address is in none of the domains that the settings name for this provider"
	}
	return who
}

// verifies reports what the claim email_verified says. Some issuers write it as text, others
// leave it out.
func (p *Provider) verifies(claim any) (verified bool, doubt string) {
	switch claim {
	case true, "true":
		return true, ""
	case nil:
		if p.TrustEmails {
			return true, ""
		}
		return false, "the provider does not say whether the address is verified: email_verified is missing. Set trustEmails for this provider if it assigns the addresses itself"
	default:
		return false, "the provider says that the address is not verified: email_verified is not true"
	}
}

// longestAddress is in bytes. See RFC 5321, section 4.5.3.1.3.
const longestAddress = 254

// isAddress reports whether the text can be kept and shown as an address without a change: a
// changed address is not the verified one.
func isAddress(text string) bool {
	local, domain, _ := strings.Cut(text, "@")
	return local != "" && domain != "" && !strings.Contains(domain, "@") && len(text) <= longestAddress &&
		text == legible.Text(text) && !strings.ContainsFunc(text, unicode.IsSpace)
}
