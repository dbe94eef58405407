package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// serve answers every request with one status and body, and returns a client and the requests as they come.
func serve(t *testing.T, code int, body string) (*Client, <-chan string) {
	t.Helper()
	requests := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests <- r.Method + " " + r.URL.String() + " " + r.Header.Get("Content-Type") + " " + string(sent)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return &Client{server: server.URL, http: server.Client()}, requests
}

func TestApplyIsServerSide(t *testing.T) {
	t.Parallel()
	c, requests := serve(t, http.StatusOK, "{}")
	if err := c.Apply(t.Context(), "/api/v1/namespaces/x", []byte("kind: Namespace")); err != nil {
		t.Fatal(err)
	}
	want := "PATCH /api/v1/namespaces/x?force=true&fieldManager=devcluster application/apply-patch+yaml kind: Namespace"
	if got := <-requests; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestErrorsCarryTheStatusMessage(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, http.StatusForbidden, `{"kind":"Status","message":"pods is forbidden"}`)
	err := c.Get(t.Context(), "/api/v1/pods", nil)
	status, ok := errors.AsType[*StatusError](err)
	if !ok || status.Code != http.StatusForbidden || status.Message != "pods is forbidden" {
		t.Errorf("error %v", err)
	}
	if err.Error() != "GET /api/v1/pods: 403: pods is forbidden" {
		t.Errorf("error %v", err)
	}
}

func TestAnErrorThatIsNoStatusIsShownAsItIs(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, http.StatusInternalServerError, "etcdserver: request timed out\n")
	if err := c.Get(t.Context(), "/readyz", nil); err == nil || err.Error() != "GET /readyz: 500: etcdserver: request timed out" {
		t.Errorf("error %v", err)
	}
}

func TestDeleteOfWhatIsGone(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, http.StatusNotFound, `{"message":"not found"}`)
	if err := c.Delete(t.Context(), "/api/v1/namespaces/x"); err != nil {
		t.Error(err)
	}
}

func TestCreateReadsTheAnswer(t *testing.T) {
	t.Parallel()
	c, requests := serve(t, http.StatusCreated, `{"status":{"token":"abc"}}`)
	var answer struct{ Status struct{ Token string } }
	if err := c.Create(t.Context(), "/token", map[string]int{"n": 1}, &answer); err != nil {
		t.Fatal(err)
	}
	if got := <-requests; got != `POST /token application/json {"n":1}` || answer.Status.Token != "abc" {
		t.Errorf("sent %s, answer %+v", got, answer)
	}
}
