package live

import (
	"sync"

	"shopwright.dev/shopwright/store"
)

// Ceiling bounds how many requests of a kind last at the same time. Zero is no bound.
type Ceiling struct {
	most    int // of everybody
	perUser int
	refusal *store.Error

	mu     sync.Mutex
	all    int
	byUser map[string]int
}

// NewCeiling bounds the requests of everybody, and of one user. The refusal is what a user reads where there are too many.
func NewCeiling(most, perUser int, refusal string) *Ceiling {
	return &Ceiling{most: most, perUser: perUser, refusal: &store.Error{Code: store.Limited, Message: refusal}, byUser: map[string]int{}}
}

// Enter fails when there are too many already, of that user or in all. Who has entered leaves.
func (l *Ceiling) Enter(user string) (leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most > 0 && l.all >= l.most || l.perUser > 0 && l.byUser[user] >= l.perUser {
		return nil, l.refusal
	}
	l.all++
	l.byUser[user]++
	return func() { l.leave(user) }, nil
}

func (l *Ceiling) leave(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.byUser[user]--; l.byUser[user] == 0 {
		delete(l.byUser, user)
	}
}
