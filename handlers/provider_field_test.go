package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/provider/providertest"
)

// thin takes what an id token says of a person out of it.
func thin(names ...string) func(map[string]any) {
	return func(claims map[string]any) {
		for _, name := range names {
			delete(claims, name)
		}
	}
}

// Issuers as people have them.
func TestIssuersFromTheField(t *testing.T) {
	t.Parallel()
	oddKeys := []any{
		map[string]any{"kty": "EC", "crv": "secp256k1", "kid": "x", "use": "enc", "x": "eNZOZQMaTZN5QFjSfxQyGrrCfh5tdw8_ThoGdRnC9vM", "y": "fTXhEUWxbXsPc9sF9f4iK2e4mtTcRJmBmHFFvbTGQvA"},
		map[string]any{"kty": "new", "kid": "y"}, map[string]any{"kty": "RSA", "kid": "z", "n": "", "e": ""}, "no key",
	}
	for name, faults := range map[string]providertest.Faults{
		"secret in the form only": {PostOnly: true, Metadata: map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_post"}}},
		"secret in the header":    {Metadata: map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_basic"}}},
		"userinfo signed":         {Signed: true, Claims: thin("email_verified")},
		"thin, userinfo signed":   {Signed: true, Thin: true},
		"keys of other kinds":     {MoreKeys: oddKeys},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := openEntrance(t)
			e.issuer.Be(mara, faults)
			b := e.browser()
			e.signIn(b, "work", "")
			e.wantSignedIn(b, "mara@example.com")
		})
	}
}

func TestForgedUserinfoIsRefused(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	e.issuer.Be(mara, providertest.Faults{Thin: true})
	b := e.browser()
	e.wantRefused(b, e.signInWhile(b, providertest.Faults{Signed: true, Forged: true, Thin: true}), "sent an invalid response")
	e.wantRefused(b, e.signInWhile(b, providertest.Faults{Thin: true, Answer: map[string]string{"/userinfo": `{"sub": "2", "email": "root@example.com", "email_verified": true}`}}), "sent an invalid response")
}

// signInWhile signs in with the issuer while it has these faults.
func (e entrance) signInWhile(b *http.Client, faults providertest.Faults) answer {
	e.t.Helper()
	e.issuer.Be(mara, faults)
	return e.signIn(b, "work", "")
}

// An issuer such as Entra does not say whether addresses are verified: the settings may say so,
// and until then the log tells why nobody gets in.
func TestIssuerThatDoesNotSayVerified(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	root := providertest.Person{Subject: "1", Name: "Root", Email: "root@example.com", Verified: true}
	silent := func(info string) providertest.Faults {
		return providertest.Faults{Claims: thin("email_verified"), Answer: map[string]string{"/userinfo": info}}
	}
	says := silent(`{"sub": "1", "email": "root@example.com"}`)
	e.issuer.Be(root, says)
	b := e.browser()
	e.wantRefused(b, e.signIn(b, "work", ""), "You don’t have an account here")
	if !strings.Contains(e.log.String(), "email_verified is missing. Set trustEmails") {
		t.Errorf("the log does not say why:\n%s", e.log)
	}
	e.trustEmails = true
	e = e.open(sessionKey)
	e.issuer.Be(root, silent(`{"sub": "1", "email": "root@example.com", "email_verified": false}`))
	e.wantRefused(b, e.signIn(b, "work", ""), "You don’t have an account here")
	if !strings.Contains(e.log.String(), "email_verified is not true") {
		t.Errorf("the log does not say why:\n%s", e.log)
	}
	e.issuer.Be(root, says)
	e.signIn(b, "work", "")
	if got := e.get(b, "/admin/users"); got.status != http.StatusOK {
		t.Errorf("an address that the settings trust makes no administrator: %d", got.status)
	}
}
