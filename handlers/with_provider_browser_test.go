package handlers_test

import (
	"testing"

	"shopwright.dev/shopwright/handlers/provider/providertest"
	"shopwright.dev/shopwright/views/browsertest"
)

// A whole sign-in in a real browser, by way of another site.
func TestSignInInABrowser(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	e.issuer.Be(mara, providertest.Faults{Asks: true})
	b := browsertest.Open(t)
	b.Visit(e.url + "/activity")
	look(b, "sign-in")
	b.Click(`a[href^="/sign-in/with/work"]`)
	b.Until(`location.hostname === "localhost" && document.getElementById("yes") !== null`)
	b.Click(`#yes`)
	b.Until(`location.pathname === "/activity" && document.body.innerText.includes("Mara")`)
	e.issuer.Be(mara, providertest.Faults{})
	other := e.browser()
	e.signIn(other, "work", "")
	b.Visit(e.url + "/account")
	look(b, "account")
	b.Click(`form[action="/account/sessions/end"] button`)
	b.Until(`document.querySelectorAll("#sessions > li").length === 1`)
	b.Click(`form[action="/sign-out"] button`)
	b.Until(`location.pathname === "/sign-in"`)
	e.issuer.Be(mara, providertest.Faults{Denied: true})
	b.Click(`a[href^="/sign-in/with/work"]`)
	b.Until(`document.querySelector("[role=alert]")?.innerText.includes("was cancelled")`)
	b.Check()
}

// A session that is ended in one browser leaves the pages that are open in another at once.
func TestEndedSessionLeavesItsPages(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b := browsertest.Open(t)
	b.Visit(e.url + "/sign-in/with/work")
	b.Until(isLive)
	here := e.browser()
	e.signIn(here, "work", "")
	e.post(here, "/account/sessions/end-others", nil)
	b.Until(`location.pathname === "/sign-in"`)
}
