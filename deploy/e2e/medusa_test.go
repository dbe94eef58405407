//go:build e2e

package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"shopwright.dev/shopwright/views/browsertest"
)

// nextImage ends the version that run.sh gives the shop's image a second time: one to upgrade to.
const nextImage = "-next"

func TestMedusa(t *testing.T) {
	c := connect(t)
	c.install(t)
	owner := c.browser(t)
	c.signIn(t, owner)
	s := c.create(t, owner, "medusa", "Nordwind Outdoor")
	s.mustBeReady(t, owner)
	t.Run("a customer buys", func(t *testing.T) { s.buy(t, "ada@example.com") })
	t.Run("the owner sees the order", func(t *testing.T) { s.seeOrder(t, owner.In(t), "ada@example.com") })
	t.Run("backed up", func(t *testing.T) { s.backUp(t, owner.In(t), "database.dump", "ada@example.com") })
	t.Run("rehearsed", func(t *testing.T) { s.rehearse(t, owner.In(t)) })
	t.Run("lost and rebuilt", func(t *testing.T) {
		s.lose(t, owner.In(t))
		s.seeOrder(t, owner.In(t), "ada@example.com")
	})
	t.Run("at rest", s.weigh)
	t.Run("pods are lost", func(t *testing.T) {
		s.losePods(t, isReady)
		s.check(t, owner.In(t))
		s.seeOrder(t, owner, "ada@example.com")
	})
	t.Run("changed", func(t *testing.T) {
		s.change(t, owner.In(t), s.version(t)+nextImage)
		s.seeOrder(t, owner.In(t), "ada@example.com")
	})
	t.Run("deleted", func(t *testing.T) { s.delete(t, owner.In(t)) })
	t.Run("restored", func(t *testing.T) {
		r := s.restore(t, owner.In(t))
		owner := owner.In(t)
		r.seeOrder(t, owner, "ada@example.com")
		r.buy(t, "grace@example.com")
		r.seeOrder(t, owner, "grace@example.com")
		r.delete(t, owner.In(t))
	})
}

// buy buys as people do.
func (s *store) buy(t *testing.T, email string) {
	b := s.browser(t)
	b.Visit(s.url() + "/")
	s.picture(b, s.slug+"-shop")
	b.Click(".products a")
	b.WaitFor("article.product")
	b.Click("form[action='/cart/items'] button")
	b.WaitFor(".lines")
	b.Click("a[href='/checkout']")
	b.WaitFor("#email")
	for field, text := range map[string]string{
		"email": email, "first_name": "Ada", "last_name": "Lovelace", "address_1": "Hauptstraße 1", "postal_code": "10115", "city": "Berlin",
	} {
		b.Type("#"+field, text)
	}
	b.Click("form[action='/checkout'] button")
	b.WaitFor("form[action='/checkout/order'] button")
	b.Click("form[action='/checkout/order'] button")
	b.WaitFor(".done")
	s.note(t, "%s has sold to a customer: %s", s.slug, s.said(b, ".done"))
	s.picture(b, s.slug+"-bought")
}

// seeOrder signs in to Medusa's admin with what Shopwright shows to the owner.
func (s *store) seeOrder(t *testing.T, dashboard *browsertest.Browser, email string) {
	user, password := s.credentials(dashboard)
	b := s.browser(t)
	b.Do(chromedp.Navigate(s.url() + "/app/login"))
	b.WaitFor("input[name=email]")
	b.Type("input[name=email]", user)
	b.Type("input[name=password]", password)
	b.Click("button[type=submit]")
	b.Until(`location.pathname.startsWith("/app/orders")`)
	b.Until(`document.body.textContent.includes("` + email + `")`)
	s.picture(b, s.slug+"-orders")
}
