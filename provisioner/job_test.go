package provisioner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// next is what the kind of the store's job decides.
func next(st store.Store, o observed) action { return kindOf(st.Job.Kind).next(st, o) }

func TestNext(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	wanted := store.Store{Slug: "shop", Namespace: "store-shop", Desired: store.Present, Generation: 1, Job: store.Job{ID: "1", Kind: store.OpenJob, AskedAt: asked, Result: store.Result{Applied: 1}}}
	retried := wanted
	retried.Generation, retried.Job.Step, retried.Job.ID = 2, "", "2"
	released, watched := wanted, wanted
	released.Job.Step, watched.Job.Step = store.StepRelease, store.StepWorkloads
	bereft := retried
	bereft.Job.Kind = store.ChangeJob
	bereft.Volumes = []string{"data", "files"}
	rebuilt := bereft
	rebuilt.Volumes = nil
	rebuilt.Job.Change = store.Change{Kind: store.Rebuild}
	upgraded := rebuilt
	upgraded.Job.Change = store.Change{Kind: store.Upgrade}
	unwanted := wanted
	unwanted.Desired, unwanted.Job.Kind = store.Absent, store.RemoveJob

	active := kube.NamespaceState{Phase: kube.Active}
	ready := kube.Workload{Name: "wordpress", Want: 1, Pods: 1, Ready: 1}
	starting := kube.Workload{Name: "mariadb", Want: 1, Pods: 1}
	setup := kube.Job{Name: "setup-1", Component: "setup", CreatedAt: asked.Add(time.Second)}
	failed, succeeded, old := setup, setup, setup
	failed.Failed, succeeded.Succeeded = true, true
	old.Failed, old.CreatedAt = true, asked.Add(-time.Minute)
	full := observed{Namespace: active, Limits: true, Credentials: true, Release: helm.Release{Status: helm.Deployed, Change: "1", Revision: 1}}
	with := func(change func(*observed)) observed {
		o := full
		change(&o)
		return o
	}
	withDisks := func(names ...string) observed {
		return with(func(o *observed) {
			o.Release = helm.Release{}
			for _, text := range names {
				name, _, leaving := strings.Cut(text, " going")
				o.Snapshot.Volumes = append(o.Snapshot.Volumes, kube.Volume{Name: name, Leaving: leaving})
			}
		})
	}
	running := func(job kube.Job, workloads ...kube.Workload) observed {
		return with(func(o *observed) { o.Snapshot = kube.Snapshot{Workloads: workloads, Jobs: []kube.Job{job}} })
	}
	filling := kube.Snapshot{
		Workloads: []kube.Workload{ready, starting}, Jobs: []kube.Job{setup},
		Pods: []kube.Pod{
			{Name: "setup-1-x", Component: "setup", Phase: "Running"},
			{Name: "wordpress-x", Containers: []kube.Container{{State: kube.State{Kind: "running"}}}},
			{Name: "mariadb-0", Containers: []kube.Container{{State: kube.State{Kind: "running"}}}},
		},
	}
	pulling := filling
	pulling.Pods = append(pulling.Pods[:2:2], kube.Pod{Name: "mariadb-0", Containers: []kube.Container{{State: kube.State{Kind: "waiting"}}}})
	waiting := filling
	waiting.Pods = slices.Concat(filling.Pods[:2], []kube.Pod{{Name: "medusa-x", Containers: []kube.Container{
		{Init: true, State: kube.State{Kind: "running"}}, {State: kube.State{Kind: "waiting", Reason: "PodInitializing"}},
	}}})
	opening := func(change func(*observed)) observed {
		o := running(succeeded, ready)
		change(&o)
		return o
	}
	noticed := func(o observed, n notice) observed { o.Notice = n; return o }
	shopping := checkRun{Attempt: 1}
	refused := func(attempt int) checkRun { return checkRun{Attempt: attempt, Done: true} }
	sold := checkRun{Attempt: 1, Done: true, Result: store.Check{OK: true}}
	leftover := kube.Snapshot{Pods: []kube.Pod{{Name: "wordpress-1"}}}

	for name, c := range map[string]struct {
		st   store.Store
		o    observed
		do   verb
		step store.Step
	}{
		"nothing is there":             {wanted, observed{Namespace: kube.NamespaceState{Phase: kube.Missing}}, createNamespace, store.StepNamespace},
		"an older namespace goes":      {wanted, observed{Namespace: kube.NamespaceState{Phase: kube.Terminating}}, wait, store.StepNamespace},
		"somebody else’s namespace":    {wanted, observed{Foreign: true}, fail, store.StepNamespace},
		"its namespace lost its label": {wanted, observed{Foreign: true, Unlabelled: true}, fail, store.StepNamespace},
		"its disks are gone":           {bereft, observed{Namespace: kube.NamespaceState{Phase: kube.Missing}}, fail, store.StepNamespace},
		"one disk is gone":             {bereft, withDisks("files"), fail, store.StepNamespace},
		"one disk is going":            {bereft, withDisks("files", "data going"), fail, store.StepNamespace},
		"its disks are alive":          {bereft, withDisks("data", "files"), applyRelease, store.StepRelease},
		"something is unmet":           {wanted, with(func(o *observed) { o.Release.Status, o.Unmet.Code = helm.None, store.PlanTooSmall }), fail, store.StepRelease},
		"unmet when all is there":      {wanted, with(func(o *observed) { o.Applied, o.Unmet.Code = true, store.PlanTooSmall }), wait, store.StepWorkloads},
		"no limits":                    {wanted, observed{Namespace: active}, setLimits, store.StepLimits},
		"no credentials":               {wanted, observed{Namespace: active, Limits: true}, createCredentials, store.StepCredentials},
		"no credentials, but volumes":  {wanted, observed{Namespace: active, Limits: true, Volumes: 1}, fail, store.StepCredentials},
		"no release":                   {wanted, with(func(o *observed) { o.Release = helm.Release{} }), applyRelease, store.StepRelease},
		"a release cut short":          {wanted, with(func(o *observed) { o.Release.Status = helm.Pending }), unlockRelease, store.StepRelease},
		"a release that failed":        {wanted, with(func(o *observed) { o.Release.Status = helm.Incomplete }), applyRelease, store.StepRelease},
		"setup is not there":           {wanted, with(func(o *observed) {}), applyRelease, store.StepRelease},
		"setup is not seen yet":        {wanted, with(func(o *observed) { o.Applied = true }), wait, store.StepWorkloads},
		"a workload starts":            {wanted, running(setup, ready, starting), wait, store.StepWorkloads},
		"setup runs":                   {wanted, running(setup, ready), wait, store.StepSetup},
		"the shop waits for setup":     {wanted, with(func(o *observed) { o.Snapshot = filling }), wait, store.StepSetup},
		"a pod waits for setup":        {wanted, with(func(o *observed) { o.Snapshot = waiting }), wait, store.StepSetup},
		"a workload has not started":   {wanted, with(func(o *observed) { o.Snapshot = pulling }), wait, store.StepWorkloads},
		"setup failed":                 {wanted, running(failed, ready), fail, store.StepSetup},
		"setup failed early":           {wanted, running(failed, starting), fail, store.StepSetup},
		"nobody has bought anything":   {wanted, opening(func(*observed) {}), createCheck, store.StepCheck},
		"somebody shops":               {wanted, opening(func(o *observed) { o.Check = shopping }), wait, store.StepCheck},
		"the first customer failed":    {wanted, opening(func(o *observed) { o.Check = refused(1) }), createCheck, store.StepCheck},
		"the second one failed too":    {wanted, opening(func(o *observed) { o.Check = refused(2) }), fail, store.StepCheck},
		"it has sold":                  {wanted, opening(func(o *observed) { o.Check = sold }), askAddress, store.StepAddress},
		"an engine without a check":    {wanted, opening(func(o *observed) { o.Untested = true }), askAddress, store.StepAddress},
		"the address answers":          {wanted, opening(func(o *observed) { o.Check, o.Address.Outcome = sold, store.Answers }), complete, store.StepReady},
		"the address is elsewhere":     {wanted, opening(func(o *observed) { o.Check, o.Address.Outcome = sold, store.NotFromHere }), complete, store.StepReady},
		"the address is wrong":         {wanted, opening(func(o *observed) { o.Check, o.Address.Outcome = sold, store.WrongAnswer }), askAddress, store.StepAddress},
		"the address stays wrong": {wanted, opening(func(o *observed) {
			o.Check, o.Address.Outcome, o.Misled = sold, store.WrongAnswer, addressPatience
		}), fail, store.StepAddress},
		"retry after a failed setup":  {retried, running(old, ready), resetSetup, store.StepRelease},
		"retry of what has no pods":   {retried, running(succeeded, kube.Workload{Name: "wordpress", Want: 1}), resetSetup, store.StepRelease},
		"retry takes new values":      {retried, running(succeeded, ready), applyRelease, store.StepRelease},
		"a revision not written down": {wanted, opening(func(o *observed) { o.Release.Revision = 2 }), recordRelease, store.StepRelease},
		"ready before one looks":      {released, opening(func(*observed) {}), pass, store.StepWorkloads},
		"filled before one looks":     {watched, opening(func(*observed) {}), pass, store.StepSetup},
		"fills before one looks":      {released, running(setup, ready), pass, store.StepWorkloads},
		"the watch is behind":         {wanted, opening(func(o *observed) { o.Behind = true }), wait, store.StepWorkloads},
		"a pod of the old template":   {wanted, opening(func(o *observed) { o.Snapshot.Pods = []kube.Pod{{Name: "mariadb-0", Outdated: true}} }), replacePods, store.StepWorkloads},

		"customers know of nothing":     {upgraded, running(succeeded, ready), showNotice, store.StepRelease},
		"customers are about to know":   {upgraded, noticed(running(succeeded, ready), noticeComing), wait, store.StepRelease},
		"customers know":                {upgraded, noticed(running(succeeded, ready), noticeUp), applyRelease, store.StepRelease},
		"customers cannot be told":      {upgraded, noticed(running(succeeded, ready), noticeNone), applyRelease, store.StepRelease},
		"an upgrade that is not begun":  {upgraded, with(func(o *observed) { o.Release = helm.Release{} }), applyRelease, store.StepRelease},
		"customers still hear of it":    {wanted, opening(func(o *observed) { o.Notices = []kube.Pod{{Name: "maintenance-x"}} }), takeNotice, store.StepCheck},
		"customers hear of it too long": {wanted, opening(func(o *observed) { o.Check, o.Notices = sold, []kube.Pod{{Name: "maintenance-x"}} }), takeNotice, store.StepCheck},

		"rebuild beside a release": {rebuilt, with(func(o *observed) { o.Volumes = 2 }), uninstallRelease, store.StepNamespace},
		"rebuild on disks":         {rebuilt, with(func(o *observed) { o.Release, o.Volumes = helm.Release{}, 2 }), deleteVolumes, store.StepNamespace},
		"rebuild beside old disks": {rebuilt, with(func(o *observed) { o.Release, o.Volumes, o.Cleared = helm.Release{}, 1, true }), wait, store.StepNamespace},
		"rebuild of what is gone":  {rebuilt, with(func(o *observed) { o.Release, o.Cleared = helm.Release{}, true }), applyRelease, store.StepRelease},
		"rebuild that is applied":  {rebuilt, with(func(o *observed) { o.Release.Change, o.Volumes = "2", 2 }), applyRelease, store.StepRelease},
		"a disk is going": {wanted, opening(func(o *observed) {
			o.Check, o.Address.Outcome, o.Snapshot.Volumes = sold, store.Answers, []kube.Volume{{Name: "data", Leaving: true}}
		}), fail, store.StepWorkloads},

		"nothing to remove":           {unwanted, observed{Namespace: kube.NamespaceState{Phase: kube.Missing}}, archive, store.StepGone},
		"not ours to remove":          {unwanted, observed{Foreign: true}, archive, store.StepGone},
		"remove what lost its label":  {unwanted, observed{Foreign: true, Unlabelled: true}, fail, store.StepUninstall},
		"remove the release":          {unwanted, with(func(o *observed) {}), uninstallRelease, store.StepUninstall},
		"remove half a release":       {unwanted, with(func(o *observed) { o.Release.Status = helm.Pending }), uninstallRelease, store.StepUninstall},
		"remove the volumes":          {unwanted, observed{Namespace: active, Volumes: 2}, deleteVolumes, store.StepVolumes},
		"wait for what is left":       {unwanted, observed{Namespace: active, Snapshot: leftover}, wait, store.StepVolumes},
		"wait no longer":              {unwanted, observed{Namespace: active, Snapshot: leftover, Emptying: emptyFor}, deleteNamespace, store.StepRemove},
		"remove the namespace":        {unwanted, observed{Namespace: active}, deleteNamespace, store.StepRemove},
		"wait for the namespace":      {unwanted, observed{Namespace: kube.NamespaceState{Phase: kube.Terminating}}, wait, store.StepRemove},
		"removal of a broken attempt": {unwanted, observed{Namespace: active, Release: helm.Release{Status: helm.Leaving}}, uninstallRelease, store.StepUninstall},
	} {
		got := next(c.st, c.o)
		if got.Do != c.do || got.Step != c.step {
			t.Errorf("%s: %s at %s, want %s at %s", name, got.Do, got.Step, c.do, c.step)
		}
		k := kindOf(c.st.Job.Kind)
		if got.Do != wait && got.Do != pass && got.Do != fail && k.acts[got.Do] == nil && k.ends[got.Do] == nil {
			t.Errorf("%s: no step %s in a job of the kind %s", name, got.Do, c.st.Job.Kind)
		}
	}
}

