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
func onceOf(c echo.Context) (store.Once, error) {
	once := store.Once{Answer: func(st store.Store) (string, error) { return st.ID, nil }}
	form, err := c.FormParams()
	if err != nil || form.Get(views.FormKey) == "" {
		return once, err
	}
	sum := sha256.Sum256([]byte(c.Path() + "\n" + form.Encode()))
	once.Key = "form " + hex.EncodeToString(sum[:])
	return once, nil
}

// formKey is the key that the form has, if it was drawn before, or a new one.
func formKey(sent string) string {
	if sent != "" && len(sent) <= 64 {
		return word(sent)
	}
	return rand.Text()
}
