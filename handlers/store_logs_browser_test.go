package handlers_test

import (
	"fmt"
	"strings"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/views/browsertest"
)

const (
	logFollows = `document.getElementById("log-foot").dataset.log === "on"`
	logText    = `document.getElementById("log").innerText`
	atNewest   = `(l => l.scrollHeight - l.scrollTop - l.clientHeight < 24)(document.getElementById("log"))`
)

func logSays(text string) string { return fmt.Sprintf(`%s.includes(%q)`, logText, text) }

func (s shop) openLog(b *browsertest.Browser, query string) {
	s.t.Helper()
	b.Visit(s.url + s.page + "/logs" + query)
	b.Until(isLive + " && " + logFollows)
}

func TestLogInABrowser(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	b := s.openBrowser()
	s.openLog(b, "?"+ofDatabase+"&times=on")
	b.Until(logSays("begins"))

	s.now.Write("live <script>document.title = 'hacked'</script><img src=x onerror=alert(1)>", "\x1b[31mred\x1b[0m "+s.password())
	b.Until(logSays("red •••") + ` && ` + logSays("<img src=x onerror=alert(1)>") + ` && document.title.startsWith("Logged")`)
	look(b, "log-live")

	b.Click(`#log-foot [data-act="pauseLog"]`)
	b.Until(`document.getElementById("log-foot").dataset.log === "paused"`)
	s.now.Write("while it pauses")
	s.untilPage(ofDatabase, "while it pauses")
	if browsertest.Evaluate[bool](b, logSays("while it pauses")) {
		t.Error("a log that pauses goes on")
	}
	look(b, "log-paused")
	b.Click(`#log-foot [data-act="pauseLog"]`)
	b.Until(logSays("while it pauses"))
	if n := browsertest.Evaluate[int](b, logText+`.split("live <script>").length - 1`); n != 1 {
		t.Errorf("after a pause a line is there %d times", n)
	}

	b.Type("#q", "LIVE")
	b.Until(`document.getElementById("log-count").textContent === "1 of 4" && !` + logSays("begins"))
	s.now.Write("not what is searched for", "alive")
	b.Until(`document.getElementById("log-count").textContent === "2 of 6" && ` + logSays("alive"))
	look(b, "log-searched")
	b.Click(`#log-form input[name="times"]`)
	b.Until(`getComputedStyle(document.querySelector("#log li:not([hidden]) time")).display === "none"`)
	b.Click("#log-form button")
	b.Until(`location.search.includes("q=LIVE") && !location.search.includes("times") && document.getElementById("log-count").textContent === "2 of 6"`)

	browsertest.Evaluate[bool](b, `document.getElementById("q").value = "";
		document.getElementById("log-source").value = [...document.getElementById("log-source").options].find(o => o.label.includes("wordpress")).value; true`)
	b.Click("#log-form button")
	b.Until(`location.search.includes("wordpress") && ` + logSays("This container is simulated: it has no log."))
	if text := b.Complaints(); text != "" {
		t.Errorf("the browser complains: %s", text)
	}
}

// Lines come and go, and what somebody reads stays where it is.
func TestLogStaysInPlace(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.now.Write(numbered("old", 1900)...)
	b := s.openBrowser()
	s.openLog(b, "?"+ofDatabase+"&tail=2000")
	b.Until(logSays("old 1899.") + " && " + atNewest)
	s.now.Write(numbered("new", 300)...)
	b.Until(logSays("new 299.") + " && " + atNewest)
	if n := browsertest.Evaluate[int](b, `document.querySelectorAll("#log li").length`); n != 2000 {
		t.Errorf("the page holds %d lines", n)
	}

	const mark = `[...document.querySelectorAll("#log li")].find(li => li.innerText.includes("old 1000."))`
	browsertest.Evaluate[bool](b, mark+`.scrollIntoView(); window.top0 = `+mark+`.getBoundingClientRect().top; true`)
	s.now.Write(numbered("newer", 200)...)
	b.Until(`document.querySelector("#log ol").lastElementChild.innerText.includes("newer 199.") && !document.getElementById("log-newest").hidden`)
	if moved := browsertest.Evaluate[float64](b, `Math.abs(`+mark+`.getBoundingClientRect().top - window.top0)`); moved > 1 {
		t.Errorf("what is read moved by %.0f px", moved)
	}
	b.Check()
	b.Click("#log-newest")
	b.Until(atNewest + ` && document.getElementById("log-newest").hidden && document.activeElement.id === "log"`)
}

// What becomes of the container is told beside its log, which stays.
func TestLogTellsOfTheContainer(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	b := s.openBrowser()
	s.openLog(b, "?"+ofDatabase)
	s.now.Write("before it crashed")
	b.Until(logSays("before it crashed"))
	kubetest.Simulate(t, s.st.Namespace, "fail=crash-loop", "component=mariadb")
	b.Until(`document.getElementById("log-state").innerText.includes("The container keeps crashing.")`)
	b.Check()
	kubetest.Simulate(t, s.st.Namespace, "fail=none", "component=mariadb")
	b.Until(`document.getElementById("log-state").innerText === ""`)
	s.now.Write("after it crashed")
	b.Until(logSays("after it crashed") + " && " + logSays("before it crashed"))
}

func numbered(word string, n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("%s %d.%s", word, i, strings.Repeat(" lorem", i%40)))
	}
	return lines
}

func TestLogWithoutScripts(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.now.Write("needle", "hay")
	b := s.openBrowser()
	b.Script(false)
	b.Visit(s.url + s.page + "/logs?" + ofDatabase)
	b.Type("#q", "needle")
	b.Click("#log-form button")
	b.WaitFor(`#log li:not([hidden]) .m`)
	if got := s.get(s.owner, s.page+"/logs?"+ofDatabase+"&q=needle").body; strings.Count(got, "<li hidden>") != 2 {
		t.Errorf("%d lines are hidden", strings.Count(got, "<li hidden>"))
	}
	b.Script(true)
}

func TestLogLeavesWithItsReader(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	b := s.openBrowser()
	tab := b.Tab()
	s.openLog(tab, "?"+ofDatabase)
	b.Visit(s.url + "/account")
	b.Click(`form[action="/sign-out"] button`)
	tab.Until(`location.pathname === "/sign-in"`)
}
