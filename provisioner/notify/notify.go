// Package notify emails people about stores: one is ready, has failed or no longer sells. Mails wait in a queue in the
// database, which survives restarts and gives each mail to one process only.
package notify

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

const (
	lease      = 2 * time.Minute // longer than a mail server may take
	firstPause = time.Minute     // until a mail is tried again; then twice as long each time
	longest    = 4 * time.Hour
	lookEvery  = time.Minute // for what is due again
)

// Sender sends a message.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Notifier sends the mails that are due in the database.
type Notifier struct {
	DB      *database.DB
	BaseURL string // of the pages that mails link to, without a slash at its end
	Sender  Sender
	Log     *slog.Logger
}

// Run sends mails until the context ends.
func (n *Notifier) Run(ctx context.Context) {
	for ctx.Err() == nil {
		sub := n.DB.Subscribe()
		n.follow(ctx, sub)
		sub.Close()
	}
}

// follow sends what is due whenever something has happened, and now and then, until the
// subscription or the context ends.
func (n *Notifier) follow(ctx context.Context, sub *database.Subscription) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		n.sendDue(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case _, open := <-sub.Events:
			if !open {
				n.rest(ctx)
				return
			}
			drain(sub.Events)
		}
	}
}

// drain empties the channel: one read of the database covers all pending signals.
func drain(events <-chan store.Event) {
	for {
		select {
		case _, open := <-events:
			if !open {
				return
			}
		default:
			return
		}
	}
}

// rest keeps a database that is closing from being asked over and over.
func (n *Notifier) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

func (n *Notifier) sendDue(ctx context.Context) {
	if err := n.DB.QueueMail(ctx); err != nil {
		n.complain(ctx, "queue mail", err)
		return
	}
	for {
		mail, ok, err := n.DB.ClaimMail(ctx, lease)
		if err == nil && ok {
			err = n.send(ctx, mail)
		}
		if err != nil {
			n.complain(ctx, "send mail", err)
		}
		if err != nil || !ok {
			return
		}
	}
}

// send returns an error only if the database cannot be used.
func (n *Notifier) send(ctx context.Context, m store.Mail) error {
	message, err := about(n.BaseURL, m)
	if err == nil {
		err = n.Sender.Send(ctx, message)
	}
	if err == nil {
		n.Log.Info("mail sent", "to", m.To.ID, "about", m.Event.Kind, "store", m.Store.ID)
		return n.DB.MailSent(ctx, m)
	}
	if ctx.Err() != nil { // the lease runs out, and whoever comes next sends it
		return ctx.Err()
	}
	pause := pauseAfter(m.Tries)
	givenUp, failed := n.DB.MailFailed(ctx, m, pause)
	n.Log.Warn("mail not sent", "to", m.To.ID, "about", m.Event.Kind, "store", m.Store.ID, "error", err, "given_up", givenUp, "again_in", pause.Round(time.Second))
	return failed
}

// pauseAfter is how long to wait after so many tries. Chance keeps many from coming back at
// once to a server that was away.
func pauseAfter(tries int) time.Duration {
	pause := min(firstPause<<min(tries-1, 10), longest)
	return pause + rand.N(pause/4) //nolint:gosec // nobody gains from guessing it
}

// complain logs errors other than the database's, which logs its own.
func (n *Notifier) complain(ctx context.Context, doing string, err error) {
	if ctx.Err() == nil && store.ErrorCode(err) != store.Unavailable {
		n.Log.Error(doing, "error", err)
	}
}
