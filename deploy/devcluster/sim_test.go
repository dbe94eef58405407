package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
)

// shop is a namespace with what a store consists of: a Deployment "web", a "mariadb" with a volume, a Job "setup".
type shop struct {
	*lab
	admin *api.Client
	ns    string
}

func (l *lab) newShop(ns string) *shop { return &shop{lab: l, admin: l.admin(), ns: ns} }

func (s *shop) apply(path, manifest string) {
	s.t.Helper()
	path = strings.ReplaceAll(path, "NS", s.ns)
	if err := s.admin.Apply(s.t.Context(), path, []byte(manifest)); err != nil {
		s.t.Fatal(err)
	}
}

// open creates the namespace and all that is in it.
func (s *shop) open() {
	s.t.Helper()
	s.apply("/api/v1/namespaces/NS", "{apiVersion: v1, kind: Namespace, metadata: {name: "+s.ns+"}}")
	s.apply("/apis/apps/v1/namespaces/NS/deployments/web", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web},"+
		" spec: {selector: {matchLabels: {app: web}}, "+podTemplate("web", "Always")+"}}")
	s.apply("/apis/apps/v1/namespaces/NS/statefulsets/mariadb", "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: mariadb},"+
		" spec: {serviceName: mariadb, selector: {matchLabels: {app: mariadb}}, "+podTemplate("mariadb", "Always")+","+
		" volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}")
	s.apply("/apis/batch/v1/namespaces/NS/jobs/setup", "{apiVersion: batch/v1, kind: Job, metadata: {name: setup},"+
		" spec: {backoffLimit: 0, "+podTemplate("setup", "Never")+"}}")
}

func podTemplate(name, restart string) string {
	return fmt.Sprintf("template: {metadata: {labels: {app: %s, app.kubernetes.io/component: %s}}, spec: {restartPolicy: %s,"+
		" initContainers: [{name: prepare, image: shop/prepare:1}], containers: [{name: %s, image: shop/%s:1}]}}", name, name, restart, name, name)
}

// pod is what is seen of a simulated pod.
type pod struct {
	Metadata struct{ Name string }
	Status   struct {
		Phase             string
		PodIP             string
		Conditions        []struct{ Type, Status string }
		ContainerStatuses []struct {
			RestartCount int
			State        struct {
				Waiting    struct{ Reason, Message string }
				Terminated struct {
					ExitCode int
					Message  string
				}
			}
		}
	}
}

