package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"shopwright.dev/shopwright/cmd/shopwright/client"
)

// Empty lines keep the connection, and are nothing that somebody wants to read.
func TestALogHasNoEmptyLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "\n\none\n\n", long, "\n\ntwo\n\nthree")
	}))
	defer server.Close()
	var read strings.Builder
	if err := client.New(server.URL, "token").Log(t.Context(), "id", nil, &read); err != nil {
		t.Fatal(err)
	}
	if want := "one\n" + long + "\ntwo\nthree"; read.String() != want {
		t.Errorf("read %.200q", read.String())
	}
}
