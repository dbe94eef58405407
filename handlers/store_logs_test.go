package handlers_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// shop is a store that is ready on the control plane, and the log of its database.
type shop struct {
	site
	*provisioner.Provisioner
	link          *kubetest.Link
	owner         *http.Client
	st            store.Store
	page          string
	now, previous *kubetest.PodLog
}

const ofDatabase = "of=mariadb-0%2Fmariadb"

// connect is a site with those engines and a cluster, and nothing on it yet; the provisioner is as changed by the test.
func connect(t *testing.T, engines engine.Registry, changes ...func(*provisioner.Config)) shop {
	t.Helper()
	s := shop{site: prepare(t), link: kubetest.NewLink(t)}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	config := provisioner.Config{
		DB: s.db, Cluster: storetest.Cluster(t, s.db), Engines: engines, Site: engine.Spec{Environment: "local", TLS: engine.TLS{Mode: engine.TLSNone}},
		Connect: func(context.Context, func(provisioner.Progress)) (*rest.Config, error) {
			return s.link.Config(), nil
		},
		Holder: uuid.NewString(), Log: log, Timeout: patience, Concurrency: store.Concurrency{Global: 2},
	}
	for _, change := range changes {
		change(&config)
	}
	s.Provisioner = provisioner.New(config)
	s.app.Drain()
	s.app = handlers.New(handlers.Config{
		DB: s.db, Provisioner: s.Provisioner, Engines: engines, SessionKeys: [][]byte{[]byte(strings.Repeat("k", 32))}, BaseURL: "http://127.0.0.1",
		ClusterTimeout: patience, DevLogin: true, Version: "test", Log: log,
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	s.site = open(s.site)
	s.owner = s.developer()
	return s
}

// openShop is a site with a cluster, on which the developer has opened a store.
func openShop(t *testing.T) shop {
	t.Helper()
	s := connect(t, engine.Offered())
	made := s.post(s.owner, "/stores", url.Values{"name": {"Logged"}, "slug": {"logged-" + uuid.NewString()[24:]}, "engine": {"woocommerce"}})
	s.page = made.location
	s.untilReady(strings.TrimPrefix(s.page, "/stores/"))
	s.now, s.previous = kubetest.NewPodLog(t, s.st.Namespace, "mariadb-0", "mariadb")
	return s
}

func (s *shop) untilReady(id string) {
	s.t.Helper()
	sub := s.db.Subscribe()
	defer sub.Close()
	bound := time.After(patience)
	for {
		st, err := s.db.UnguardedStore(s.t.Context(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		if s.st = st; st.Status == store.Ready {
			break
		}
		select {
		case <-sub.Events:
		case <-bound:
			s.t.Fatalf("the store is %s: %+v", st.Status, st.Job.Failure)
		}
	}
	s.t.Cleanup(func() {
		_ = kubetest.Admin(s.t).CoreV1().Namespaces().Delete(context.Background(), s.st.Namespace, metav1.DeleteOptions{})
	})
}

func (s shop) password() string {
	s.t.Helper()
	login, err := s.Credentials(s.t.Context(), s.st)
	if err != nil {
		s.t.Fatal(err)
	}
	return login.Password
}

func TestLogPage(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.now.Write("<script>alert(1)</script> \x1b[31mred\x1b[0m", "password="+s.password(), "GET /shop 200", strings.Repeat("-", 100_000))
	s.previous.Write("what was before")
	for query, wants := range map[string][]string{
		"":                            {"mariadb-0 · mariadb", "Simulated: no containers run", " hx-morph-skip ", `class="sw-log live"`},
		ofDatabase:                    {"&lt;script&gt;alert(1)&lt;/script&gt; red<", ">password=•••<", "GET /shop 200", "83616 more bytes", `no-times`},
		ofDatabase + "&times=on":      {`class="sw-log live"`},
		ofDatabase + "&q=SHOP":        {`<li hidden><time`, `<li><time`, "1 of 5"},
		ofDatabase + "&previous=on":   {"The container has not been restarted.", "checked"},
		"of=mariadb-1%2Fmariadb":      {"This pod no longer exists.", "Log not found.", `<option value="mariadb-1/mariadb" selected>mariadb-1 · mariadb</option>`},
		"of=%3Cimg%3E%2F..%2F..":      {"This pod no longer exists.", "&lt;img&gt;"},
		ofDatabase + "&tail=99999999": {`<option value="500" selected`},
	} {
		got := s.get(s.owner, s.page+"/logs?"+query)
		if got.status != http.StatusOK {
			t.Errorf("?%s answers %d", query, got.status)
		}
		for _, want := range wants {
			if !strings.Contains(got.body, want) {
				t.Errorf("?%s lacks %q", query, want)
			}
		}
		for _, never := range []string{s.password(), "\x1b", "<script>alert", "<img>"} {
			if strings.Contains(got.body, never) {
				t.Errorf("?%s says %q", query, never)
			}
		}
	}
	kubetest.Simulate(t, s.st.Namespace, "fail=crash-loop", "component=mariadb")
	s.untilPage(ofDatabase+"&previous=on", "what was before")
	s.untilPage(ofDatabase, "The container keeps crashing.")
}

// untilPage asks for the page until it has the text.
func (s shop) untilPage(query, want string) {
	s.t.Helper()
	bound := time.After(patience)
	for !strings.Contains(s.get(s.owner, s.page+"/logs?"+query).body, want) {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-bound:
			s.t.Fatalf("?%s never says %q", query, want)
		}
	}
}

func TestLogDownload(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.now.Write("password="+s.password(), strings.Repeat("-", 20_000))
	got := s.get(s.owner, s.page+"/logs/download?"+ofDatabase)
	want := fmt.Sprintf(`attachment; filename="%s_mariadb-0_mariadb.log"`, s.st.Slug)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/plain; charset=utf-8" || got.header.Get("Content-Disposition") != want || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the download answers %d with %v", got.status, got.header)
	}
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "Z begins") || !strings.HasSuffix(lines[1], " password=•••") || !strings.HasSuffix(lines[2], "--- … 3616 more bytes") {
		t.Errorf("the download has %d lines: %.100q … %q", len(lines), got.body, got.body[max(0, len(got.body)-100):])
	}
	for query, status := range map[string]int{
		"of=mariadb-1%2Fmariadb":    http.StatusNotFound,
		"of=..%2F..%2Fsecrets":      http.StatusNotFound,
		"":                          http.StatusNotFound,
		ofDatabase + "&previous=on": http.StatusConflict,
	} {
		if got := s.get(s.owner, s.page+"/logs/download?"+query); got.status != status || got.header.Get("Content-Disposition") != "" {
			t.Errorf("?%s answers %d, want %d", query, got.status, status)
		}
	}
}

