package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// onceOf makes a form create one thing that is sent twice, such as by a second press. The key was
// drawn with the form, and counts together with all that was typed: a form to which somebody goes
// back creates another thing once it is changed. A form without a key creates one each time.
func onceOf(c echo.Context) (once store.Once, keyed bool, err error) {
	form, err := c.FormParams()
	if err != nil || form.Get(views.FormKey) == "" {
		return store.Once{}, false, err
	}
	sum := sha256.Sum256([]byte(c.Path() + "\n" + form.Encode()))
	return store.Once{
		Key: "form " + hex.EncodeToString(sum[:]), Answer: func(st store.Store) (string, error) { return st.ID, nil },
	}, true, nil
}

// formKey is the key that the form has, if it was drawn before, or a new one.
func formKey(sent string) string {
	if sent != "" && len(sent) <= 64 {
		return word(sent)
	}
	return rand.Text()
}
