package views

import "time"

func sampleProviders() []Provider {
	return []Provider{
		{Name: "google", Label: "Google"}, {Name: "github", Label: "GitHub"}, {Name: "keycloak", Label: "Nordlicht Handelsgesellschaft Single Sign-On"},
	}
}

func sampleAccount() AccountPage {
	day := 24 * time.Hour
	return AccountPage{
		Shell: sampleShell("Account", PlaceAccount), ExpiresAt: sampleTime.Add(2 * day),
		AddMethod: []Link{{Label: "Google", Address: "#"}, {Label: "Nordlicht Handelsgesellschaft Single Sign-On", Address: "#"}},
		Identities: []Identity{
			{Label: "Google", Email: "mara@nordlicht.example", Verified: true, Since: sampleTime.Add(-40 * day)},
			{Label: "https://identity.a-rather-long-name-of-a-company.example/realms/customers", Email: longName + "@example.com", Since: sampleTime.Add(-9 * day)},
		},
		Sessions: []BrowserSession{
			{ID: "1", Device: "Firefox on Linux", Address: "192.0.2.7", SignedIn: sampleTime, Used: sampleTime, Current: true},
			{ID: "2", Device: "Samsung Internet on Android", Address: "2001:db8:1234:5678:9abc:def0:1234:5678", SignedIn: sampleTime.Add(-3 * day), Used: sampleTime.Add(-5 * time.Hour)},
			{ID: "3", Device: "Unknown browser", Address: "203.0.113.250", SignedIn: sampleTime.Add(-day), Used: sampleTime.Add(-day)},
		},
	}
}

// freshAccount is of somebody who has just come, by a provider without an address.
func freshAccount() AccountPage {
	p := sampleAccount()
	p.Identities, p.Sessions = []Identity{{Label: "GitHub", Since: sampleTime}}, p.Sessions[:1]
	return p
}
