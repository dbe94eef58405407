package main_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/provider/providertest"
)

func TestMistakesInProvidersAreToldTogether(t *testing.T) {
	t.Parallel()
	code, said := call(t, []string{
		"SHOPWRIGHT_ADDR=:8080", "SHOPWRIGHT_GOOGLE_CLIENT_ID=x", "SHOPWRIGHT_OIDC_ISSUER=http://id.example.com", "SHOPWRIGHT_OIDC_CLIENT_ID=x", "SHOPWRIGHT_OIDC_CLIENT_SECRET=x",
		"SHOPWRIGHT_OIDC=[{name: google, issuer: https://id.example.com, clientID: x, clientSecret: hidden}, {name: Work Life, issuer: https://work.example.com, clientID: x, clientSecret: x}]",
		"SHOPWRIGHT_ADMINS=mara", "SHOPWRIGHT_ALLOWED_DOMAINS=exa mple.com",
	}, "serve")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, sentence := range []string{
		"google has no client secret", `"http://id.example.com" of oidc must start with https://`, `the name "Work Life"`, `have the name "google"`,
		"SHOPWRIGHT_BASE_URL is missing", `SHOPWRIGHT_ADMINS has "mara"`, `SHOPWRIGHT_ALLOWED_DOMAINS has "exa mple.com"`,
	} {
		if !strings.Contains(said, sentence) {
			t.Errorf("nothing is said of %s in:\n%s", sentence, said)
		}
	}
	if strings.Contains(said, "hidden") {
		t.Error("a secret is told")
	}
	for setting, sentence := range map[string]string{
		"SHOPWRIGHT_OIDC=[{nome: x}]":  "must be a list",
		"SHOPWRIGHT_ALLOWED_DOMAINS=*": "set SHOPWRIGHT_ADMINS",
		"SHOPWRIGHT_SECRET_KEY=a,b":    "separated by commas",
	} {
		if code, said := call(t, []string{setting}, "serve"); code != 2 || !strings.Contains(said, sentence) {
			t.Errorf("%s: exit code %d: %s", setting, code, said)
		}
	}
}

// TestSignInWithTheProgram signs in with the real program, which is configured as an operator
// would: one who may come, and one who may not.
func TestSignInWithTheProgram(t *testing.T) {
	t.Parallel()
	issuer := providertest.Start(t)
	p := launch(t, "")
	p.env = append(p.env, "SHOPWRIGHT_OIDC_ISSUER="+issuer.URL, "SHOPWRIGHT_OIDC_CLIENT_ID="+providertest.ClientID,
		"SHOPWRIGHT_OIDC_CLIENT_SECRET="+providertest.ClientSecret, "SHOPWRIGHT_ALLOWED_DOMAINS=example.com", "SHOPWRIGHT_ADMINS=root@example.com",
		"SHOPWRIGHT_OIDC=[{name: away, label: Away, issuer: http://127.0.0.1:1, clientID: x, clientSecret: x}]") // which does not stop the start
	p.startSignedOut()
	b := &http.Client{Jar: p.client.Jar, Timeout: p.client.Timeout} // follows where it is sent
	issuer.Be(providertest.Person{Subject: "2", Name: "Mallory", Email: "mallory@evil.example", Verified: true}, providertest.Faults{})
	if page := visit(t, b, p.url+"/sign-in/with/oidc"); !strings.Contains(page, "You don’t have an account here") {
		t.Errorf("who is not let in reads %s", page)
	}
	if page := visit(t, b, p.url+"/sign-in/with/away"); !strings.Contains(page, "Away isn’t responding") {
		t.Errorf("of an issuer that is away is said %s", page)
	}
	issuer.Be(providertest.Person{Subject: "1", Name: "Mara", Email: "root@example.com", Verified: true}, providertest.Faults{})
	if page := visit(t, b, p.url+"/sign-in/with/oidc?next=/account"); !strings.Contains(page, "root@example.com") {
		t.Errorf("who is let in reads %s", page)
	}
}

func visit(t *testing.T, c *http.Client, address string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return string(body)
}
