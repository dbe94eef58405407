package handlers

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

func (a *App) showQueue(c echo.Context) error {
	who := signin.VisitorOf(c)
	queue, err := a.queue(c.Request().Context(), who)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Queue", nil)
	if err != nil {
		return err
	}
	shell.Stream = streamAddress(url.Values{"view": {"queue"}}, who.Since)
	return reply.Render(c, http.StatusOK, views.AdminQueueView(views.AdminQueuePage{Shell: shell, Queue: queue}))
}

func (a *App) queue(ctx context.Context, who signin.Visitor) (q views.AdminQueue, err error) {
	entries, err := a.DB.Queue(ctx, who.Actor)
	if err != nil {
		return q, err
	}
	for _, e := range entries {
		job := e.Store.Job
		row := views.AdminQueueRow{
			ID: e.Store.ID, Name: word(e.Store.Name), Team: word(e.Team), Status: views.Status(e.Store.Status),
			Asked: jobName(job), AskedBy: "by " + cmp.Or(word(job.AskedBy.Name), store.Platform), Step: phrase.Step(job.Step), Since: job.AskedAt,
		}
		if !job.Begun() {
			q.Waiting = append(q.Waiting, row)
			continue
		}
		row.Since, row.Idle = job.BeganAt, !e.Held
		q.Running = append(q.Running, row)
	}
	if len(entries) > 0 && a.Provisioner.Cluster().Link != provisioner.Connected {
		q.Blocked = "The cluster isn’t connected. Work resumes automatically when it is."
	}
	return q, nil
}

// liveQueue is the page of the queue.
type liveQueue struct {
	liveFrame
}

func (l *liveQueue) Concerns(e store.Event) live.Change { return live.Change{All: e.StoreID != ""} }

func (l *liveQueue) Parts(ctx context.Context, c live.Change) ([]live.Part, error) {
	frame, err := l.liveFrame.Parts(ctx, c)
	if err != nil {
		return nil, err
	}
	queue, err := l.queue(ctx, l.who)
	return append(frame, live.Part{Target: "admin-queue", Component: views.AdminQueuePane(queue)}), err
}
