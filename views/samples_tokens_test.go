package views

import "time"

func sampleTokens(form TokenForm, made MadeToken) TokensPage {
	form.Teams = []Choice{{Value: "1", Label: "Mara Lindqvist", Selected: true}, {Value: "2", Label: longName}}
	form.Lifetimes = []Choice{{Value: "7", Label: "7 days"}, {Value: "30", Label: "30 days", Selected: true}}
	form.Scopes = []Choice{
		{Value: "stores:read", Label: "See stores", Description: "stores:read: stores with their pods, events and logs.", Selected: true},
		{Value: "stores:write", Label: "Create and change stores", Description: "stores:write: also retry, repair and upgrade."},
		{Value: "credentials:read", Label: "See admin logins", Description: "credentials:read: the shops’ passwords."},
	}
	return TokensPage{Shell: sampleShell("API tokens", PlaceAccount), Form: form, Made: made, Tokens: []TokenRow{
		{ID: "1", Name: "build server", Team: "Mara Lindqvist", Scopes: []string{"stores:read", "stores:write"}, ExpiresAt: sampleTime.Add(720 * time.Hour), UsedAt: sampleTime},
		{ID: "2", Name: longName, Team: longName, Scopes: []string{"stores:read", "stores:write", "stores:delete", "credentials:read", "team:read", "team:write"}, ExpiresAt: sampleTime.Add(time.Hour)},
		{ID: "3", Name: hostile, Team: hostile, Scopes: []string{"stores:read"}, ExpiresAt: sampleTime, Expired: true, UsedAt: sampleTime},
	}}
}

func refusedToken() TokensPage {
	page := sampleTokens(TokenForm{
		Name: hostile, NameError: "Enter a name for the token, for example build server.", TeamError: "Choose one of your teams.",
		ScopesError: "Choose at least one permission.", LifetimeError: "A token expires after at most one year.",
		Problem: "You have 50 tokens, which is the limit. Revoke one first.",
	}, MadeToken{})
	return page
}

func noTokens() TokensPage {
	page := sampleTokens(TokenForm{}, MadeToken{})
	page.Tokens = nil
	return page
}

func sampleReference() ReferencePage {
	fields := []Parameter{
		{Name: "name", Kind: "string", Required: true}, {Name: "slug", Kind: "string", Text: "First part of the host name."},
		{Name: "status", Kind: "provisioning | ready | degraded | failed | upgrading | sleeping | deleting"},
	}
	return ReferencePage{Shell: sampleShell("API", PlaceAccount), Base: "https://shopwright.example.com/api/v1", Groups: []OperationGroup{
		{Name: "Stores", Text: "Create, view, change and delete stores.", Operations: []Operation{
			{ID: "create-store", Method: "POST", Path: "/api/v1/stores", Summary: "Create a store", Text: "Creation runs in the background.", Scopes: []string{"stores:write"},
				Parameters: []Parameter{{Name: "Idempotency-Key", In: "header", Kind: "string", Text: "Client-chosen key."}}, Body: fields, Status: 202, Answer: fields,
				Request: "curl -H \"Authorization: Bearer $SHOPWRIGHT_TOKEN\" -X POST \"https://shopwright.example.com/api/v1/stores\" \\\n  -d '{\"name\":\"" + longName + "\"}'", Example: "{\n  \"name\": \"Tea & Tonic\"\n}"},
			{ID: "revoke", Method: "DELETE", Path: "/api/v1/tokens/{token}", Summary: "Revoke a token", Status: 204, Request: "curl"},
		}},
		{Name: "Account", Text: "The token’s user."},
	}}
}
