package store_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shopwright.dev/shopwright/store"
)

func TestProposeSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Nordwind Outdoor":        "nordwind-outdoor",
		"Atelier Köhler & Söhne":  "atelier-koehler-and-soehne",
		"Łódź Ærø São":            "lodz-aeroe-sao",
		"Mara's Shop":             "maras-shop",
		"🦄🦄":                      "shop",
		"日本":                      "shop",
		"  --a--b--  ":            "a-b",
		"2 Brothers":              "2-brothers",
		"WWW":                     "www-shop",
		"platform":                "platform-shop",
		strings.Repeat("ab ", 50): "ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-a",
	} {
		if got := store.ProposeSlug(name); got != want {
			t.Errorf("ProposeSlug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestProposedSlugsAreValid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slug := store.ProposeSlug(rapid.String().Draw(t, "name"))
		if err := store.CheckSlug(slug); err != nil {
			t.Fatalf("proposed %q: %v", slug, err)
		}
		if err := store.CheckSlug(store.NumberSlug(slug, rapid.IntRange(2, 9999).Draw(t, "n"))); err != nil {
			t.Fatalf("numbered %q: %v", slug, err)
		}
	})
}