// String sums the pod up: "Running ready", "Pending ImagePullBackOff".
func (p pod) String() string {
	words := []string{p.Status.Phase}
	for _, c := range p.Status.Conditions {
		if c.Type == "Ready" && c.Status == "True" {
			words = append(words, "ready")
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		words = append(words, c.State.Waiting.Reason, c.State.Terminated.Message)
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// becomes waits until the component has one pod, and that looks as wanted.
func (s *shop) becomes(component, want string) pod {
	s.t.Helper()
	var only pod
	eventually(s.t, component+" in "+s.ns, func() error {
		var list struct{ Items []pod }
		path := "/api/v1/namespaces/" + s.ns + "/pods?labelSelector=app.kubernetes.io/component=" + component
		if err := s.admin.Get(s.t.Context(), path, &list); err != nil {
			return err
		}
		if got := fmt.Sprint(list.Items); got != "["+want+"]" {
			return fmt.Errorf("pods are %s, want one that is %q", got, want)
		}
		only = list.Items[0]
		return nil
	})
	return only
}

func (s *shop) sim(switches ...string) {
	s.t.Helper()
	s.must(append([]string{"sim", "--state", s.dir, s.ns}, switches...)...)
}

// events are the reasons and messages of the events about a pod.
func (s *shop) events(pod string) string {
	s.t.Helper()
	var list struct {
		Items []struct{ Type, Reason, Message string }
	}
	path := "/api/v1/namespaces/" + s.ns + "/events?fieldSelector=involvedObject.name=" + pod
	if err := s.admin.Get(s.t.Context(), path, &list); err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for _, e := range list.Items {
		lines = append(lines, e.Type+" "+e.Reason+": "+e.Message)
	}
	return strings.Join(lines, "\n")
}

func (s *shop) wantEvent(pod, want string) {
	s.t.Helper()
	if got := s.events(pod); !strings.Contains(got, want) {
		s.t.Errorf("no event %q for %s:\n%s", want, pod, got)
	}
}

const simulatedEnd = `Succeeded {"simulated":true}`

func TestSimulation(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	t.Cleanup(func() { l.must("down", "--state", l.dir, "--wipe") })
	l.up()
	for name, test := range map[string]func(*testing.T, *shop){
		"healthy":                    testHealthy,
		"switch-before-namespace":    testSwitchBeforeNamespace,
		"switch-on-living-pods":      testSwitchOnLivingPods,
		"image-pull-on-living-pods":  testImagePullOnLivingPods,
		"never-ready":                testNeverReady,
		"job-failed":                 testJobFailed,
		"delays":                     testDelays,
		"component-before-namespace": testComponentGoesFirst,
		"image-does-not-exist":       testImageThatDoesNotExist,
		"log-of-one-pod":             testLogOfOnePod,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := *l
			own.t = t
			test(t, own.newShop("store-"+name))
		})
	}
}

func testHealthy(t *testing.T, s *shop) {
	s.open()
	web := s.becomes("web", "Running ready")
	s.becomes("mariadb", "Running ready")
	s.becomes("setup", simulatedEnd)
	s.wantEvent(web.Metadata.Name, `Normal Pulled: Container image "shop/web:1" already present on machine`)
	s.wantEvent(web.Metadata.Name, `Normal Started: Started container web`)
	if web.Status.PodIP == "" {
		t.Error("a running pod has no address")
	}
	// A Helm test hook: a pod that nobody owns.
	s.apply("/api/v1/namespaces/NS/pods/check-order", "{apiVersion: v1, kind: Pod, metadata: {name: check-order,"+
		" labels: {app.kubernetes.io/component: check-order}}, spec: {restartPolicy: Never, containers: [{name: check, image: shop/check:1}]}}")
	s.becomes("check-order", simulatedEnd)
	s.demolish()
}

// demolish deletes the namespace and waits until it and its volume have gone.
func (s *shop) demolish() {
	s.t.Helper()
	start := time.Now()
	if err := s.admin.Delete(s.t.Context(), "/api/v1/namespaces/"+s.ns); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "namespace "+s.ns+" stays", func() error {
		err := s.admin.Get(s.t.Context(), "/api/v1/namespaces/"+s.ns, nil)
		if api.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("there it is (%w)", err)
	})
	s.t.Logf("namespace gone after %v", time.Since(start).Round(10*time.Millisecond))
	eventually(s.t, "volumes stay", func() error {
		var volumes struct {
			Items []struct {
				Spec struct {
					ClaimRef struct{ Namespace string }
				}
			}
		}
		if err := s.admin.Get(s.t.Context(), "/api/v1/persistentvolumes", &volumes); err != nil {
			return err
		}
		for _, v := range volumes.Items {
			if v.Spec.ClaimRef.Namespace == s.ns {
				return fmt.Errorf("%+v", v)
			}
		}
		return nil
	})
}

func testSwitchBeforeNamespace(_ *testing.T, s *shop) {
	s.sim("fail=image-pull", "component=mariadb")
	s.open()
	mariadb := s.becomes("mariadb", "Pending ImagePullBackOff")
	s.becomes("web", "Running ready")
	got := mariadb.Status.ContainerStatuses[0].State.Waiting.Message
	if !strings.HasPrefix(got, `Back-off pulling image "shop/mariadb:1": ErrImagePull: `) || !strings.HasSuffix(got, "shop/mariadb:1: not found") {
		s.t.Errorf("message %q", got)
	}
	s.wantEvent("mariadb-0", `Warning Failed: Error: ImagePullBackOff`)
	if out := s.must("sim", "--state", s.dir, s.ns); out != "mariadb.fail=image-pull" {
		s.t.Errorf("switches:\n%s", out)
	}
	s.sim("fail=none", "component=mariadb")
	s.becomes("mariadb", "Running ready")
}

func testSwitchOnLivingPods(t *testing.T, s *shop) {
	s.open()
	before := s.becomes("web", "Running ready")
	s.sim("fail=crash-loop")
	crashing := s.becomes("web", "Running CrashLoopBackOff")
	if crashing.Metadata.Name != before.Metadata.Name || crashing.Status.ContainerStatuses[0].RestartCount != 1 {
		t.Errorf("%s crashed %d times; before there was %s", crashing.Metadata.Name, crashing.Status.ContainerStatuses[0].RestartCount, before.Metadata.Name)
	}
	s.wantEvent(before.Metadata.Name, "Warning BackOff: Back-off restarting failed container web in pod "+before.Metadata.Name)
	s.sim("fail=none")
	if after := s.becomes("web", "Running ready"); after.Status.ContainerStatuses[0].RestartCount != 1 {
		t.Errorf("restarts are forgotten: %+v", after)
	}
}

