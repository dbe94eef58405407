package kube

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a transport that does what the function says.
type answers func() (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(*http.Request) (*http.Response, error) { return a() }

func watchRequest(ctx context.Context, t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://cluster/api/v1/pods?watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWatchesAreOpenedAtAnEvenPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const opened = 100
		through := newThrottle(answers(func() (*http.Response, error) { return &http.Response{StatusCode: http.StatusGone}, nil }))
		began := time.Now()
		for range opened {
			if response, err := through.RoundTrip(watchRequest(t.Context(), t)); err != nil || response.StatusCode != http.StatusGone {
				t.Fatal(response, err)
			}
		}
		if took, least := time.Since(began), (opened-watchBurst)*time.Second/watchRate; took < least {
			t.Errorf("%d watches were opened within %s, want at least %s", opened, took, least)
		}
	})
}

func TestWatchWaitsForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outage = 10 * time.Minute
		began, asked := time.Now(), 0
		through := newThrottle(answers(func() (*http.Response, error) {
			asked++
			if time.Since(began) < outage {
				return nil, errors.New("connection refused")
			}
			return &http.Response{StatusCode: http.StatusOK}, nil
		}))
		if _, err := through.RoundTrip(watchRequest(t.Context(), t)); err != nil {
			t.Fatal(err)
		}
		if late := time.Since(began) - outage; late > watchAgain {
			t.Errorf("the watch is open %s after the outage", late)
		}
		if most := int(outage/watchAgain) + 2; asked > most {
			t.Errorf("it was asked for %d times, want at most %d", asked, most)
		}

		began = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := through.RoundTrip(watchRequest(ctx, t)); err == nil {
			t.Error("a watch that is not wanted any more is answered")
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it ended after %s", took)
		}
	})
}
