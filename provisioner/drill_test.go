package provisioner_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// drill begins a drill of the store. It returns the drill's store once its namespace is there, whose nodes do as the
// switches say.
func (p *platform) drill(t *testing.T, from store.Store, switches ...string) store.Store {
	t.Helper()
	drill, err := p.db.StartDrill(t.Context(), p.actor, from.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	return p.untilRehearsing(t, drill.ID, switches...)
}

func (p *platform) untilRehearsing(t *testing.T, id string, switches ...string) store.Store {
	t.Helper()
	st, err := p.db.UnguardedStore(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.sweep(st) })
	kubetest.Within(t, "the namespace is there", func() bool {
		_, err := p.admin.CoreV1().Namespaces().Get(t.Context(), st.Namespace, metav1.GetOptions{})
		return err == nil
	})
	for _, s := range switches {
		kubetest.Simulate(t, st.Namespace, s, "component=restore")
	}
	return st
}

func (p *platform) drills(t *testing.T, from store.Store) store.Drills {
	t.Helper()
	d, err := p.db.Drills(t.Context(), p.actor, from.ID)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wantClosed checks that nothing leads in and out of the namespace but the way of the restore to its target.
func (p *platform) wantClosed(t *testing.T, st store.Store, job string) {
	t.Helper()
	ingresses, err := p.admin.NetworkingV1().Ingresses(st.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(ingresses.Items) != 0 {
		t.Errorf("it is served by %+v, %v", ingresses.Items, err)
	}
	policies, err := p.admin.NetworkingV1().NetworkPolicies(st.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(policies.Items) < 5 {
		t.Fatalf("its policies are %+v, %v", policies.Items, err)
	}
	for _, policy := range policies.Items {
		for _, rule := range policy.Spec.Egress {
			for _, peer := range rule.To {
				if peer.IPBlock != nil && policy.Name != job {
					t.Errorf("%s leads to %s", policy.Name, peer.IPBlock.CIDR)
				}
			}
		}
	}
}

// A drill restores, sells and goes without a trace, whoever does it. Its result stays.
func TestDrillPassesAndIsRemoved(t *testing.T) {
	t.Parallel()
	p, from, point := startRestoring(t, "Rehearsed")
	st := p.drill(t, from, "job-duration=10m")
	job := p.untilLoading(t, st)
	p.wantClosed(t, st, job.Name)
	if going := p.drills(t, from).Running(); going.ID != st.ID || going.PointID != point.ID {
		t.Errorf("what goes on is %+v", going)
	}
	p.stop()
	p.run(t)
	letGo := p.hold(t, st.Namespace)
	kubetest.Simulate(t, st.Namespace, "job-duration=none", "component=restore")
	kubetest.Within(t, "the drill has ended", func() bool { return p.drills(t, from).Last().ID == st.ID })
	p.until(t, st.ID, "being removed", func(now store.Store) bool { return now.Job.Kind == store.RemoveJob && now.Job.Step == store.StepRemove })
	p.stop()
	p.run(t)
	letGo()
	p.until(t, st.ID, "gone", func(now store.Store) bool { return now.Status == store.Deleted })
	p.wantGone(t, st)

	last := p.drills(t, from).Last()
	if !last.Passed() || !last.Simulated || last.Took() <= 0 || last.StoreID != from.ID {
		t.Errorf("it ended as %+v", last)
	}
	events, err := p.db.StoreEvents(t.Context(), p.actor, from.ID)
	if told := describe(events); err != nil || !strings.Contains(told, "drill.passed/ Restore drill passed: Simulated") {
		t.Errorf("told is, %v:\n%s", err, told)
	}
	events, err = p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if told := describe(events); err != nil || !strings.Contains(told, "step.finished/address A restore drill has no public address") ||
		slices.ContainsFunc(events, func(e store.Event) bool { return e.Audit || strings.HasPrefix(string(e.Kind), "store.") }) {
		t.Errorf("the steps are, %v:\n%s", err, told)
	}
	if now, err := p.db.FindStore(t.Context(), p.actor, from.ID); err != nil || now.Status != store.Ready || now.Job.ID != from.Job.ID {
		t.Errorf("the store that was rehearsed is %+v, %v", now, err)
	}
}

// A drill that fails goes, too, and its failure says why.
func TestDrillThatFailsIsRemoved(t *testing.T) {
	t.Parallel()
	p, from, _ := startRestoring(t, "Unrestorable")
	st := p.drill(t, from, "fail=job-failed")
	p.until(t, st.ID, "gone", func(now store.Store) bool { return now.Status == store.Deleted })
	p.wantGone(t, st)
	last := p.drills(t, from).Last()
	if f := last.Failure; last.Passed() || f.Code != store.RestoreStepFailed || f.Step != store.StepData || !strings.Contains(f.Facts.Quote, "simulated failure") {
		t.Errorf("it ended as %+v", last)
	}
	if points := p.backups(t, from).Points; len(points) != 1 {
		t.Errorf("there are the points %+v", points)
	}
}

// A drill that is deleted while its data are loaded is removed at once.
func TestDrillIsCancelled(t *testing.T) {
	t.Parallel()
	p, from, _ := startRestoring(t, "Cancelled")
	st := p.drill(t, from, "job-duration=10m")
	p.untilLoading(t, st)
	p.askDelete(t, st)
	p.until(t, st.ID, "gone", func(now store.Store) bool { return now.Status == store.Deleted })
	p.wantGone(t, st)
	if last := p.drills(t, from).Last(); last.Failure.Code != store.DrillWasCancelled {
		t.Errorf("it ended as %+v", last)
	}
}

func TestDrillBeginsOnSchedule(t *testing.T) {
	t.Parallel()
	p, from, point := startRestoring(t, "Scheduled")
	p.stop()
	p.exec(t, `UPDATE restore_points SET ended_at = ended_at - 172800000000`) // two days
	p.run(t)
	kubetest.Within(t, "a drill has begun", func() bool { return len(p.drills(t, from).Newest) == 1 })
	newest := p.drills(t, from).Newest[0]
	if newest.PointID != point.ID {
		t.Errorf("it is %+v", newest)
	}
	kubetest.Within(t, "it has passed", func() bool { return p.drills(t, from).Last().Passed() })
	p.until(t, newest.ID, "gone", func(now store.Store) bool { return now.Status == store.Deleted })
	if d := p.drills(t, from); d.Overdue || !d.Next.Equal(newest.BeganAt.Add(d.Every)) {
		t.Errorf("drills are %+v", d)
	}
}
