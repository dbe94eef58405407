// Package service keeps standing work going beside the work on stores: watching, sharing, mailing, pruning.
package service

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Service is standing work. Every replica runs all of its services, so each one must be safe to run more than once: it
// claims rows, compares before it writes, or writes under a condition.
type Service struct {
	Name string                // in the log
	Run  func(context.Context) // returns when the context is done, or when there is nothing to do
}

// restartAfter is the pause before a service that panicked starts again.
const restartAfter = 5 * time.Second

// Run runs services beside each other and returns when all of them have. A panic ends neither the program nor the
// other services: it is logged, and its service starts again after a pause.
func Run(ctx context.Context, log *slog.Logger, services ...Service) {
	var all sync.WaitGroup
	for _, s := range services {
		all.Go(func() { s.keep(ctx, log) })
	}
	all.Wait()
}

func (s Service) keep(ctx context.Context, log *slog.Logger) {
	for {
		err := Guard(func() error { s.Run(ctx); return nil })
		if err == nil {
			return
		}
		log.Error("a service panicked and starts again", "service", s.Name, "error", err, "again_in", restartAfter)
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartAfter):
		}
	}
}

// PanicError is a panic that was caught.
type PanicError struct {
	Value any
	Stack []byte
}

// Error tells the value and the stack: a panic is a fault of the program, and only the stack tells where.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Guard calls f. A panic becomes a *PanicError.
func Guard(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return f()
}
