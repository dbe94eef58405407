package kube

import "sync"

// Signals notify subscribers that something under a key has changed, but not of what: they read the
// current state. Changes that a subscriber has not seen yet are merged into one signal, so a sender
// never blocks.
type Signals struct {
	mu   sync.Mutex
	subs map[string]map[chan struct{}]struct{}
}

// Subscribe returns a channel that is signalled after each change under the key, and a function that
// ends the subscription.
func (s *Signals) Subscribe(key string) (changed <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subs == nil {
		s.subs = map[string]map[chan struct{}]struct{}{}
	}
	if s.subs[key] == nil {
		s.subs[key] = map[chan struct{}]struct{}{}
	}
	s.subs[key][c] = struct{}{}
	return c, func() { s.remove(key, c) }
}

// Send signals all subscribers of the key.
func (s *Signals) Send(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.subs[key] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (s *Signals) remove(key string, c chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.subs[key], c)
	if len(s.subs[key]) == 0 {
		delete(s.subs, key)
	}
}
