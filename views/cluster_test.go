package views

import "testing"

func TestRoomInWords(t *testing.T) {
	t.Parallel()
	room := func(woocommerce, medusa int) []EngineRoom {
		return []EngineRoom{{Engine: "WooCommerce", Stores: woocommerce}, {Engine: "Medusa", Stores: medusa}}
	}
	many := room(1000, 12)
	many[0].More = true
	for _, c := range []struct {
		room        []EngineRoom
		level, text string
	}{
		{room(3, 12), "", "Room for about 3 more WooCommerce stores, or about 12 more Medusa stores."},
		{many, "", "Room for over 1000 more WooCommerce stores, or about 12 more Medusa stores."},
		{room(1, 2), "Nearly full", "Room for about 1 more WooCommerce store, or about 2 more Medusa stores."},
		{room(0, 12), "Nearly full", "Room for about 12 more Medusa stores. No room for another WooCommerce store."},
		{room(0, 0), "Full", "No room for another WooCommerce or Medusa store."},
		{nil, "", ""},
	} {
		if level, text := roomLevel(c.room), roomText(c.room); level != c.level || text != c.text {
			t.Errorf("%+v is %q, %q; want %q, %q", c.room, level, text, c.level, c.text)
		}
	}
}
