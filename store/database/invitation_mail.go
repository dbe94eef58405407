package database

import (
	"context"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// How many invitations are mailed: they go to people who have not asked for them.
const (
	invitationMailPause   = 10 * time.Minute // between two mails of one invitation
	mostMailsToAddress    = 5                // a day, of all invitations
	mostMailsOfUser       = 30               // a day, to all addresses
	invitationMailsWithin = 24 * time.Hour
)

// CountInvitationMail counts one more mail of an invitation that the actor may manage, before it is
// sent. It fails with a Limited error that says why none may be sent now. A mail that could not be
// sent is taken back with [DB.UncountInvitationMail].
func (db *DB) CountInvitationMail(ctx context.Context, actor store.Actor, teamID, invitationID string) (id string, err error) {
	id = store.NewID()
	err = db.update(ctx, func(t tx) error {
		inv, actor, err := t.lockInvitation(ctx, actor, teamID, invitationID)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE counters SET value = value WHERE name = 'invitation mails'`); err != nil {
			return fmt.Errorf("lock the mails of invitations: %w", err)
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM invitation_mails WHERE sent_at <= $1`, t.now-invitationMailsWithin.Microseconds()); err != nil {
			return fmt.Errorf("remove old mails of invitations: %w", err)
		}
		if err := t.checkInvitationMails(ctx, actor, inv); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO invitation_mails (id, invitation_id, email, user_id, sent_at) VALUES ($1, $2, $3, $4, $5)`,
			id, inv.ID, inv.Email, actor.UserID, t.now)
		if err != nil {
			return fmt.Errorf("count a mail of an invitation: %w", err)
		}
		return nil
	})
	return id, err
}

func (t tx) checkInvitationMails(ctx context.Context, actor store.Actor, inv store.Invitation) error {
	var last int64
	var toAddress, ofUser int
	err := t.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(CASE WHEN invitation_id = $1 THEN sent_at END), 0),
			COALESCE(SUM(CASE WHEN email = $2 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN user_id = $3 THEN 1 ELSE 0 END), 0)
		FROM invitation_mails`, inv.ID, inv.Email, actor.UserID).Scan(&last, &toAddress, &ofUser)
	switch {
	case err != nil:
		return fmt.Errorf("count the mails of invitations: %w", err)
	case last > t.now-invitationMailPause.Microseconds():
		return &store.Error{Code: store.Limited, Message: "This invitation was mailed less than 10 minutes ago."}
	case toAddress >= mostMailsToAddress:
		return &store.Error{Code: store.Limited, Message: fmt.Sprintf("This address received %d invitation mails in the last 24 hours, which is the limit.", toAddress)}
	case ofUser >= mostMailsOfUser:
		return &store.Error{Code: store.Limited, Message: fmt.Sprintf("You sent %d invitation mails in the last 24 hours, which is the limit.", ofUser)}
	}
	return nil
}

// UncountInvitationMail takes back a mail of the actor's that was not sent.
func (db *DB) UncountInvitationMail(ctx context.Context, actor store.Actor, id string) error {
	if _, err := db.write.ExecContext(ctx, `DELETE FROM invitation_mails WHERE id = $1 AND user_id = $2`, id, actor.UserID); err != nil {
		return fmt.Errorf("take back a mail of an invitation: %w", err)
	}
	return nil
}