func testImagePullOnLivingPods(t *testing.T, s *shop) {
	s.open()
	before := s.becomes("web", "Running ready")
	s.sim("fail=image-pull")
	if after := s.becomes("web", "Pending ImagePullBackOff"); after.Metadata.Name == before.Metadata.Name {
		t.Error("a pod that runs has its image")
	}
}

func testNeverReady(_ *testing.T, s *shop) {
	s.sim("fail=never-ready")
	s.open()
	web := s.becomes("web", "Running")
	s.becomes("setup", "Running")
	s.wantEvent(web.Metadata.Name, "Warning Unhealthy: Readiness probe failed")
	s.sim("fail=none")
	s.becomes("web", "Running ready")
	s.becomes("setup", simulatedEnd)
}

func testJobFailed(t *testing.T, s *shop) {
	s.sim("fail=job-failed")
	s.open()
	s.becomes("web", "Running ready")
	s.becomes("setup", "Failed simulated failure")
	eventually(t, "the job does not fail", func() error {
		var job struct{ Status struct{ Failed int } }
		if err := s.admin.Get(t.Context(), "/apis/batch/v1/namespaces/"+s.ns+"/jobs/setup", &job); err != nil {
			return err
		}
		if job.Status.Failed != 1 {
			return fmt.Errorf("failed pods: %d", job.Status.Failed)
		}
		return nil
	})
}

func testDelays(t *testing.T, s *shop) {
	const delay = 2 * time.Second
	s.sim("start-delay=2s", "job-duration=1h")
	start := time.Now()
	s.open()
	s.becomes("web", "Running ready")
	if took := time.Since(start); took < delay {
		t.Errorf("ready after %v", took)
	}
	s.becomes("setup", "Running ready")
	s.sim("job-duration=none")
	s.becomes("setup", simulatedEnd)
}

func testComponentGoesFirst(_ *testing.T, s *shop) {
	s.sim("fail=never-ready")
	s.sim("fail=crash-loop", "component=web")
	s.open()
	s.becomes("mariadb", "Running")
	s.becomes("web", "Running CrashLoopBackOff")
	s.sim("fail=none", "component=web")
	s.becomes("web", "Running")
}

func testImageThatDoesNotExist(_ *testing.T, s *shop) {
	s.apply("/api/v1/namespaces/NS", "{apiVersion: v1, kind: Namespace, metadata: {name: "+s.ns+"}}")
	eventually(s.t, "a pod", func() error {
		return s.admin.Apply(s.t.Context(), "/api/v1/namespaces/"+s.ns+"/pods/typo", []byte("{apiVersion: v1, kind: Pod, metadata: {name: typo,"+
			" labels: {app.kubernetes.io/component: typo}}, spec: {containers: [{name: typo, image: shop/does-not-exist:1}]}}"))
	})
	s.becomes("typo", "Pending ImagePullBackOff")
}

func testLogOfOnePod(t *testing.T, s *shop) {
	s.open()
	web, mariadb := s.becomes("web", "Running ready"), s.becomes("mariadb", "Running ready")
	file := filepath.Join(t.TempDir(), "web.log")
	if err := os.WriteFile(file, []byte(`2026-01-02T03:04:05Z stdout F {"says": "its own"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.apply("/apis/kwok.x-k8s.io/v1alpha1/namespaces/NS/logs/"+web.Metadata.Name, "{apiVersion: kwok.x-k8s.io/v1alpha1, kind: Logs,"+
		" metadata: {name: "+web.Metadata.Name+"}, spec: {logs: [{logsFile: "+file+"}]}}")
	var line struct{ Says string }
	eventually(t, "the log of one pod", func() error {
		err := s.admin.Get(t.Context(), "/api/v1/namespaces/"+s.ns+"/pods/"+web.Metadata.Name+"/log", &line)
		if err == nil && line.Says != "its own" {
			err = fmt.Errorf("it says %q", line.Says)
		}
		return err
	})
	err := s.admin.Get(t.Context(), "/api/v1/namespaces/"+s.ns+"/pods/"+mariadb.Metadata.Name+"/log", &line)
	if err == nil || !strings.Contains(err.Error(), "decode") {
		t.Errorf("the log of the other pod is that of the first: %+v, %v", line, err)
	}
}
