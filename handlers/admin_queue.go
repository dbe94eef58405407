package handlers

import (
	"context"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

func (a *App) showQueue(c echo.Context) error {
	who := visitorOf(c)
	queue, err := a.queue(c.Request().Context(), who)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Queue", nil)
	if err != nil {
		return err
	}
	shell.Stream = streamAddress(url.Values{"view": {"queue"}}, who.since)
	return render(c, http.StatusOK, views.AdminQueueView(views.AdminQueuePage{Shell: shell, Queue: queue}))
}

func (a *App) queue(ctx context.Context, who visitor) (q views.AdminQueue, err error) {
	entries, err := a.DB.Queue(ctx, who.Actor)
	if err != nil {
		return q, err
	}
	for _, e := range entries {
		row := views.AdminQueueRow{
			ID: e.Store.ID, Name: word(e.Store.Name), Team: word(e.Team), Status: views.Status(e.Store.Status),
			Asked: askedFor(e), AskedBy: "by " + askedBy(e), Step: stepLabel(e.Store.Step), Since: e.Store.QueuedAt,
		}
		if e.BeganAt.IsZero() {
			q.Waiting = append(q.Waiting, row)
			continue
		}
		row.Since, row.Idle = e.BeganAt, !e.Held
		q.Running = append(q.Running, row)
	}
	if len(entries) > 0 && a.Provisioner.Cluster().Link != provisioner.Connected {
		q.Blocked = "The cluster is not connected. Work goes on by itself when it is."
	}
	return q, nil
}

func askedBy(e store.QueueEntry) string {
	if e.AskedBy == "" {
		return store.Platform
	}
	return word(e.AskedBy)
}

func askedFor(e store.QueueEntry) string {
	switch e.Asked {
	case store.StoreCreated:
		return "Opening"
	case store.StoreRetried:
		return "Another try"
	case store.StoreRebuilt:
		return "Rebuilding"
	case store.StoreRepaired:
		return "Putting back"
	case store.UpgradeAsked:
		return "Upgrade"
	case store.RollbackAsked:
		return "Rollback"
	case store.OwnerAsked:
		return "Owner’s email"
	case store.ChangeCancelled:
		return "Cancelling a change"
	case store.StoreUndone:
		return "Undoing a change"
	case store.StoreDeleteAsked:
		return "Deletion"
	default:
		return "Work"
	}
}

// liveQueue is the page of the queue.
type liveQueue struct {
	liveFrame
}

func (l *liveQueue) concerns(e store.Event) change { return change{all: e.StoreID != ""} }

func (l *liveQueue) parts(ctx context.Context, c change) ([]part, error) {
	frame, err := l.liveFrame.parts(ctx, c)
	if err != nil {
		return nil, err
	}
	queue, err := l.queue(ctx, l.who)
	return append(frame, part{target: "admin-queue", component: views.AdminQueuePane(queue)}), err
}
