package kubetest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
)

// PodLog is what the simulated node serves as the log of one pod, instead of the line that
// it has for all.
type PodLog struct {
	t    testing.TB
	file string
}

// NewPodLog gives a pod a log, and one of the container before the last restart. It returns
// when both are served.
func NewPodLog(t testing.TB, namespace, pod, container string) (now, previous *PodLog) {
	t.Helper()
	dir := t.TempDir()
	now, previous = &PodLog{t, filepath.Join(dir, "now.log")}, &PodLog{t, filepath.Join(dir, "previous.log")}
	now.Write("begins")
	previous.Write("began before")
	admin := Admin(t)
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs", "metadata": map[string]string{"name": pod, "namespace": namespace},
		"spec": map[string]any{"logs": []map[string]string{{"logsFile": now.file, "previousLogsFile": previous.file}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/apis/kwok.x-k8s.io/v1alpha1/namespaces/%s/logs", namespace)
	err = admin.CoreV1().RESTClient().Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body(manifest).Do(t.Context()).Error()
	if err != nil {
		t.Fatalf("give %s a log: %v", pod, err)
	}
	untilServed(t, admin, namespace, pod, container)
	return now, previous
}

func untilServed(t testing.TB, admin kubernetes.Interface, namespace, pod, container string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request := func() string {
		text, err := admin.CoreV1().RESTClient().Get().Namespace(namespace).Resource("pods").Name(pod).SubResource("log").
			Param("container", container).Do(ctx).Raw()
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for said := request(); said != "begins\n"; said = request() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the log of %s is not served: %s", pod, said)
		}
	}
}

// Write appends lines, as if the container wrote them now.
func (l *PodLog) Write(lines ...string) {
	l.t.Helper()
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "%s stdout F %s\n", time.Now().UTC().Format(time.RFC3339Nano), line)
	}
	file, err := os.OpenFile(l.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	_, err = file.WriteString(text.String())
	if closing := file.Close(); err != nil || closing != nil {
		l.t.Fatal(err, closing)
	}
}
