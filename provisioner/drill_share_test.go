package provisioner

import (
	"log/slog"
	"testing"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

func TestDrillGetsNoSecretButThatOfTheImages(t *testing.T) {
	t.Parallel()
	all := Shared{Namespace: "shopwright", Certificate: "wildcard", PullSecret: "pull", Mail: "mail"}.list()
	if got := sharedWith(all, true); len(got) != 1 || got[0] != (kube.Shared{Namespace: "shopwright", Name: "pull", Copy: sharedPullSecret}) {
		t.Errorf("a drill gets %+v", got)
	}
	if got := sharedWith(all, false); len(got) != 3 {
		t.Errorf("a store gets %+v", got)
	}
}

func TestDrillHasNoPublicAddress(t *testing.T) {
	t.Parallel()
	p := New(Config{Log: slog.New(slog.DiscardHandler), URLPort: 8443, Site: engine.Spec{TLS: engine.TLS{Mode: engine.TLSCertManager}}})
	st := store.Store{Host: "drill-a.example.com", Purpose: store.ForDrill}
	if spec := p.spec(st); !spec.Drill || spec.URL != "https://drill-a.example.com:8443" {
		t.Errorf("it is made of %+v", spec)
	}
	w := &worker{Provisioner: p, claim: store.Claim{Store: st}}
	if got := w.probeAddress(t.Context()); got.Outcome != store.NotFromHere || got.Note.Code != store.AddressOfDrill {
		t.Errorf("its address is said to be %+v", got)
	}
}
