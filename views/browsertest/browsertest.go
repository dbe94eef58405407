// Package browsertest drives a real Chromium through pages and looks for what axe-core, the
// content security policy or the eye would mind.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// narrowest is the width in pixels down to which no page may scroll sideways.
const narrowest = 320

// Mode is a way in which every page has to look well.
type Mode struct {
	Name   string
	Scheme string // light or dark
	Width  int64
	Height int64
}

// Modes are light and dark on a desk, and a phone.
func Modes() []Mode {
	return []Mode{
		{Name: "light", Scheme: "light", Width: 1280, Height: 800},
		{Name: "dark", Scheme: "dark", Width: 1280, Height: 800},
		{Name: "phone", Scheme: "light", Width: 390, Height: 844},
	}
}

// Browser is a Chromium with a profile of its own, which ends with the test.
type Browser struct {
	Ctx  context.Context //nolint:containedctx // chromedp keeps the browser in it
	t    *testing.T
	axe  string
	mode Mode

	mu         sync.Mutex
	complaints []string
}

// Open starts Chromium, with more options than ours if there are any. Without one the test
// fails and says what to install.
func Open(t *testing.T, more ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	path := chromium(t)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.NoSandbox,
		chromedp.Headless, chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
	}, more...)...)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	t.Cleanup(cancel)
	b := &Browser{Ctx: ctx, t: t, axe: readAxe(t)}
	b.begin()
	return b
}

// Tab opens another tab of the same browser, with the same cookies. Both are in sight.
func (b *Browser) Tab() *Browser {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.Ctx)
	b.t.Cleanup(closeTab)
	tab := &Browser{Ctx: ctx, t: b.t, axe: b.axe}
	tab.begin()
	return tab
}

// begin prepares the tab, which starts the browser if it is the first.
func (b *Browser) begin() {
	b.t.Helper()
	if _, err := chromedp.Call(b.Ctx, log.Enable, cdp.Empty{}); err != nil {
		b.t.Fatalf("start Chromium: %v", err)
	}
	b.listen()
	b.Use(Modes()[0])
}

// In returns the same browser for a subtest, which gets its failures.
func (b *Browser) In(t *testing.T) *Browser {
	b.t = t
	return b
}

// Use makes pages look as in that mode.
func (b *Browser) Use(m Mode) {
	b.t.Helper()
	scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: m.Scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"}, // colours are looked at, not how they change
	}}
	if _, err := chromedp.Call(b.Ctx, emulation.SetEmulatedMedia, scheme); err != nil {
		b.t.Fatalf("set up %s: %v", m.Name, err)
	}
	b.mode = m
	b.Resize(m.Width, m.Height)
}

// Resize changes the window's size, in pixels.
func (b *Browser) Resize(width, height int64) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, height))
}

// Visit opens a page and waits until it is drawn.
func (b *Browser) Visit(address string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main")))
}

// Do runs actions.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
}

// Evaluate runs a script in the page and waits for its promise, if it is one.
func Evaluate[T any](b *Browser, script string) T {
	b.t.Helper()
	result, err := chromedp.Run(b.Ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("run %.60q: %v", script, err)
	}
	return result
}

// Check looks at the page as it stands: accessibility, width, and what the browser itself
// complained of.
func (b *Browser) Check() {
	b.t.Helper()
	b.checkAccessibility()
	b.checkWidth()
	if text := b.Complaints(); text != "" {
		b.t.Errorf("the browser complains: %s", text)
	}
}

// Complaints returns what the browser said against its pages since the last time.
func (b *Browser) Complaints() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := strings.Join(b.complaints, "\n")
	b.complaints = nil
	return text
}

