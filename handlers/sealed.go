package handlers

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/labstack/echo/v4"
)

// sealed keeps a value in a cookie that only the server can read and make.
type sealed struct {
	name     string
	lifetime time.Duration
	secure   bool
	sameSite http.SameSite
	codecs   []securecookie.Codec
}

// sealedBy encrypts with the first of the keys, and decrypts with all. The purpose keeps a value
// out of cookies that are for something else.
func sealedBy(keys [][]byte, purpose string, s sealed) *sealed {
	s.name = cookieName(s.name, s.secure)
	for _, key := range keys {
		codec := securecookie.New(derive(key, purpose+" signature"), derive(key, purpose+" encryption"))
		codec.SetSerializer(securecookie.JSONEncoder{}).MaxAge(int(s.lifetime.Seconds()))
		s.codecs = append(s.codecs, codec)
	}
	return &s
}

// derive makes a key for another purpose.
func derive(key []byte, purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, key, nil, "shopwright "+purpose, len(key))
	if err != nil { // only for lengths that no key has
		panic(err)
	}
	return derived
}

// open reads the value of the request's cookie. It reports false when there is none, or only
// one that is too old or not ours.
func (s *sealed) open(r *http.Request, value any) bool {
	cookie, err := r.Cookie(s.name)
	return err == nil && securecookie.DecodeMulti(s.name, cookie.Value, value, s.codecs...) == nil
}

func (s *sealed) set(c echo.Context, value any) error {
	text, err := securecookie.EncodeMulti(s.name, value, s.codecs...)
	if err != nil {
		return fmt.Errorf("make the cookie %s: %w", s.name, err)
	}
	s.send(c, text, int(s.lifetime.Seconds()))
	return nil
}

// forget has the browser delete the cookie.
func (s *sealed) forget(c echo.Context) { s.send(c, "", -1) }

func (s *sealed) send(c echo.Context, value string, maxAge int) {
	c.SetCookie(&http.Cookie{ //nolint:gosec // it is secure wherever the pages are under https
		Name: s.name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.secure, SameSite: s.sameSite,
	})
}
