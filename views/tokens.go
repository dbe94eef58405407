package views

import "time"

// TokensPage lists the user's API tokens, and creates new ones.
type TokensPage struct {
	Shell  Shell
	Tokens []TokenRow
	Form   TokenForm
	Made   MadeToken
}

// TokenRow is a token in the list.
type TokenRow struct {
	ID        string
	Name      string
	Team      string
	Scopes    []string
	ExpiresAt time.Time
	Expired   bool
	UsedAt    time.Time // zero for never
}

// MadeToken is a new token with its secret, which is shown only once. It is empty otherwise.
type MadeToken struct {
	Name   string
	Secret string
}

// TokenForm is the form for a new token, as typed.
type TokenForm struct {
	Name          string
	Teams         []Choice
	Scopes        []Choice
	Lifetimes     []Choice
	NameError     string
	TeamError     string
	ScopesError   string
	LifetimeError string
	Problem       string
}

const (
	tokenNameID   = "token-name"
	tokenNameHint = "token-name-hint"
	tokenScopesID = "token-scopes-hint"
)
