package handlers_test

import (
	"flag"
	"path/filepath"
	"testing"

	"shopwright.dev/shopwright/views/browsertest"
)

var pictures = flag.String("pictures", "", "directory for screenshots")

// openBrowser is a browser of the developer, at the list of stores.
func (s site) openBrowser() *browsertest.Browser {
	s.t.Helper()
	b := browsertest.Open(s.t)
	b.Visit(s.url + "/")
	b.Click(`form[action="/sign-in/dev"] button`)
	b.WaitFor(`#store-rows`)
	return b
}

// look checks the page as it stands in every mode, and takes its pictures.
func look(b *browsertest.Browser, name string) {
	for _, m := range browsertest.Modes() {
		b.Use(m)
		b.Check()
		if *pictures != "" {
			b.Picture(filepath.Join(*pictures, name+"."+m.Name+".png"))
		}
	}
	b.Use(browsertest.Modes()[0])
}

const isLive = `document.getElementById("live").dataset.live === "on"`

func TestSignOutLeavesTheOtherTabs(t *testing.T) {
	t.Parallel()
	s := serve(t)
	page := s.create(s.developer(), "Shop")
	b := s.openBrowser()
	var tabs []*browsertest.Browser
	for _, path := range []string{"/stores", page, page + "/delete", "/activity"} {
		tab := b.Tab()
		tab.Visit(s.url + path)
		tab.Until(isLive)
		tabs = append(tabs, tab)
	}
	b.Visit(s.url + "/account")
	b.Click(`form[action="/sign-out"] button`)
	b.Until(`location.pathname === "/sign-in"`)
	for _, tab := range tabs {
		tab.Until(`location.pathname === "/sign-in" && document.querySelector('form[action="/sign-in/dev"]') !== null`)
	}
}

func TestLostMembershipLeavesTheStore(t *testing.T) {
	t.Parallel()
	s := serve(t)
	page, remove := s.share(s.developer())
	b := s.openBrowser()
	b.Until(isLive + ` && document.getElementById("store-rows").innerText.includes("Theirs")`)
	tab := b.Tab()
	tab.Visit(s.url + page)
	tab.Until(isLive)
	remove()
	b.Until(`!document.getElementById("store-rows").innerText.includes("Theirs")`)
	tab.Until(`document.body.innerText.includes("Not found")`)
}
