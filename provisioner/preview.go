package provisioner

import (
	"context"
	"errors"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// Target is what a store could be brought to.
type Target struct {
	Revision int               // an earlier one; zero for what is offered now
	Images   map[string]string // versions other than those that are offered
}

// Preview returns what would differ if the store were brought there. It changes nothing. An
// *store.Error says why that is not possible.
func (p *Provisioner) Preview(ctx context.Context, st store.Store, to Target) (Comparison, error) {
	e, known := p.engines.Find(st.Engine)
	if !known {
		_, err := p.Offer(st)
		return Comparison{}, err
	}
	st.Job.Change.Images = to.Images
	values, err := e.Values(p.spec(st))
	if err != nil {
		return Comparison{}, err
	}
	request := helm.Request{Namespace: st.Namespace, Name: releaseName, Chart: e.Chart(), Values: values, Revision: to.Revision, Over: engine.OwnerValues(st.OwnerEmail)}
	inPlace := func(ctx context.Context, c *connection) (helm.State, error) {
		state, err := c.helm.State(ctx, st.Namespace, releaseName, 0)
		if errors.Is(err, helm.ErrNoRevision) { // it was removed by hand: all of it would come back
			return helm.State{}, nil
		}
		return state, err
	}
	return p.compare(ctx, st, inPlace, func(ctx context.Context, c *connection) (helm.State, error) {
		state, err := c.helm.Preview(ctx, request)
		state.Revision = to.Revision
		return state, refusedByChart(err)
	})
}

// Compare returns what differs between two revisions of a store; from is zero for nothing.
func (p *Provisioner) Compare(ctx context.Context, st store.Store, from, to int) (Comparison, error) {
	revision := func(number int) source {
		return func(ctx context.Context, c *connection) (helm.State, error) {
			if number == 0 {
				return helm.State{}, nil
			}
			return c.helm.State(ctx, st.Namespace, releaseName, number)
		}
	}
	return p.compare(ctx, st, revision(from), revision(to))
}

// source tells one side of a comparison.
type source func(context.Context, *connection) (helm.State, error)

func (p *Provisioner) compare(ctx context.Context, st store.Store, from, to source) (result Comparison, err error) {
	conn := p.cluster.connection()
	if conn == nil {
		return Comparison{}, ErrUnreachable
	}
	err = conn.inNamespace(ctx, ownerOf(st), func() error {
		hide, err := conn.mask(ctx, st.Namespace)
		if err != nil && !errors.Is(err, ErrNoSecrets) { // without any there is nothing to hide
			return err
		}
		before, err := from(ctx, conn)
		if err != nil {
			return err
		}
		after, err := to(ctx, conn)
		if err != nil {
			return err
		}
		if result, err = compareStates(before, after, hide); err != nil {
			return err
		}
		if e, known := p.engines.Find(st.Engine); known {
			result.From.Program, result.To.Program = e.Version(before.Values), e.Version(after.Values)
		}
		return nil
	})
	if errors.Is(err, helm.ErrNoRevision) {
		err = &store.Error{Code: store.NotFound, Message: "The cluster no longer keeps this revision."}
	}
	return result, err
}

// refusedByChart tells a person that the chart does not take what was chosen. Another error
// stays what it is.
func refusedByChart(err error) error {
	if refusal, ok := errors.AsType[*helm.RefusalError](err); ok {
		return &store.Error{Code: store.Invalid, Message: "The chart rejects this: " + phrase.Sentence(refusal.Error())}
	}
	return err
}
