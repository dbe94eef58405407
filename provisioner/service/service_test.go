package service_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"shopwright.dev/shopwright/provisioner/service"
)

func TestServiceThatPanicsStartsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var text bytes.Buffer
		var starts int
		var steady time.Duration
		began := time.Now()
		service.Run(ctx, slog.New(slog.NewTextHandler(&text, nil)),
			service.Service{Name: "brittle", Run: func(ctx context.Context) {
				if starts++; starts < 3 {
					panic("no ink left")
				}
				<-ctx.Done()
			}},
			service.Service{Name: "steady", Run: func(ctx context.Context) {
				<-ctx.Done()
				steady = time.Since(began)
			}},
		)
		if starts != 3 || steady != time.Minute {
			t.Errorf("started %d times, the other service ran for %v", starts, steady)
		}
		for _, want := range []string{"service=brittle", "no ink left", "service_test.go"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, text.String())
			}
		}
	})
}

func TestServiceThatKeepsPanickingEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		service.Run(ctx, slog.New(slog.DiscardHandler), service.Service{Name: "broken", Run: func(context.Context) { panic("always") }})
	})
}

func TestGuardPassesErrorsOn(t *testing.T) {
	t.Parallel()
	want := errors.New("as it was")
	if err := service.Guard(func() error { return want }); !errors.Is(err, want) {
		t.Error(err)
	}
	err := service.Guard(func() error { panic(7) })
	if caught, ok := errors.AsType[*service.PanicError](err); !ok || caught.Value != 7 {
		t.Error(err)
	}
}
