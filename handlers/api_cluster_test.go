package handlers_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

func TestProgramsSeeTheCluster(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.program(everyScope()...)
	one := "/stores/" + s.st.ID
	shown := read[v1.StoreDetail](t, p.call("GET", one, nil), 200)
	if shown.Pods == nil || shown.Pods.Total == 0 || shown.Pods.Ready != shown.Pods.Total || shown.Health == nil || !shown.Health.Simulated || shown.Work.Running {
		t.Errorf("a store that is ready is %+v", shown)
	}
	if len(shown.Resources) == 0 || shown.Resources[0].Hard == "" {
		t.Errorf("its quota is %+v", shown.Resources)
	}
	pods := read[struct{ Pods []v1.Pod }](t, p.call("GET", one+"/pods", nil), 200).Pods
	if len(pods) == 0 || len(pods[0].Containers) == 0 {
		t.Errorf("the pods are %+v", pods)
	}
	for path, want := range map[string]string{
		"/events": `"Scheduled"`, "/credentials": s.password(), "/releases": `"deployed"`, "/releases/1": `"added"`, "/upgrade?image=mariadb%3D11.8": `mariadb:11.8`,
	} {
		if got := p.call("GET", one+path, nil); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s lacks %q: %d %.300s", path, want, got.status, got.body)
		}
	}
	if health := read[v1.InstallationHealth](t, p.call("GET", "/health", nil), 200); !health.OK || health.Cluster.Version == "" {
		t.Errorf("the health is %+v", health)
	}
	preview := read[v1.Comparison](t, p.call("GET", one+"/upgrade", nil), 200)
	p.wantProblem(p.call("POST", one+"/upgrade", `{"offer": "old"}`), 409, "conflict")
	p.wantProblem(p.call("POST", one+"/upgrade", `{"images": {"none": "1"}}`), 422, "invalid")
	p.wantProblem(p.call("POST", one+"/upgrade", `{"images": {"mariadb": "../x"}}`), 422, "invalid")
	p.wantProblem(p.call("GET", one+"/rollback?to=7", nil), 404, "not_found")
	p.wantProblem(p.call("GET", one+"/logs?pod=none", nil), 404, "not_found")
	p.wantProblem(p.call("GET", one+"/logs?pod=mariadb-0&previous=true", nil), 409, "conflict")
	p.wantProblem(p.call("GET", one+"/logs?since=yesterday", nil), 422, "invalid")
	asked := read[v1.Store](t, p.call("POST", one+"/upgrade", map[string]any{"offer": preview.Digest, "images": map[string]string{"mariadb": "11.8"}}), 202)
	if asked.Status != store.Upgrading {
		t.Errorf("asked for an upgrade, it is %s", asked.Status)
	}
	activity := p.call("GET", "/activity?limit=5", nil)
	for _, want := range []string{`"credentials.shown"`, `"store.upgrade_asked"`, `"token":"test"`} {
		if !strings.Contains(activity.body, want) {
			t.Errorf("the activity lacks %s: %s", want, activity.body)
		}
	}
	s.link.Inject(kubetest.Gone)
	s.link.Cut()
	s.untilAway()
	p.wantProblem(p.call("GET", one+"/pods", nil), 503, "cluster_unreachable")
	away := read[v1.StoreDetail](t, p.call("GET", one, nil), 200)
	if away.Pods != nil || away.Name != "Logged" || read[v1.StoreList](t, p.call("GET", "/stores", nil), 200).Total != 1 {
		t.Errorf("without its cluster the store is %+v", away)
	}
}

// untilAway waits until the cluster is known to be away.
func (s shop) untilAway() {
	s.t.Helper()
	changed, cancel := s.SubscribeCluster()
	defer cancel()
	bound := time.After(patience)
	for s.Cluster().Link != "unreachable" {
		select {
		case <-changed:
		case <-bound:
			s.t.Fatalf("the cluster is %s", s.Cluster().Link)
		}
	}
}

