package engine_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// The page's pod answers at the shop's own Service, and only when somebody has it made.
func TestMaintenancePageIsAtTheShopsAddress(t *testing.T) {
	everyChart(t, func(t *testing.T, e engine.Engine, objects []runtime.Object) {
		behind := map[string]bool{}
		for _, w := range enginetest.Workloads(objects) {
			if w.Name != "maintenance" {
				continue
			}
			enginetest.Each(objects, func(s *corev1.Service) {
				if selects(t, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, w) && w.Containers()[0].Ports[0].Name == s.Spec.Ports[0].TargetPort.StrVal {
					behind[s.Name] = true
				}
			})
		}
		if want := map[string]string{"woocommerce": "wordpress", "medusa": "medusa"}[e.Name()]; len(behind) != 1 || !behind[want] {
			t.Errorf("it is behind %v, want %s", behind, want)
		}
		enginetest.Each(objects, func(c *batchv1.CronJob) {
			if c.Name == "maintenance" && (c.Spec.Suspend == nil || !*c.Spec.Suspend) {
				t.Error("it comes by itself")
			}
		})
	})
}

func TestMaintenancePage(t *testing.T) {
	t.Parallel()
	const charts = "../../charts/"
	for name, page := range map[string]struct {
		command    func(port string) []string
		api, title string
	}{
		"WooCommerce": {func(port string) []string {
			return []string{php(t), "-S", "127.0.0.1:" + port, charts + "woocommerce/files/maintenance.php"}
		}, "/wp-json/wc/store/v1/cart", "<h1>Tea &amp; &lt;b&gt;</h1>"},
		"Medusa": {func(port string) []string {
			return []string{"node", charts + "medusa/files/maintenance.mjs"}
		}, "/store/carts", "<h1>Tea &#38; &#60;b&#62;</h1>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			command := page.command(port)
			cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
			cmd.Env = append(os.Environ(), "SHOP_NAME=Tea & <b>", "PORT="+port)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			address := "127.0.0.1:" + port
			kubetest.Within(t, "the page is served", func() bool {
				conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
				if err == nil {
					_ = conn.Close()
				}
				return err == nil
			})
			if kind, body := maintained(t.Context(), t, "http://"+address+"/checkout", "text/html"); kind != "text/html; charset=utf-8" || !strings.Contains(body, page.title) {
				t.Errorf("people get %s\n%s", kind, body)
			}
			kind, body := maintained(t.Context(), t, "http://"+address+page.api, "application/json")
			var said struct{ Message string }
			if err := json.Unmarshal([]byte(body), &said); kind != "application/json" || err != nil || said.Message == "" {
				t.Errorf("programs get %s, %v\n%s", kind, err, body)
			}
		})
	}
}

// maintained wants the answer to say that it is not for long.
func maintained(ctx context.Context, t *testing.T, url, accept string) (kind, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it is read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "30" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s answers %s, %v", url, answer.Status, answer.Header)
	}
	return answer.Header.Get("Content-Type"), string(text)
}
