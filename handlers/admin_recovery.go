package handlers

import (
	"cmp"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner/recovery"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

const recoveryPath = "/admin/recovery"

// recoveryCard is the recovery key as the page of the backup targets shows it.
func (a *App) recoveryCard(c echo.Context) (views.RecoveryCard, error) {
	r, err := a.DB.Recovery(c.Request().Context(), signin.VisitorOf(c).Actor)
	if err != nil {
		return views.RecoveryCard{}, err
	}
	card := views.RecoveryCard{Made: r.MadeAt, Who: word(cmp.Or(r.MadeBy, store.Platform)), Saved: r.SavedAt, Failed: plain(r.Failed), Target: word(r.Target), Key: a.flashOf(c).Recovery}
	if !r.SavedAt.IsZero() {
		card.Size = phrase.Bytes(r.Size)
	}
	return card, nil
}

// makeRecoveryKey makes a recovery key. It is kept nowhere: only the next page shows it.
func (a *App) makeRecoveryKey(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	present, err := a.DB.Recovery(ctx, who.Actor)
	if err != nil {
		return err
	}
	if present.Recipient != "" && c.FormValue("replace") != "on" {
		return &store.Error{Code: store.Conflict, Message: "There is a recovery key already. Check the box to make another one."}
	}
	identity, recipient, err := recovery.NewKey()
	if err != nil {
		return err
	}
	if err := a.DB.SetRecoveryKey(ctx, who.Actor, recipient); err != nil {
		return err
	}
	return a.goToOnce(c, targetsPath, flash{Recovery: identity})
}