func TestRetryIsResetOnce(t *testing.T) {
	t.Parallel()
	asked := time.Now()
	st := store.Store{Desired: store.Present, Generation: 2, Job: store.Job{ID: "2", Kind: store.OpenJob, AskedAt: asked, Step: store.StepRelease}}
	o := observed{Namespace: kube.NamespaceState{Phase: kube.Active}, Limits: true, Credentials: true, Release: helm.Release{Status: helm.Deployed, Change: "1", Revision: 1}}
	o.Snapshot.Jobs = []kube.Job{{Name: "setup-1", Component: "setup", UID: "1", Failed: true, CreatedAt: asked.Add(-time.Minute)}}
	if got := next(st, o); got.Do != resetSetup {
		t.Errorf("first %s", got.Do)
	}
	o.Reset, o.OldSetup = true, "1"
	if got := next(st, o); got.Do != applyRelease {
		t.Errorf("then %s", got.Do)
	}
	o.Applied, o.Release.Change, o.Release.Revision = true, "2", 2
	if got := next(st, o); got.Do != recordRelease {
		t.Errorf("once it is applied: %s", got.Do)
	}
	st.Job.Applied = 2
	if got := next(st, o); got.Do != wait {
		t.Errorf("while the watch shows the old setup: %s", got.Do)
	}
	o.Snapshot.Jobs[0].UID = "2"
	if got := next(st, o); got.Do != fail {
		t.Errorf("a setup that failed again: %s", got.Do)
	}
}
