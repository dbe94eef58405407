package main_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/views/browsertest"
)

// Conditions of the notice at the top of every page.
const (
	isAway  = `document.getElementById("cluster-notice").innerText.includes("is unreachable")`
	isThere = `document.getElementById("cluster-notice").innerText.startsWith("Simulated cluster.")`
)

func (w walk) openCreateDialog() {
	w.t.Helper()
	w.Click(`main form[data-dialog="create-dialog"] button`)
	w.WaitFor(`#create-dialog[open] #create-name`)
}

func TestClusterGoesAwayAndComesBackInABrowser(t *testing.T) {
	t.Parallel()
	link := kubetest.NewLink(t)
	w := beginAt(t, link.Kubeconfig())
	mark := strings.ToLower(uuid.NewString()[24:])
	w.signIn()
	w.Until(isThere)
	w.p.untilReady(w.p.create("There before", "before-"+mark))

	w.Visit(w.p.url + "/stores")
	w.keeps()
	link.Inject(kubetest.Gone)
	link.Cut()
	w.Until(isAway)
	w.WaitFor(`#store-rows nav time`) // as of when
	w.look("away-stores")
	w.Type("#q", "nothing like it")
	w.Until(`document.querySelector("#store-rows table") === null`)
	browsertest.Evaluate[string](w.Browser, `document.getElementById("q").value = ""`)
	w.Type("#q", "before")
	w.Until(`document.querySelector("#store-rows a.name")?.innerText === "There before"`)
	w.wantKept()

	w.Visit(w.p.url + "/stores/new")
	w.untilSays("waits in the queue and starts automatically")
	w.look("away-create")
	w.Visit(w.p.url + "/stores")
	w.openCreateDialog()
	w.Type(`#create-dialog input[name="slug"]`, "while-"+mark)
	w.Type(`#create-dialog input[name="name"]`, "Made while away")
	w.Click(`#create-dialog footer button`)
	w.WaitFor(`#store-head[data-status="provisioning"]`)
	w.keeps()
	w.Until(isAway)
	w.Until(`document.querySelector('li[data-step="Queued"][data-state="run"]').innerText.includes("Waiting for the cluster")`)
	w.look("away-store")

	account := w.Tab()
	account.Visit(w.p.url + "/account")
	account.Until(isAway)
	link.Inject(kubetest.NoFault)
	w.Until(isThere)
	account.Until(isThere + " && !document.hidden")
	w.Until("!document.hidden")
	w.WaitFor(`#store-head[data-status="ready"]`)
	w.wantKept()
	w.wantIntact("back-store")
}
