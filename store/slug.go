package store

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

const (
	maxSlug = 40  // leaves room for "store-" and suffixes within a DNS label
	maxName = 120 // characters
)

// A label as in RFC 1123, but without double hyphens, which are reserved for punycode.
var slugPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// reserved addresses belong to the platform, to mail or to well-known services.
func reserved(slug string) bool {
	return slices.Contains([]string{
		"admin", "api", "app", "auth", "cdn", "console", "dashboard", "default", "dns", "ftp", "grafana",
		"imap", "ingress", "kube", "kube-system", "login", "mail", "metrics", "ns1", "ns2", "platform",
		"pop", "registry", "shopwright", "shopwright-system", "smtp", "status", "store", "stores", "support",
		"system", "webmail", "www",
	}, slug)
}

// ProposeSlug makes an address from the name of a store: lowercase Latin letters, digits and single
// hyphens, at most 40 characters. A name without any of these letters or digits becomes "shop"; a
// reserved one gets "-shop" added.
func ProposeSlug(name string) string {
	slug := cut(strings.Join(strings.FieldsFunc(latin(name), notSlug), "-"), maxSlug)
	switch {
	case slug == "":
		return "shop"
	case reserved(slug):
		return slug + "-shop"
	}
	return slug
}

// NumberSlug returns the slug with "-n" at its end, shortened so that it still fits.
func NumberSlug(slug string, n int) string {
	suffix := "-" + strconv.Itoa(n)
	return cut(slug, maxSlug-len(suffix)) + suffix
}

// CheckSlug returns an *Error for the field "slug" if it cannot be an address.
func CheckSlug(slug string) error {
	switch {
	case slug == "":
		return Invalidf("slug", "Enter an address, for example my-shop.")
	case len(slug) > maxSlug:
		return Invalidf("slug", "An address can have at most %d characters; this one has %d.", maxSlug, utf8.RuneCountInString(slug))
	case !slugPattern.MatchString(slug):
		return Invalidf("slug", "Use lowercase letters, digits and single hyphens, starting and ending with a letter or digit.")
	case reserved(slug):
		return Invalidf("slug", "%q is reserved for the platform. Choose another address.", slug)
	}
	return nil
}

// CleanName trims the name and folds its white space, and returns an *Error for the field
// "name" if nothing is left or it is longer than 120 characters.
func CleanName(name string) (string, error) {
	name = strings.Join(strings.Fields(strings.Map(visible, name)), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", Invalidf("name", "Enter a name for the store.")
	case n > maxName:
		return name, Invalidf("name", "A name can have at most %d characters; this one has %d.", maxName, n)
	}
	return name, nil
}

func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), r == utf8.RuneError, unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

func notSlug(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }

// spelled writes letters the way German and Nordic readers expect them in an address, drops apostrophes
// and spells out the ampersand.
var spelled = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "æ", "ae", "ø", "oe", "å", "aa", "œ", "oe", "þ", "th", "ð", "d",
	"ə", "e", "ǝ", "e", "'", "", "’", "", "ʼ", "", "·", "", "&", " and ")

// latin transliterates a name to the letters a to z. Scripts other than Latin, Greek and Cyrillic are
// left as they are: how their words sound does not follow from single letters.
func latin(s string) string {
	var out strings.Builder
	for _, r := range spelled.Replace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(s)))) {
		switch {
		case unicode.Is(unicode.Mn, r): // a mark that has no composed letter
		case unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic):
			out.WriteString(strings.ToLower(unidecode.Unidecode(string(r))))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func cut(slug string, length int) string {
	if len(slug) > length {
		slug = slug[:length]
	}
	return strings.Trim(slug, "-")
}
