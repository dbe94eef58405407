package provisioner

import (
	"context"
	"time"
)

// scheduleEvery is the pause between two looks at which scheduled backups are due.
const scheduleEvery = time.Minute

// scheduleBackups begins the backups that are due by the stores' plans. While the cluster can't be reached
// they wait in the queue, one of each store.
func (p *Provisioner) scheduleBackups(ctx context.Context) {
	for ctx.Err() == nil {
		begun, err := p.db.UnguardedStartScheduledBackups(ctx, p.cluster.record.ID)
		if err != nil && ctx.Err() == nil {
			p.log.Error("begin scheduled backups", "error", err)
		}
		if begun > 0 {
			p.log.Info("scheduled backups begin", "stores", begun)
		}
		_ = sleep(ctx, scheduleEvery)
	}
}
