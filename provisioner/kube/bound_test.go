package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// silence is a transport that takes requests and never answers, or answers with a body that
// never comes.
type silence struct{ answers bool }

// RoundTrip implements http.RoundTripper.
func (s silence) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.answers {
		return &http.Response{StatusCode: http.StatusOK, Body: silentBody{r.Context()}}, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

type silentBody struct{ ctx context.Context } //nolint:containedctx // of the request

// Read implements io.Reader.
func (b silentBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

// Close implements io.Closer.
func (silentBody) Close() error { return nil }

// ask sends a request and reads its answer.
func ask(ctx context.Context, through http.RoundTripper, target string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://cluster"+target, nil)
	if err != nil {
		return err
	}
	response, err := through.RoundTrip(r)
	if err != nil {
		return err
	}
	_, err = io.ReadAll(response.Body)
	return errors.Join(err, response.Body.Close())
}

func TestRequestsThatNobodyAnswersEnd(t *testing.T) {
	for target, answers := range map[string]bool{"/api/v1/namespaces/x": false, "/api/v1/namespaces/y": true, "/api/v1/pods?watch=true": false} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			err := ask(t.Context(), newBounded(silence{answers}), target)
			if took := time.Since(began); !errors.Is(err, ErrSilent) || took != answerWithin {
				t.Errorf("%s ended after %s with %v", target, took, err)
			}
		})
	}
}

func TestWatchesAndLogsHaveNoEnd(t *testing.T) {
	for target, answers := range map[string]bool{
		"/api/v1/pods?watch=true": true, "/api/v1/namespaces/x/pods/y/log?follow=true": true, "/api/v1/namespaces/x/pods/z/log": false,
	} {
		synctest.Test(t, func(t *testing.T) {
			const wanted = 24 * time.Hour
			ctx, cancel := context.WithTimeout(t.Context(), wanted)
			defer cancel()
			began := time.Now()
			err := ask(ctx, newBounded(silence{answers}), target)
			if took := time.Since(began); errors.Is(err, ErrSilent) || took != wanted {
				t.Errorf("%s ended after %s with %v", target, took, err)
			}
		})
	}
}
