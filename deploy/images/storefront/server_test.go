package storefront_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// A proxy keeps its connections and goes on asking: a server that only stops listening would serve it
// until the kubelet kills it.
func TestServerThatIsToEndLetsGoOfItsConnections(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	medusa := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-answer
	}))
	t.Cleanup(medusa.Close)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil { // read by the test, so that a change of them is another result
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "server.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PORT=0", "MEDUSA_URL="+medusa.URL, "PUBLISHABLE_KEY=pk", "SHOP_URL=http://shop.localhost")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + regexp.MustCompile(`[0-9]+$`).FindString(strings.TrimSpace(first))
	answered := make(chan *http.Response, 1)
	go func() {
		defer close(answered)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/ready", nil)
		if err != nil {
			return
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			answered <- response
		}
	}()
	<-asked
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	kubetest.Within(t, "it takes no more connections", func() bool {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(answer)
	if response := <-answered; response == nil || response.StatusCode != http.StatusOK || !response.Close {
		t.Errorf("who is being served gets %+v", response)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
}
