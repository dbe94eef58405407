package handlers

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// shell returns the frame of a page. Its stream updates only the frame, unless the page sets a stream of
// its own.
func (a *App) shell(ctx context.Context, who signin.Visitor, title string, place views.Place) (views.Shell, error) {
	stores, err := a.DB.CountStores(ctx, who.Actor)
	if err != nil {
		return views.Shell{}, err
	}
	return views.Shell{
		Title: title, Place: place, Stores: stores, Cluster: clusterView(a.Provisioner.Cluster()), Version: a.Version,
		User:     views.User{Name: word(who.User.Name), Email: word(who.User.Email), Initials: initials(who.User.Name)},
		Admin:    who.Actor.May(store.ViewInstallation, store.Installation),
		CanBuild: len(who.Actor.Teams(store.CreateStores)) > 0, Stream: streamAddress(url.Values{"view": {"frame"}}, who.Since), Keep: who.Posts,
	}, nil
}

// storeShell returns the frame of a page about a store: it shows the cluster of that store.
func (a *App) storeShell(ctx context.Context, who signin.Visitor, st store.Store, title string) (views.Shell, error) {
	shell, err := a.shell(ctx, who, title, views.PlaceStores)
	if err != nil {
		return views.Shell{}, err
	}
	shell.Cluster = clusterView(a.clusters.Of(st).Cluster())
	shell.Stream = streamAddress(url.Values{"view": {"frame"}, "id": {st.ID}}, who.Since)
	return shell, nil
}

func clusterView(s provisioner.ClusterState) views.Cluster {
	c := views.Cluster{
		Name: s.Name, Link: views.ClusterLink(s.Link), Version: s.Version, Simulated: s.Simulated,
		Message: plain(s.Problem), Since: s.Since,
	}
	if s.Link == provisioner.Starting {
		c.Message, c.Done, c.Total = plain(s.Progress.Message), s.Progress.Done, s.Progress.Total
	}
	return c
}

// initials returns the first letters of the first and the last word.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	letters := ""
	for i, word := range words {
		if i == 0 || i == len(words)-1 {
			r, _ := utf8.DecodeRuneInString(word)
			letters += string(unicode.ToUpper(r))
		}
	}
	return letters
}

// streamAddress returns the URL of the stream for a page, with the changes after the newest event that it shows.
func streamAddress(values url.Values, since int64) string {
	values.Set("since", strconv.FormatInt(since, 10))
	return "/events?" + values.Encode()
}
