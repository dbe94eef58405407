package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"shopwright.dev/shopwright/store"
)

const (
	shownWithin  = 0.1 // seconds, for 99 of 100 changes
	podChanges   = 100
	betweenPods  = 150 * time.Millisecond
	pageDeadline = time.Minute
)

// watchPods notes in the page when it begins or ends to say of one more pod that it is not
// ready, as the number of milliseconds that the clock shows then.
const watchPods = `(() => {
	const unready = () => document.getElementById("tab-pods").textContent.split("0/1").length;
	let was = unready();
	window.flips = [];
	new MutationObserver(() => {
		if (unready() !== was) { was = unready(); flips.push(performance.timeOrigin + performance.now()); }
	}).observe(document.getElementById("main"), { childList: true, subtree: true, characterData: true });
	return true;
})()`

// flipped waits for the nth time.
const flipped = `new Promise((done) => { (function look() { flips.length >= %d ? done(flips[%d - 1]) : setTimeout(look, 5); })(); })`

// measureBrowser makes a pod of a store ready in the API server, again and again, and looks
// when a real Chromium shows it. The time begins before the request to the API server.
func measureBrowser(ctx context.Context, b *bench) (figures []figure, err error) {
	dir, err := os.MkdirTemp(b.scratch, "browser-")
	if err != nil {
		return nil, err
	}
	p, err := startProcess(ctx, b, dir, b.account)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	cookie, err := p.signIn(ctx)
	if err != nil {
		return nil, err
	}
	slug := b.name()
	page, err := p.createShop(ctx, cookie, slug)
	if err != nil {
		return nil, err
	}
	tab, closeBrowser, err := openPods(dir, p.url, page)
	if err != nil {
		return nil, err
	}
	defer closeBrowser()
	took, err := flipPod(ctx, tab, b, store.Namespace(slug))
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "pod ready to changed row in Chromium, half", value: median(took).Seconds(), unit: "s"},
		{name: "pod ready to changed row in Chromium, 99 of 100", value: percentile(took, 99).Seconds(), unit: "s", aim: atMost(shownWithin, "")},
	}, nil
}

// createShop makes a store as a browser would, and returns the path of its page when it is
// ready.
func (p *process) createShop(ctx context.Context, cookie, slug string) (string, error) {
	form := url.Values{"name": {slug}, "slug": {slug}, "engine": {"woocommerce"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/stores", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Cookie", cookie)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	page := response.Header.Get("Location")
	if err := response.Body.Close(); err != nil || page == "" {
		return "", fmt.Errorf("create %s: %s, %w", slug, response.Status, err)
	}
	return page, p.untilReady(ctx, cookie, page)
}

func (p *process) untilReady(ctx context.Context, cookie, page string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+page, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Cookie", cookie)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return err
		}
		if strings.Contains(string(body), `id="store-head" data-status="ready"`) {
			return nil
		}
		if err := pass(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// openPods opens the list of a store's pods in Chromium.
func openPods(dir, base, page string) (context.Context, func(), error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, fmt.Errorf("no Chromium is installed (Debian: apt-get install chromium): %w", err)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path), chromedp.UserDataDir(dir),
		chromedp.NoFirstRun, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU)
	tab, closeTab := chromedp.NewContext(ctx)
	end := func() { closeTab(); stop() }
	opening, cancel := context.WithTimeout(tab, pageDeadline)
	defer cancel()
	err = chromedp.Do(opening,
		chromedp.Navigate(base+"/"), chromedp.Click(chromedp.CSS(`form[action="/sign-in/dev"] button`)),
		chromedp.WaitVisible(chromedp.CSS("#store-rows")), chromedp.Navigate(base+page+"/pods"),
		chromedp.WaitVisible(chromedp.CSS(`#live[data-live="on"]`)))
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("open the pods: %w", err)
	}
	if _, err := chromedp.Run(opening, chromedp.Evaluate[bool](watchPods)); err != nil {
		end()
		return nil, nil, fmt.Errorf("watch the page: %w", err)
	}
	return tab, end, nil
}

// flipPod makes a pod unready and ready in turn, and returns how long the page took to show
// that it is ready.
func flipPod(ctx context.Context, tab context.Context, b *bench, namespace string) ([]time.Duration, error) {
	set, err := kubernetes.NewForConfig(b.admin.config)
	if err != nil {
		return nil, err
	}
	pod, err := runningPod(ctx, set, namespace)
	if err != nil {
		return nil, err
	}
	tab0 := tab
	tab, cancel := context.WithTimeout(tab, 8*time.Second)
	defer cancel()
	var took []time.Duration
	for n := 1; n <= 2*podChanges; n++ {
		began := time.Now()
		if pod, err = setReady(ctx, set, pod, n%2 == 0); err != nil {
			return nil, err
		}
		shown, err := chromedp.Run(tab, chromedp.Evaluate[float64](fmt.Sprintf(flipped, n, n), chromedp.EvalAwaitPromise))
		if err != nil {
			text, e2 := chromedp.Run(func() context.Context { c, _ := context.WithTimeout(tab0, 5*time.Second); return c }(), chromedp.Evaluate[string](`JSON.stringify([flips, document.getElementById("live").dataset.live, document.getElementById("tab-pods").innerText])`))
			fmt.Println(n, text, e2)
			now, _ := set.CoreV1().Pods(namespace).Get(ctx, pod.Name, metav1.GetOptions{})
			fmt.Println(now.Status.ContainerStatuses[0].Ready, now.Status.Conditions)
			return nil, fmt.Errorf("wait for the page: %w", err)
		}
		if n%2 == 0 {
			took = append(took, time.UnixMicro(int64(shown*1000)).Sub(began))
		}
		if err := pass(ctx, betweenPods); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func runningPod(ctx context.Context, set kubernetes.Interface, namespace string) (*corev1.Pod, error) {
	pods, err := set.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, pod := range pods.Items {
		if pod.Status.Phase == corev1.PodRunning && len(pod.Status.ContainerStatuses) == 1 {
			return &pod, nil
		}
	}
	return nil, fmt.Errorf("no pod runs in %s", namespace)
}

func setReady(ctx context.Context, set kubernetes.Interface, pod *corev1.Pod, ready bool) (*corev1.Pod, error) {
	pod.Status.ContainerStatuses[0].Ready = ready
	for i, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
			pod.Status.Conditions[i].Status = corev1.ConditionFalse
			if ready {
				pod.Status.Conditions[i].Status = corev1.ConditionTrue
			}
		}
	}
	return set.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
}