// Picture writes a screenshot of the whole page to the file.
func (b *Browser) Picture(path string) {
	b.t.Helper()
	png, err := chromedp.Run(b.Ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatalf("take a picture: %v", err)
	}
	if err := os.WriteFile(path, png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// violation is what axe-core found.
type violation struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Where []string `json:"where"`
}

const runAxe = `axe.run(document, %s).then(r => r.violations.map(v => ({
	id: v.id, help: v.help, where: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + (n.any[0]?.message ?? ""))
})))`

// axeOptions let axe-core keep one example of what passes each rule, which takes a fraction of the time on long pages.
// In the dark a page differs from the light one in its colours alone.
func (m Mode) axeOptions() string {
	if m.Scheme == "dark" {
		return `{resultTypes: ["violations"], runOnly: ["color-contrast"]}`
	}
	return `{resultTypes: ["violations"]}`
}

func (b *Browser) checkAccessibility() {
	b.t.Helper()
	Evaluate[bool](b, "document.fonts.ready.then(() => true)")
	if !Evaluate[bool](b, `"axe" in window`) {
		Evaluate[int](b, b.axe+";0")
	}
	for _, v := range Evaluate[[]violation](b, fmt.Sprintf(runAxe, b.mode.axeOptions())) {
		b.t.Errorf("%s: %s: %q", v.ID, v.Help, v.Where)
	}
}

// checkWidth makes sure that the page does not scroll sideways, on phones down to the
// narrowest.
func (b *Browser) checkWidth() {
	b.t.Helper()
	widths := []int64{b.mode.Width}
	if b.mode.Width < 480 {
		widths = append(widths, narrowest)
	}
	for _, width := range widths {
		b.Resize(width, b.mode.Height)
		overflow := Evaluate[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
		if overflow > 0 {
			b.t.Errorf("scrolls sideways by %d px at %d px", overflow, width)
		}
	}
	b.Resize(b.mode.Width, b.mode.Height)
}

func (b *Browser) listen() {
	err := chromedp.Listen(b.Ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				b.complain(e.Entry.Text + " " + e.Entry.URL)
			}
		case *cdpruntime.EventExceptionThrown:
			b.complain(e.ExceptionDetails.Text)
		case *cdpruntime.EventConsoleAPICalled:
			if e.Type == cdpruntime.ConsoleAPICalledTypeError || e.Type == cdpruntime.ConsoleAPICalledTypeWarning {
				b.complain(string(e.Type) + " on the console")
			}
		}
	})
	if err != nil {
		b.t.Fatalf("listen: %v", err)
	}
}

func (b *Browser) complain(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, line)
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Fatal("Chromium is missing: install it (Debian: apt-get install chromium), or name it in CHROMIUM")
	return ""
}

func readAxe(t *testing.T) string {
	t.Helper()
	script, err := readAbove("static/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is missing: run npm ci in static: %v", err)
	}
	return string(script)
}

// readAbove reads a file of the module that is tested: tests run in their package's folder, somewhere below.
func readAbove(path string) (content []byte, err error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		content, err = os.ReadFile(filepath.Join(dir, path))
		if err == nil || dir == filepath.Dir(dir) {
			return content, err
		}
		dir = filepath.Dir(dir)
	}
}

// Click clicks the first element that the CSS selector finds, once it is visible.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.onElement(chromedp.Click(chromedp.CSS(selector), chromedp.RetryInterval(retryInterval)))
}

// Type types into the first element that the CSS selector finds.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	b.onElement(chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.RetryInterval(retryInterval)))
}

// WaitFor returns when the page has an element that the CSS selector finds and that can be
// seen, without any reloading.
func (b *Browser) WaitFor(selector string) {
	b.t.Helper()
	b.onElement(chromedp.WaitVisible(chromedp.CSS(selector), chromedp.RetryInterval(retryInterval)))
}

// Script switches the pages' own scripts on or off, from the next page on.
func (b *Browser) Script(on bool) {
	b.t.Helper()
	off := emulation.SetScriptExecutionDisabledParams{Value: !on}
	if _, err := chromedp.Call(b.Ctx, emulation.SetScriptExecutionDisabled, off); err != nil {
		b.t.Fatalf("switch scripts: %v", err)
	}
}
