package handlers

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/provider"
)

// attemptLifetime is how long somebody may take to come back from a provider.
const attemptLifetime = 10 * time.Minute

// longestNext is what of a page's address fits into a cookie, in bytes.
const longestNext = 1024

// attempt is a sign-in that is on its way. Only the browser that began it has it.
type attempt struct {
	provider.Attempt
	Provider string // its name
	Next     string // where to go afterwards
	AddTo    string // user who is signed in and adds a sign-in method; empty for a sign-in
}

// newAttempt draws what nobody can guess.
func newAttempt(providerName, next string) attempt {
	if len(next) > longestNext {
		next = safeNext("")
	}
	return attempt{
		Attempt:  provider.Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()},
		Provider: providerName, Next: next,
	}
}

// is reports whether the provider has sent that attempt back.
func (at attempt) is(providerName, state string) bool {
	return at.Provider == providerName && subtle.ConstantTimeCompare([]byte(at.State), []byte(state)) == 1
}

// attempts keep an attempt in a cookie that only we can read and make.
type attempts struct {
	codecs []securecookie.Codec
	name   string
	secure bool
}

// newAttempts makes with the first of the keys, and reads with all.
func newAttempts(keys [][]byte, secure bool) *attempts {
	as := &attempts{name: cookieName("shopwright-sign-in", secure), secure: secure}
	for _, key := range keys {
		codec := securecookie.New(derive(key, "sign-in signature"), derive(key, "sign-in encryption"))
		codec.SetSerializer(securecookie.JSONEncoder{}).MaxAge(int(attemptLifetime.Seconds()))
		as.codecs = append(as.codecs, codec)
	}
	return as
}

// derive makes a key for another purpose.
func derive(key []byte, purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, key, nil, "shopwright "+purpose, len(key))
	if err != nil { // only for lengths that no key has
		panic(err)
	}
	return derived
}

// of returns the attempt that the browser has begun, if it is not too old.
func (as *attempts) of(r *http.Request) (at attempt, begun bool) {
	cookie, err := r.Cookie(as.name)
	if err != nil {
		return attempt{}, false
	}
	err = securecookie.DecodeMulti(as.name, cookie.Value, &at, as.codecs...)
	return at, err == nil
}

func (as *attempts) set(c echo.Context, at attempt) error {
	value, err := securecookie.EncodeMulti(as.name, at, as.codecs...)
	if err != nil {
		return fmt.Errorf("keep the sign-in: %w", err)
	}
	c.SetCookie(as.cookie(value, int(attemptLifetime.Seconds())))
	return nil
}

func (as *attempts) forget(c echo.Context) { c.SetCookie(as.cookie("", -1)) }

// cookie is sent along when a provider leads back, which strict ones are not.
func (as *attempts) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // it is secure wherever the pages are under https
		Name: as.name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: as.secure, SameSite: http.SameSiteLaxMode,
	}
}