func TestProgramsReadLogs(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.program(store.ReadStores)
	s.now.Write("\x1b[31mred\x1b[0m", "password="+s.password())
	path := "/stores/" + s.st.ID + "/logs?pod=mariadb-0"
	text := p.call("GET", path+"&tail=2", nil)
	if text.status != 200 || !strings.HasPrefix(text.header.Get("Content-Type"), "text/plain") || !strings.Contains(text.body, " red\n") || !strings.Contains(text.body, "password=•••\n") {
		t.Errorf("the log is %d %s", text.status, text.body)
	}
	lines := p.call("GET", path, nil, "Accept: application/x-ndjson")
	last := lines.body[strings.LastIndex(strings.TrimSpace(lines.body), "\n")+1:]
	if line := read[v1.LogLine](t, answer{status: lines.status, body: last}, 200); line.Text != "password=•••" || line.At.IsZero() {
		t.Errorf("its last line is %+v", line)
	}
	if got := p.call("GET", path+"&since=2099-01-02T15:04:05Z", nil); got.status != 200 || got.body != "" {
		t.Errorf("what will be written is %d %s", got.status, got.body)
	}
	following := p.open(path + "&follow=true&tail=1")
	defer func() { _ = following.Body.Close() }()
	read := bufio.NewScanner(following.Body)
	if !read.Scan() {
		t.Fatal("the log is not followed")
	}
	s.now.Write("written later")
	if !read.Scan() || !strings.HasSuffix(read.Text(), " written later") {
		t.Errorf("followed by %q", read.Text())
	}
	p.revoke()
	if read.Scan() {
		t.Errorf("read on with a token that was revoked: %q", read.Text())
	}
}

// open begins to read an answer that goes on.
func (p program) open(path string, headers ...string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+v1.Prefix+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %+v, %v", path, answer, err)
	}
	return answer
}

// revoke ends the token.
func (p program) revoke() {
	p.t.Helper()
	me := read[v1.Me](p.t, p.call("GET", "/me", nil), 200)
	if got := p.call("DELETE", "/tokens/"+me.Token.ID, nil); got.status != http.StatusNoContent {
		p.t.Fatalf("revoke: %d %s", got.status, got.body)
	}
}

// told reads the next event of a stream, passing heartbeats over. It is empty at the end.
func told(lines *bufio.Scanner) (id int64, kind string, e v1.Event) {
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id, _ = strconv.ParseInt(value, 10, 64)
		case "event":
			kind = value
		case "data":
			_ = json.Unmarshal([]byte(value), &e)
			return id, kind, e
		}
	}
	return 0, "", v1.Event{}
}

func TestProgramsFollowEvents(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	stream := p.open("/events")
	defer func() { _ = stream.Body.Close() }()
	lines := bufio.NewScanner(stream.Body)
	if !lines.Scan() || lines.Text() != "retry: 2000" {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	s.foreign()
	first := p.make("First")
	second := p.make("Second")
	number, kind, e := told(lines)
	if kind != "store.created" || e.Store != first.ID || e.Number != number || e.Object != "First" || e.Token != "test" {
		t.Errorf("told %d %s %+v", number, kind, e)
	}
	if _, _, e := told(lines); e.Store != second.ID {
		t.Errorf("then told %+v", e)
	}
	again := p.open("/events?store="+second.ID, "Last-Event-ID: 0")
	defer func() { _ = again.Body.Close() }()
	if _, kind, e := told(bufio.NewScanner(again.Body)); kind != "store.created" || e.Store != second.ID {
		t.Errorf("from the beginning, of one store: %s %+v", kind, e)
	}
	resumed := p.open("/events", "Last-Event-ID: "+strconv.FormatInt(number, 10))
	defer func() { _ = resumed.Body.Close() }()
	if _, _, e := told(bufio.NewScanner(resumed.Body)); e.Store != second.ID {
		t.Errorf("resumed with %+v", e)
	}
	other := s.program(store.ReadStores)
	p.revoke()
	for _, want := range []string{"user.signed_in", "token.created", ""} {
		if _, kind, _ := told(lines); kind != want {
			t.Errorf("%q is told in the place of %q", kind, want)
		}
	}
	p = other
	me := read[v1.Me](t, p.call("GET", "/me", nil), 200)
	left := p.open("/events")
	defer func() { _ = left.Body.Close() }()
	who, _ := storetest.Actor(t, s.db, "another owner")
	owner := s.theDeveloper()
	if err := s.db.AddMember(t.Context(), owner, me.Team.ID, who.UserID, store.Owner); err != nil {
		t.Fatal(err)
	}
	if err := s.db.RemoveMember(t.Context(), owner, me.Team.ID, owner.UserID); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(left.Body); err != nil || strings.Contains(string(text), "member.removed") {
		t.Errorf("who has left the team is told %s, %v", text, err)
	}
}

func TestStreamsOfProgramsAreCounted(t *testing.T) {
	t.Parallel()
	p := serve(t).program(store.ReadStores)
	for range 16 {
		stream := p.open("/events")
		defer func() { _ = stream.Body.Close() }()
	}
	p.wantProblem(p.call("GET", "/events", nil), 429, "limited")
}
