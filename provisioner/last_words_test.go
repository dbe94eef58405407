package provisioner_test

import (
	"slices"
	"strings"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// A crash is explained by what the program said last, without the store's secrets.
func TestFailureTellsTheLastWordsOfACrash(t *testing.T) {
	t.Parallel()
	p := start(t)
	namespace := store.Namespace(store.ProposeSlug("Outspoken " + p.mark))
	kubetest.Simulate(t, namespace, "start-delay=10m", "component=mariadb")
	st := p.until(t, p.request(t, "Outspoken").ID, "at its workloads", func(st store.Store) bool { return st.Job.Step == store.StepWorkloads })
	login, err := p.Credentials(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	_, before := kubetest.NewPodLog(t, st.Namespace, "mariadb-0", "mariadb")
	before.Write("the tables of " + login.Password + " are damaged")
	kubetest.Simulate(t, namespace, "start-delay=none", "fail=crash-loop", "component=mariadb")
	st = p.untilStatus(t, st.ID, store.Failed)
	words := st.Job.Failure.LastWords
	if words.Pod != "mariadb-0" || words.Container != "mariadb" || !slices.Contains(words.Lines, "the tables of ••• are damaged") {
		t.Errorf("%s: last words %+v", phrase.Failure(st.Job.Failure).Title, words)
	}
	if strings.Contains(strings.Join(words.Lines, " "), login.Password) {
		t.Error("the database holds a password")
	}
}
