package provisioner

import "context"

// rehearse begins the drills that are due by the stores' plans, one at a time, and the removals of drills again that
// have failed, and tells of those that are overdue.
func (p *Provisioner) rehearse(ctx context.Context) {
	for ctx.Err() == nil {
		drill, begun, err := p.db.UnguardedStartDueDrill(ctx, p.cluster.record.ID)
		if err != nil && ctx.Err() == nil {
			p.log.Error("begin a restore drill", "error", err)
		}
		if begun {
			p.log.Info("a restore drill begins", "of", drill.StoreID, "point", drill.PointID, "store", drill.ID)
		}
		again, err := p.db.UnguardedRemoveDrillsAgain(ctx, p.cluster.record.ID)
		if err != nil && ctx.Err() == nil {
			p.log.Error("remove drills again", "error", err)
		}
		if again > 0 {
			p.log.Warn("drills that couldn’t be removed are removed again", "stores", again)
		}
		overdue, err := p.db.UnguardedTellOverdueDrills(ctx, p.cluster.record.ID)
		if err != nil && ctx.Err() == nil {
			p.log.Error("look for overdue restore drills", "error", err)
		}
		if overdue > 0 {
			p.log.Warn("restore drills are overdue", "stores", overdue)
		}
		_ = sleep(ctx, scheduleEvery)
	}
}
