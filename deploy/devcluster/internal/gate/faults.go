package gate

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
)

// rule is a fault in force.
type rule struct {
	Fault
	path    *regexp.Regexp
	hit     chan struct{} // closed at the first hit
	cleared chan struct{}
}

func (r *rule) matches(method, path string) bool {
	return (r.Method == "" || r.Method == method) && r.path.MatchString(path)
}

// faults is the list of rules, in the order in which they were added, and of the requests on their way.
type faults struct {
	mu       sync.Mutex
	next     int
	rules    []*rule
	inFlight map[*http.Request]context.CancelFunc
}

func newFaults() *faults {
	return &faults{inFlight: map[*http.Request]context.CancelFunc{}}
}

// add puts a fault in force and returns it with its ID. A drop also cuts the matching requests that are on their
// way: when an API server goes, the watches it serves go with it.
func (f *faults) add(fault Fault) (Fault, error) {
	if err := fault.validate(); err != nil {
		return Fault{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	fault.ID, fault.Hits = strconv.Itoa(f.next), 0
	r := &rule{
		Fault: fault, path: regexp.MustCompile(fault.Path),
		hit: make(chan struct{}), cleared: make(chan struct{}),
	}
	f.rules = append(f.rules, r)
	if fault.Drop {
		f.cut(r)
	}
	return fault, nil
}

func (f *faults) cut(r *rule) {
	for req, cancel := range f.inFlight {
		if r.matches(req.Method, req.URL.Path) {
			cancel()
		}
	}
}

// take returns the first rule that matches, which counts as hit; nil lets the request pass.
func (f *faults) take(method, path string) *rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		spent := r.Times > 0 && r.Hits >= r.Times
		if spent || !r.matches(method, path) {
			continue
		}
		if r.Hits++; r.Hits == 1 {
			close(r.hit)
		}
		return r
	}
	return nil
}

// track registers a request that a later drop may cut. The caller calls done when the request has ended.
func (f *faults) track(req *http.Request) (tracked *http.Request, done func()) {
	ctx, cancel := context.WithCancel(req.Context())
	tracked = req.WithContext(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inFlight[tracked] = cancel
	return tracked, func() {
		cancel()
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.inFlight, tracked)
	}
}

// wait blocks until the fault has hit a request.
func (f *faults) wait(ctx context.Context, id string) error {
	r := f.find(id)
	if r == nil {
		return fmt.Errorf("there is no fault %s", id)
	}
	select {
	case <-r.hit:
		return nil
	case <-r.cleared:
		return fmt.Errorf("fault %s was cleared before it hit a request", id)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *faults) find(id string) *rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.rules, func(r *rule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return f.rules[i]
}

// clear ends one fault. Requests held back go on.
func (f *faults) clear(id string) error {
	if f.clearIf(func(r *rule) bool { return r.ID == id }) == 0 {
		return fmt.Errorf("there is no fault %s", id)
	}
	return nil
}

// clearAll ends every fault.
func (f *faults) clearAll() {
	f.clearIf(func(*rule) bool { return true })
}

func (f *faults) clearIf(chosen func(*rule) bool) (cleared int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = slices.DeleteFunc(f.rules, func(r *rule) bool {
		if !chosen(r) {
			return false
		}
		close(r.cleared)
		cleared++
		return true
	})
	return cleared
}

func (f *faults) list() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Fault, len(f.rules))
	for i, r := range f.rules {
		list[i] = r.Fault
	}
	return list
}
