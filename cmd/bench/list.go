package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The aims for the list of so many stores.
const (
	listedWithin = 0.05 // seconds, for 95 of 100 pages
	listSize     = 100  // kB, before compression
)

const (
	listedStores = 10_000
	listRounds   = 40
)

// measureList asks the real program for pages of the list, and for one store's, one at a
// time. The times are the client's: over loopback, from the request to the last byte.
func measureList(ctx context.Context, b *bench) (figures []figure, err error) {
	dir, err := fillRecords(ctx, b)
	if err != nil {
		return nil, err
	}
	m, err := newMeter(ctx, b, b.account)
	if err != nil {
		return nil, err
	}
	defer m.close()
	p, err := startProcess(ctx, b, dir, m.at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.settle(ctx, 0); err != nil {
		return nil, err
	}
	cookie, err := p.signIn(ctx)
	if err != nil {
		return nil, err
	}
	a := &asker{process: p, cookie: cookie}
	if a.store, err = a.open(ctx, b.name()); err != nil {
		return nil, err
	}
	calls, err := m.during(func() error { return b.profiledIn(ctx, p, func() error { return a.askAll(ctx) }) })
	if err != nil {
		return nil, err
	}
	b.note("  API requests meanwhile: %s", calls)
	delete(calls, heartbeat)
	return []figure{
		{name: fmt.Sprintf("page of %d stores, half", listedStores), value: median(a.lists).Seconds(), unit: "s"},
		{name: fmt.Sprintf("page of %d stores, 95 of 100", listedStores), value: percentile(a.lists, 95).Seconds(), unit: "s", aim: atMost(listedWithin, "")},
		{name: "largest page of the list", value: float64(a.largest) / 1000, unit: "kB", aim: atMost(listSize, "")},
		{name: "a store's page, half", value: median(a.overviews).Seconds(), unit: "s"},
		{name: "a store's page, 95 of 100", value: percentile(a.overviews, 95).Seconds(), unit: "s", aim: atMost(listedWithin, "")},
		{name: fmt.Sprintf("API requests for %d pages", len(a.lists)+len(a.overviews)), value: float64(calls.total()), aim: atMost(0, "")},
	}, nil
}

// fillRecords fills the database with many stores that are ready, and returns their directory.
func fillRecords(ctx context.Context, b *bench) (dir string, err error) {
	if dir, err = os.MkdirTemp(b.scratch, "list-"); err != nil {
		return "", err
	}
	r, err := openRecords(ctx, "sqlite:"+filepath.Join(dir, "shopwright.db"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for i := range listedStores {
		if _, err := r.ready(ctx, fmt.Sprintf("Shop %d of a very busy agency", i)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// open opens one more store, which is in the cluster too, and returns the path of its page
// once it is ready.
func (a *asker) open(ctx context.Context, name string) (path string, err error) {
	form := url.Values{"name": {name}, "slug": {name}, "engine": {usualEngine()}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/stores", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Cookie", a.cookie)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	path = response.Header.Get("Location")
	if path == "" {
		err = fmt.Errorf("open a store: %s", response.Status)
	}
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", err
	}
	return path, until(ctx, time.Second, func(ctx context.Context) (bool, error) {
		_, page, err := a.ask(ctx, path)
		return strings.Contains(page, `data-status="ready"`), err
	})
}

// asker asks for pages with a session.
type asker struct {
	*process
	cookie    string
	store     string
	lists     []time.Duration
	overviews []time.Duration
	largest   int
}

// askAll asks for the first page, a later one, a search that finds one, one that finds
// all, every order and a filter, and for one store.
func (a *asker) askAll(ctx context.Context) error {
	for range listRounds {
		for _, address := range []string{
			"", "?page=200", "?q=shop+777", "?q=agency", "?q=nothing+like+it", "?sort=name", "?sort=oldest&page=50", "?status=ready", "?status=failed", "?engine=" + usualEngine(),
		} {
			took, page, err := a.ask(ctx, "/stores"+address)
			if err != nil {
				return err
			}
			a.lists, a.largest = append(a.lists, took), max(a.largest, len(page))
		}
		took, _, err := a.ask(ctx, a.store)
		if err != nil {
			return err
		}
		a.overviews = append(a.overviews, took)
	}
	return nil
}

func (a *asker) ask(ctx context.Context, path string) (took time.Duration, page string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Cookie", a.cookie)
	request.Header.Set("Accept-Encoding", "identity")
	began := time.Now()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(response.Body)
	took = time.Since(began)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("GET %s: %s", path, response.Status))
	}
	return took, string(body), errors.Join(err, response.Body.Close())
}
