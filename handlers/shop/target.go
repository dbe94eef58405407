package shop

import (
	"context"
	"errors"
	"strings"

	"shopwright.dev/shopwright/provisioner/bucket"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

// TargetTest is what a test of a backup target came to.
type TargetTest struct {
	OK         bool
	Text       string            // what was done and found, or what failed, for people
	Protection bucket.Protection // if it is OK
	Target     string            // name
	Err        error             // why the bucket can't be used, for the log; nil if it can or wasn't asked
}

// TestTarget writes, lists, reads and deletes an object in a backup target. An error says that the actor gets no test.
func (s *Service) TestTarget(ctx context.Context, who store.Actor, id string) (TargetTest, error) {
	target, err := s.DB.OpenTarget(ctx, who, id)
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Field != "" {
		return TargetTest{Text: refused.Message}, nil
	}
	if err != nil {
		return TargetTest{}, err
	}
	protection, err := bucket.Test(ctx, target)
	if err != nil {
		return TargetTest{Text: legible.Plain(sentence(err.Error())), Target: target.Name, Err: err}, nil
	}
	return TargetTest{OK: true, Text: tested(protection), Protection: protection, Target: target.Name}, nil
}

func tested(p bucket.Protection) string {
	const works = "An object was written, listed, read and deleted. "
	switch {
	case p.ObjectLock:
		return works + "Object lock is on."
	case p.Versioning:
		return works + "Versioning is on, object lock is off."
	case p.Unknown:
		return works + "The service doesn’t tell whether versioning or object lock is on."
	default:
		return works + "Versioning and object lock are off."
	}
}

// sentence is an error as a sentence of its own.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + strings.TrimRight(text[1:], ".") + "."
}
