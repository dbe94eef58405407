package provisioner

import "time"

// TrustWatches lets work that waits look again only when something tells of a change.
func (p *Provisioner) TrustWatches() { p.lookAgain = time.Hour }
