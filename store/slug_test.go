package store_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

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
		"Kırmızı Çay":             "kirmizi-cay",
		"IŞIK İnşaat Ürünleri":    "isik-insaat-ueruenleri",
		"Straße Ǆ Ŋ ﬁ":            "strasse-dz-ng-fi",
		"Чайная лавка":            "chainaia-lavka",
		"Ελληνικός Καφές":         "ellenikos-kaphes",
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

// Letters of all languages that are written in Latin ones: the blocks up to Latin Extended-B, and Additional.
func TestEveryLatinLetterIsInTheAddress(t *testing.T) {
	t.Parallel()
	const unspelled = "ǀǁǂǃɁɂɅẚẜẝẟỺỻỼỽỾỿ" // clicks and other sounds without a letter from a to z, and what medievalists write
	spelled := regexp.MustCompile("^x[a-z0-9]+x$")
	for r := range rune(0x1f00) {
		used := unicode.Is(unicode.Latin, r) && unicode.IsLetter(r) && (r < 0x250 || r >= 0x1e00) && !strings.ContainsRune(unspelled, r)
		if got := store.ProposeSlug("x" + string(r) + "x"); used && !spelled.MatchString(got) {
			t.Errorf("%c (%U) becomes %q", r, r, got)
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
