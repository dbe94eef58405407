package database_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// actorless are the exported methods that take neither an actor nor a claim, and are not named
// Unguarded either, each group with the reason.
var actorless = []struct {
	reason  string
	methods []string
}{
	{"they find out who the actor is", []string{"Session", "TokenActor"}},
	{"nobody has signed in yet: a provider's word or a secret lets somebody in", []string{
		"AnybodyKnown", "CreateLoginLink", "SignIn", "SignInAsAdministrator", "SignInByLink", "SignInWith", "UseState",
	}},
	{"whoever has the secret of the session may use it and end it", []string{"KeepSession", "SignOut"}},
	{"whoever has the secret of the invitation may read it, to decide about signing in", []string{"OpenInvitation"}},
	{"they hand out the work, or give back all of it", []string{"Claim", "ReleaseAll"}},
	{"the provisioner describes its own cluster", []string{"EnsureCluster", "RecordClusterSeen", "ClusterUID"}},
	{"the mail queue, the retention and the sealing of secrets are the platform's own work", []string{"ClaimMail", "MailFailed", "MailSent", "Prune", "QueueMail", "Reseal"}},
	{"receivers ask Actor.Sees about each event", []string{"Subscribe"}},
	{"they tell of the database itself, and no rows of it", []string{"Check", "Close", "DefaultPlan", "LastEvent", "SharedByProcesses"}},
}

// TestEveryMethodIsGuarded keeps requests from reading or changing what the actor may not: a method
// checks an actor, works on a claimed store, or says in its name that it checks nobody.
func TestEveryMethodIsGuarded(t *testing.T) {
	t.Parallel()
	excused := map[string]bool{}
	for _, group := range actorless {
		for _, name := range group.methods {
			if excused[name] {
				t.Errorf("%s has two reasons to take no actor", name)
			}
			excused[name] = true
		}
	}
	handle := reflect.TypeFor[*database.DB]()
	for method := range handle.Methods() {
		unguarded := strings.HasPrefix(method.Name, "Unguarded")
		switch guarded := takesActor(method.Type); {
		case guarded && (unguarded || excused[method.Name]):
			t.Errorf("%s takes an actor or a claim, so it needs no excuse", method.Name)
		case !guarded && !unguarded && !excused[method.Name]:
			t.Errorf("%s takes no actor and no claim: guard it, or name it Unguarded%s", method.Name, method.Name)
		}
		delete(excused, method.Name)
	}
	for name := range excused {
		t.Errorf("there is no method %s", name)
	}
}

// takesActor reports whether an actor or a claim is among the parameters.
func takesActor(method reflect.Type) bool {
	guards := []reflect.Type{reflect.TypeFor[store.Actor](), reflect.TypeFor[store.Claim]()}
	return slices.ContainsFunc(slices.Collect(method.Ins()), func(in reflect.Type) bool { return slices.Contains(guards, in) })
}
