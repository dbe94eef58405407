package store_test

import (
	"encoding/json"
	"os"
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
		"Łódź Ærø São":    "lodz-aeroe-sao",
		"Mara's Shop":     "maras-shop",
		"Kırmızı Çay":     "kirmizi-cay",
		"Straße Ǆ Ŋ ﬁ":    "strasse-dz-ng-fi",
		"Чайная лавка":    "chainaia-lavka",
		"Ελληνικός Καφές": "ellenikos-kaphes",
		"🦄🦄":              "shop",
		"日本":              "shop",
		"WWW":             "www-shop",
		"platform":        "platform-shop",
	} {
		if got := store.ProposeSlug(name); got != want {
			t.Errorf("ProposeSlug(%q) = %q, want %q", name, got, want)
		}
	}
}

// The script shows an address while a name is typed. For these names it is the one that the server proposes.
func TestScriptAndServerProposeTheSameSlugs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../static/src/testdata/slugs.json")
	if err != nil {
		t.Fatal(err)
	}
	var slugs map[string]string
	if err := json.Unmarshal(text, &slugs); err != nil {
		t.Fatal(err)
	}
	for name, want := range slugs {
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
