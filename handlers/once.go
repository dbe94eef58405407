package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// onceOf returns a key that makes a form create only one object when it is sent twice, such as by a
// double click. The key covers the hidden key of the form and all its values, so a form that is changed
// and sent again creates another object. Without a hidden key, each request creates one.
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

// formKey returns the hidden key that the form was sent with, or a new one.
func formKey(sent string) string {
	if sent != "" && len(sent) <= 64 {
		return word(sent)
	}
	return rand.Text()
}
