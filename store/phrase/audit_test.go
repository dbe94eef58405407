package phrase_test

import (
	"slices"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

// Whoever filters the audit log by group finds every kind of event in one of them.
func TestEveryAuditedKindIsInOneGroup(t *testing.T) {
	t.Parallel()
	for _, kind := range declared(t, "Kind") {
		subject, _, _ := strings.Cut(kind, ".")
		var in []store.AuditGroup
		for _, group := range store.AuditGroups() {
			if slices.Contains(group.Subjects(), subject) {
				in = append(in, group)
			}
		}
		if want := store.Kind(kind).Audited(); want && len(in) != 1 || len(in) > 1 {
			t.Errorf("%s is in the groups %v", kind, in)
		}
	}
}