// read opens the stream of the database's log.
func (s shop) read(after string) reader {
	s.t.Helper()
	return s.listen(s.owner, s.page+"/logs/stream?"+ofDatabase+"&after="+after, nil)
}

func TestLogStream(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	first := s.read("")
	first.until(">begins<")
	s.now.Write("one <b>", s.password())
	if told := first.sayingThrough("•••"); strings.Contains(told, "<b>") || !strings.Contains(told, "one &lt;b&gt;") {
		t.Errorf("the stream says %s", told)
	}
	s.now.Write("two")
	last := first.until("two").event
	s.now.Write("three", "four")
	if again := s.read(last).sayingThrough("four"); strings.Contains(again, "two") || !strings.Contains(again, "three") || strings.Contains(again, "missing") {
		t.Errorf("who knows all up to two is told %s", again)
	}
	if told := s.read("1-1").sayingThrough("four"); !strings.Contains(told, "Some lines are missing here.") {
		t.Errorf("who knows what is not in the log any more is told %s", told)
	}
	if got := s.get(s.owner, s.page+"/logs/stream?of=mariadb-1%2Fmariadb"); got.status != http.StatusNotFound {
		t.Errorf("the stream of a pod that is not there answers %d", got.status)
	}
}

func TestPagesOfLogsFollowThePods(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	waiting := s.follow(s.owner, "view=store&tab=logs&id="+s.st.ID, -1)
	if m := waiting.until("Show logs"); !strings.Contains(m.targets(), "tab-logs") {
		t.Errorf("who waits for pods is told %s", m.targets())
	}
	chosen := s.follow(s.owner, "view=store&tab=logs&"+ofDatabase+"&id="+s.st.ID, -1)
	if m := chosen.until("mariadb-0 · mariadb"); !strings.HasSuffix(m.targets(), "log-sources log-state") {
		t.Errorf("who looks at a log is told %s", m.targets())
	}
	kubetest.Simulate(t, s.st.Namespace, "start-delay=1h", "component=mariadb")
	if err := kubetest.Admin(t).CoreV1().Pods(s.st.Namespace).Delete(t.Context(), "mariadb-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	chosen.until("The container has not started.")
}

// A log that is followed goes on when it breaks off, and when its container is started again.
func TestLogStreamOutlivesCutsAndRestarts(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	r := s.read("")
	r.until(">begins<")
	s.link.Cut()
	s.now.Write("after the cut")
	if told := r.sayingThrough("after the cut"); strings.Contains(told, "begins") || strings.Contains(told, "missing") {
		t.Errorf("after a cut the stream says %s", told)
	}
	kubetest.Simulate(t, s.st.Namespace, "fail=crash-loop", "component=mariadb")
	s.untilRestarts(1)
	kubetest.Simulate(t, s.st.Namespace, "fail=none", "component=mariadb")
	kubetest.Within(t, "the container stays", func() bool { return s.container().State.Kind == "running" })
	for range 2 { // the restart is told with the first line after it, however often the log is opened until then
		before := s.openings()
		s.link.Cut()
		kubetest.Within(t, "the log is opened again", func() bool { return s.openings() > before })
	}
	s.now.Write("after the restart")
	if told := r.sayingThrough("after the restart"); !strings.Contains(told, "The container restarted.") || strings.Contains(told, "after the cut") {
		t.Errorf("after a restart the stream says %s", told)
	}
}

// container is the one whose log is read.
func (s shop) container() kube.Container {
	snapshot, _ := s.Snapshot(s.st)
	c, _ := provisioner.FindContainer(snapshot.Pods, "mariadb-0", "mariadb")
	return c
}

// openings is how often logs were opened.
func (s shop) openings() (n int) {
	for _, r := range s.link.Requests() {
		if strings.HasSuffix(r.Path, "/log") {
			n++
		}
	}
	return n
}

func (s shop) untilRestarts(n int32) {
	s.t.Helper()
	changed, cancel := s.SubscribeStore(s.st)
	defer cancel()
	bound := time.After(patience)
	for {
		if s.container().Restarts >= n {
			return
		}
		select {
		case <-changed:
		case <-bound:
			s.t.Fatalf("the container is not started again: %+v", s.container())
		}
	}
}

func TestLogStreamsEndWithTheRight(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	viewer, remove := s.viewer()
	left, stays := s.listen(viewer, s.page+"/logs/stream?"+ofDatabase, nil), s.read("")
	left.until(">begins<")
	stays.until(">begins<")
	remove()
	left.untilEnd()
	if got := s.get(viewer, s.page+"/logs/stream?"+ofDatabase); got.status != http.StatusNotFound {
		t.Errorf("who may not see the store is answered %d", got.status)
	}
	s.now.Write("still there")
	stays.until("still there")
	s.post(s.owner, "/sign-out", nil)
	stays.untilEnd()
}

// viewer is a member of the store's team, until removed.
func (s shop) viewer() (b *http.Client, remove func()) {
	s.t.Helper()
	session, err := s.db.SignIn(s.t.Context(), store.Identity{Provider: "development login", Subject: "developer"}, store.Browser{})
	if err != nil {
		s.t.Fatal(err)
	}
	owner, err := s.db.Session(s.t.Context(), session)
	if err != nil {
		s.t.Fatal(err)
	}
	b, id := s.administrator()
	if err := s.db.AddMember(s.t.Context(), owner.Actor, s.st.TeamID, id, store.Viewer); err != nil {
		s.t.Fatal(err)
	}
	return b, func() {
		s.t.Helper()
		if err := s.db.RemoveMember(s.t.Context(), owner.Actor, s.st.TeamID, id); err != nil {
			s.t.Fatal(err)
		}
	}
}

// administrator has signed in by a link.
func (s shop) administrator() (b *http.Client, id string) {
	s.t.Helper()
	secret, err := s.db.CreateLoginLink(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	b = s.browser()
	if got := s.post(b, "/sign-in/link", url.Values{"key": {secret}}); got.status != http.StatusSeeOther {
		s.t.Fatalf("sign in by a link: %d", got.status)
	}
	session, err := s.db.SignIn(s.t.Context(), store.Identity{Provider: store.LoginLink, Subject: "administrator"}, store.Browser{})
	if err != nil {
		s.t.Fatal(err)
	}
	user, err := s.db.Session(s.t.Context(), session)
	if err != nil {
		s.t.Fatal(err)
	}
	return b, user.User.ID
}

func TestLogStreamsAreNotWithoutEnd(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	var readers []reader
	for range 8 {
		readers = append(readers, s.read(""))
	}
	if got := s.get(s.owner, s.page+"/logs/stream?"+ofDatabase); got.status != http.StatusTooManyRequests {
		t.Errorf("one more is answered %d", got.status)
	}
	if got := s.get(s.owner, s.page+"/logs/download?"+ofDatabase); got.status != http.StatusTooManyRequests {
		t.Errorf("a download as well is answered %d", got.status)
	}
	s.app.Drain()
	for _, r := range readers {
		r.untilEnd()
	}
	if got := s.get(s.owner, s.page+"/logs/stream?"+ofDatabase); got.status != http.StatusServiceUnavailable {
		t.Errorf("after the end it is answered %d", got.status)
	}
}

func TestWhoStopsReadingALogIsDropped(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	narrowed, closed := openNarrow(s.site)
	s.site = narrowed
	stalled, reading := s.stall(s.owner, s.page+"/logs/stream?"+ofDatabase), s.read("")
	bound := time.After(patience)
	for n := 0; ; n++ {
		text := fmt.Sprintf("line %d.", n)
		s.now.Write(strings.Repeat("-", 10_000), text)
		reading.until(text) // others are not held up
		select {
		case address := <-closed:
			if address == stalled {
				return
			}
		case <-bound:
			t.Fatal("a reader who stopped reading is kept")
		default:
		}
	}
}

func TestLogsWithoutACluster(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Shop")
	if got := s.get(b, page+"/logs"); got.status != http.StatusOK || !strings.Contains(got.body, "The cluster is unreachable") {
		t.Errorf("the page answers %d", got.status)
	}
	if got := s.get(b, page+"/logs?"+ofDatabase); got.status != http.StatusOK || !strings.Contains(got.body, "The log appears when it is back.") {
		t.Errorf("the page of a container answers %d", got.status)
	}
	if got := s.get(b, page+"/logs/download?"+ofDatabase); got.status != http.StatusServiceUnavailable {
		t.Errorf("the download answers %d", got.status)
	}
}
