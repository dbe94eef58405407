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

// TryWithoutPause lets what has failed be tried again at once.
func (p *Provisioner) TryWithoutPause() { p.backoff = func(int) time.Duration { return 0 } }
