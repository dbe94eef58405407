package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"shopwright.dev/shopwright/store"
)

const (
	shownWithin = 0.1 // seconds, for 99 of 100 changes
	podChanges  = 200
	tabTimeout  = 30 * time.Second // for whatever is asked of the browser
)

// pauses are how long a pod stays as it is. Some are shorter than the page's own pause
// between two drawings.
var pauses = []time.Duration{0, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond}

// measureBrowser makes a pod of a store ready, again and again, and looks when a real
// Chromium shows it. The time begins before the request to the API server.
func measureBrowser(ctx context.Context, b *bench) (figures []figure, err error) {
	dir, page, pod, err := shopWithPod(ctx, b)
	if err != nil {
		return nil, err
	}
	p, err := startProcess(ctx, b, dir, b.account)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	tab, closeBrowser, err := openTab(ctx, b)
	if err != nil {
		return nil, err
	}
	defer closeBrowser()
	if err := openPods(tab, p.url, page); err != nil {
		return nil, fmt.Errorf("open the page of the pods: %w", err)
	}
	took, err := pod.flip(ctx, tab)
	if err != nil {
		return nil, err
	}
	return []figure{
		seconds("pod ready to changed row in Chromium", took, aim{}),
		{name: "pod ready to changed row in Chromium, 99 of 100", value: percentile(took, 99).Seconds(), unit: "s", aim: atMost(shownWithin, "")},
	}, nil
}

// shopWithPod makes a store of the user whom the program signs in, and returns the data
// directory with its record, the path of its page, and its pod.
func shopWithPod(ctx context.Context, b *bench) (dir, page string, pod *switchedPod, err error) {
	p, err := newPlatform(ctx, b, b.account, defaultConcurrency)
	if err != nil {
		return "", "", nil, err
	}
	defer p.close()
	name := b.name()
	if err := p.create(ctx, name); err != nil {
		return "", "", nil, err
	}
	pod, err = takePod(ctx, b, store.Namespace(name))
	return p.dir, "/stores/" + p.ids[name], pod, err
}

// openTab starts a Chromium with a profile of its own.
func openTab(ctx context.Context, b *bench) (tab context.Context, end func(), err error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, fmt.Errorf("no Chromium is installed (Debian: apt-get install chromium): %w", err)
	}
	profile, err := os.MkdirTemp(b.scratch, "chromium-")
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.NoFirstRun, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU)
	tab, closeTab := chromedp.NewContext(ctx)
	end = func() { closeTab(); stop() }
	// The first action starts the browser, which ends with that action's context.
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
		end()
		return nil, nil, fmt.Errorf("start Chromium: %w", err)
	}
	return tab, end, nil
}

// openPods signs in, and opens the list of a store's pods.
func openPods(tab context.Context, base, page string) error {
	tab, cancel := context.WithTimeout(tab, tabTimeout)
	defer cancel()
	return chromedp.Do(tab,
		chromedp.Navigate(base+"/sign-in"), chromedp.Click(chromedp.CSS(`form[action="/sign-in/dev"] button`)),
		chromedp.WaitVisible(chromedp.CSS("#store-rows")), chromedp.Navigate(base+page+"/pods"),
		chromedp.WaitVisible(chromedp.CSS(`#live[data-live="on"]`)))
}

// switchedPod is a pod that is ready only when we say so.
type switchedPod struct {
	set kubernetes.Interface
	now *corev1.Pod
}

// startDelay is the annotation by which a simulated pod is told how long to wait before it
// gets ready again.
const startDelay = "shopwright.dev/simulate-start-delay"

// takePod takes the only pod that runs in the namespace out of the simulation's hands.
func takePod(ctx context.Context, b *bench, namespace string) (*switchedPod, error) {
	set, err := kubernetes.NewForConfig(b.admin.config)
	if err != nil {
		return nil, err
	}
	running, err := set.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running"})
	if err != nil {
		return nil, err
	}
	if len(running.Items) != 1 {
		return nil, fmt.Errorf("%d pods run in %s, not one", len(running.Items), namespace)
	}
	pod := &running.Items[0]
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, startDelay, "1h")
	pod, err = set.CoreV1().Pods(namespace).Update(ctx, pod, metav1.UpdateOptions{})
	return &switchedPod{set, pod}, err
}

// flip makes the pod unready and ready in turn, and returns how long the page took each
// time to show that it is ready.
func (p *switchedPod) flip(ctx, tab context.Context) ([]time.Duration, error) {
	if err := watchRow(tab, p.now.Name); err != nil {
		return nil, err
	}
	var took []time.Duration
	for n := range podChanges {
		for _, ready := range []bool{false, true} {
			if err := pass(ctx, pauses[n%len(pauses)]); err != nil {
				return nil, err
			}
			began := time.Now()
			if err := p.become(ctx, ready); err != nil {
				return nil, err
			}
			shown, err := shownAt(tab, ready)
			if err != nil {
				return nil, fmt.Errorf("wait until the page shows change %d: %w", n, err)
			}
			if ready {
				took = append(took, shown.Sub(began))
			}
		}
	}
	return took, nil
}

func (p *switchedPod) become(ctx context.Context, ready bool) (err error) {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	p.now.Status.ContainerStatuses[0].Ready = ready
	for i, c := range p.now.Status.Conditions {
		if c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
			p.now.Status.Conditions[i].Status = status
		}
	}
	p.now, err = p.set.CoreV1().Pods(p.now.Namespace).UpdateStatus(ctx, p.now, metav1.UpdateOptions{})
	return err
}

// watchRow lets the page note what the row of the pod says, and since when.
func watchRow(tab context.Context, pod string) error {
	const script = `(() => {
		const ready = () => document.querySelector('[title="%s"]').closest("tr").textContent.includes("1/1");
		window.shown = { ready: ready() };
		new MutationObserver(() => {
			if (shown.ready !== ready()) shown = { ready: ready(), at: Date.now() };
		}).observe(document.getElementById("main"), { childList: true, subtree: true, characterData: true });
		return true;
	})()`
	_, err := chromedp.Run(tab, chromedp.Evaluate[bool](fmt.Sprintf(script, pod)))
	return err
}

// shownAt returns since when the page shows the pod as ready, or as not ready.
func shownAt(tab context.Context, ready bool) (time.Time, error) {
	tab, cancel := context.WithTimeout(tab, tabTimeout)
	defer cancel()
	const script = `new Promise((done) => { (function look() { shown.ready === %t ? done(shown.at) : setTimeout(look, 2); })(); })`
	at, err := chromedp.Run(tab, chromedp.Evaluate[int64](fmt.Sprintf(script, ready), chromedp.EvalAwaitPromise))
	return time.UnixMilli(at), err
}
