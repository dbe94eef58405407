package reply

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/labstack/echo/v4"
)

// Cookie says how long a browser keeps a value, and to whom it sends it.
type Cookie struct {
	Name     string
	Purpose  string // keeps the value out of cookies that are for something else
	Lifetime time.Duration
	Secure   bool // whether the pages are under https
	SameSite http.SameSite
}

// Sealed keeps a value in a cookie that only the server can read and make.
type Sealed struct {
	cookie Cookie
	codecs []securecookie.Codec
}

// Seal encrypts with the first of the keys, and decrypts with all.
func Seal(keys [][]byte, c Cookie) *Sealed {
	c.Name = CookieName(c.Name, c.Secure)
	s := &Sealed{cookie: c}
	for _, key := range keys {
		codec := securecookie.New(derive(key, c.Purpose+" signature"), derive(key, c.Purpose+" encryption"))
		codec.SetSerializer(securecookie.JSONEncoder{}).MaxAge(int(c.Lifetime.Seconds()))
		s.codecs = append(s.codecs, codec)
	}
	return s
}

// CookieName is one that other hosts of our domain cannot set, where browsers know such.
func CookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// derive makes a key for another purpose.
func derive(key []byte, purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, key, nil, "shopwright "+purpose, len(key))
	if err != nil { // only for lengths that no key has
		panic(err)
	}
	return derived
}

// Open reads the value of the request's cookie. It reports false when there is none, or only
// one that is too old or not ours.
func (s *Sealed) Open(r *http.Request, value any) bool {
	cookie, err := r.Cookie(s.cookie.Name)
	return err == nil && securecookie.DecodeMulti(s.cookie.Name, cookie.Value, value, s.codecs...) == nil
}

// Set has the browser keep the value.
func (s *Sealed) Set(c echo.Context, value any) error {
	text, err := securecookie.EncodeMulti(s.cookie.Name, value, s.codecs...)
	if err != nil {
		return fmt.Errorf("make the cookie %s: %w", s.cookie.Name, err)
	}
	s.send(c, text, int(s.cookie.Lifetime.Seconds()))
	return nil
}

// Forget has the browser delete the cookie.
func (s *Sealed) Forget(c echo.Context) { s.send(c, "", -1) }

func (s *Sealed) send(c echo.Context, value string, maxAge int) {
	c.SetCookie(&http.Cookie{ //nolint:gosec // it is secure wherever the pages are under https
		Name: s.cookie.Name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.cookie.Secure, SameSite: s.cookie.SameSite,
	})
}
