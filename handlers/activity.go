package handlers

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

func (a *App) showActivity(c echo.Context) error {
	const lines = 50
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	events, err := a.DB.Activity(ctx, who.Actor, paging.Before(c.QueryParam("before")), lines+1)
	if err != nil {
		return err
	}
	shell, err := a.shell(ctx, who, "Activity", views.PlaceActivity)
	if err != nil {
		return err
	}
	page := views.ActivityPage{Shell: shell, Audit: who.Actor.MayAudit()}
	events, more := paging.Cut(events, lines)
	if more {
		page.Older = "/activity?before=" + strconv.FormatInt(events[lines-1].Number, 10)
	}
	for _, e := range events {
		if entry, told := entryOf(e); told {
			entry.URL = storeLink(e)
			page.Entries = append(page.Entries, entry)
		}
	}
	return reply.Render(c, http.StatusOK, views.Activity(page))
}

func storeLink(e store.Event) string {
	if e.StoreID == "" || e.Kind == store.StoreDeleted {
		return ""
	}
	return "/stores/" + e.StoreID
}
