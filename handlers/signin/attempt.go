package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"time"

	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/reply"
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
		next = reply.SafeNext("")
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

// newAttempts keep an attempt in a cookie. It is sent along when a provider leads back, which
// strict ones are not.
func newAttempts(keys [][]byte, secure bool) *reply.Sealed {
	return reply.Seal(keys, reply.Cookie{Name: "shopwright-sign-in", Purpose: "sign-in", Lifetime: attemptLifetime, Secure: secure, SameSite: http.SameSiteLaxMode})
}
