package provisioner

import (
	"io"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
)

// ReadLog reads what a node writes as the log of a store with these secrets.
func ReadLog(from io.Reader, secrets ...string) *Log {
	return &Log{lines: kube.ReadLog(io.NopCloser(from)), mask: newMask(secrets)}
}

// TrustWatches lets work that waits look again only when something tells of a change.
func (p *Provisioner) TrustWatches() { p.lookAgain = time.Hour }

// GiveBackAfter sets how long claims are kept while the cluster cannot be reached.
func (p *Provisioner) GiveBackAfter(d time.Duration) { p.giveBack = d }

// PutOffFor sets how long a removal is put off that the cluster does not let pass.
func (p *Provisioner) PutOffFor(d time.Duration) { p.putOffFor = d }

// TryAgainAfter lets what has failed be tried again after that time.
func (p *Provisioner) TryAgainAfter(pause time.Duration) {
	p.backoff = func(int) time.Duration { return pause }
}

// KeepCounts lets the nodes be counted again only when a test says so.
func (p *Provisioner) KeepCounts() {
	c := p.cluster.census
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age = time.Hour
}

// CountAgain has the nodes counted the next time when somebody looks.
func (p *Provisioner) CountAgain() {
	c := p.cluster.census
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Time{}
}
