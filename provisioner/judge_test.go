package provisioner

import (
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
)

func TestRefusalAmongEvents(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 3, 1, 12, 0, 0, 500_000_000, time.UTC)
	at := asked.Truncate(time.Second)
	for name, tt := range map[string]struct {
		event   kube.Event
		refused bool
	}{
		"by a policy":                   {kube.Event{Warning: true, Reason: "FailedCreate", Last: at, Message: `admission webhook "policy" denied the request`}, true},
		"by the quota":                  {kube.Event{Warning: true, Reason: "FailedCreate", Last: at, Message: "pods \"web-0\" is forbidden: exceeded quota: store"}, true},
		"before it was asked for again": {kube.Event{Warning: true, Reason: "FailedCreate", Last: at.Add(-time.Second)}, false},
		"of something else":             {kube.Event{Warning: true, Reason: "FailedScheduling", Last: at}, false},
		"for want of an account":        {kube.Event{Warning: true, Reason: "FailedCreate", Last: at, Message: `error looking up service account store-a/default: serviceaccount "default" not found`}, false},
		"for a quota not reckoned yet":  {kube.Event{Warning: true, Reason: "FailedCreate", Last: at, Message: "is forbidden: status unknown for quota: store, resources: pods"}, false},
	} {
		if _, refused := refusalAmong([]kube.Event{tt.event}, asked); refused != tt.refused {
			t.Errorf("%s: refused is %v, want %v", name, refused, tt.refused)
		}
	}
}
