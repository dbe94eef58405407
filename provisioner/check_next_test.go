package provisioner

import (
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

func TestNextOfCheck(t *testing.T) {
	t.Parallel()
	st := store.Store{Slug: "shop", Status: store.Ready, Desired: store.Present}
	deployed := helm.Release{Status: helm.Deployed, Revision: 1}
	page := kube.Pod{Name: "maintenance-1", Component: maintenanceComponent, Ready: 1, Want: 1}
	pod := func(ready int) kube.Pod { return kube.Pod{Name: "shop-1", Component: "shop", Ready: ready, Want: 1} }
	begun, done := checkRun{Attempt: 1}, checkRun{Attempt: 1, Done: true, Result: store.Check{OK: true}}
	refused := checkRun{Attempt: 1, Done: true, Result: store.Check{Failed: "cart"}}
	answers := store.Reached{Outcome: store.Answers}
	for name, c := range map[string]struct {
		o  observed
		do verb
	}{
		"no release":                   {observed{}, restoreRelease},
		"no release, but a customer":   {observed{Check: done}, restoreRelease},
		"nobody was there":             {observed{Release: deployed}, createCheck},
		"behind the maintenance page":  {observed{Release: deployed, Notices: []kube.Pod{page}, Snapshot: kube.Snapshot{Pods: []kube.Pod{page, pod(1)}}}, takeNotice},
		"the page is still needed":     {observed{Release: deployed, Notices: []kube.Pod{page}, Snapshot: kube.Snapshot{Pods: []kube.Pod{page, pod(0)}}}, createCheck},
		"a customer is there":          {observed{Release: deployed, Check: begun}, wait},
		"a customer does not return":   {observed{Release: deployed, Check: begun, Shopping: checkTimeout}, askAddress},
		"sold":                         {observed{Release: deployed, Check: done}, askAddress},
		"sold nothing":                 {observed{Release: deployed, Check: refused}, askAddress},
		"the engine has no check":      {observed{Release: deployed, Untested: true}, askAddress},
		"sold, and the address asked":  {observed{Release: deployed, Check: done, Address: answers}, recordCheck},
		"no check, address asked":      {observed{Release: deployed, Untested: true, Address: answers}, recordCheck},
		"too slow, address asked":      {observed{Release: deployed, Check: begun, Shopping: checkTimeout, Address: answers}, recordCheck},
		"refused at a wrong address":   {observed{Release: deployed, Check: refused, Address: store.Reached{Outcome: store.WrongAnswer}}, recordCheck},
		"a customer was there already": {observed{Release: deployed, Check: done, Shopping: time.Hour}, askAddress},
	} {
		if a := kindOf(store.CheckJob).next(st, c.o); a.Do != c.do {
			t.Errorf("%s: %s, want %s", name, a.Do, c.do)
		}
	}
}

func TestResultOfCheck(t *testing.T) {
	t.Parallel()
	wrong := store.Reached{Outcome: store.WrongAnswer, Note: store.Note{Code: store.AddressFails}}
	for name, c := range map[string]struct {
		o      observed
		ok     bool
		failed string
	}{
		"sold":                    {observed{Check: checkRun{Done: true, Result: store.Check{OK: true, Order: "7"}}}, true, ""},
		"sold nothing":            {observed{Check: checkRun{Done: true, Result: store.Check{Failed: "cart"}}}, false, "cart"},
		"did not return":          {observed{Check: checkRun{Attempt: 1}}, false, "check"},
		"no check":                {observed{Untested: true}, true, ""},
		"nobody finds it":         {observed{Check: checkRun{Done: true, Result: store.Check{OK: true}}, Address: wrong}, false, "address"},
		"sold nothing, not found": {observed{Check: checkRun{Done: true, Result: store.Check{Failed: "cart"}}, Address: wrong}, false, "cart"},
	} {
		check := resultOfCheck(c.o)
		if check.OK != c.ok || check.Failed != c.failed || check.Address.Outcome != c.o.Address.Outcome || !c.ok && c.failed != "cart" && check.Note.Code == "" {
			t.Errorf("%s: %+v", name, check)
		}
	}
}
