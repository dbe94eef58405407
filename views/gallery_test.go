package views

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var gallery = flag.String("gallery", "", "directory for a screenshot of every page in every state")

// light, dark and phone are the ways in which every page has to look well.
type mode struct {
	name   string
	scheme string
	width  int64
	height int64
}

var modes = []mode{
	{name: "light", scheme: "light", width: 1280, height: 800},
	{name: "dark", scheme: "dark", width: 1280, height: 800},
	{name: "phone", scheme: "light", width: 390, height: 844},
}

const narrowest = 320

// TestGallery opens every page in every state, in every mode, and looks for what
// axe-core, the content security policy or the eye would mind.
func TestGallery(t *testing.T) {
	t.Parallel()
	axe := readAxe(t)
	mux := http.NewServeMux()
	all := states()
	for name, component := range all {
		mux.Handle("GET /"+name, servePage(component))
	}
	mux.HandleFunc("GET /stream", idle)
	base := serve(t, mux)
	ctx := browser(t)
	heard := listen(t, ctx)
	for _, m := range modes {
		set(t, ctx, m)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			t.Run(m.name+"/"+name, func(t *testing.T) {
				visit(t, ctx, base+"/"+name)
				checkAccessibility(t, ctx, axe)
				checkWidth(t, ctx, m)
				picture(t, ctx, name+"."+m.name)
				if text := heard.take(); text != "" {
					t.Errorf("the browser complains: %s", text)
				}
			})
		}
	}
}

func readAxe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../static/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is missing: run npm ci in static: %v", err)
	}
	return string(script)
}

func set(t *testing.T, ctx context.Context, m mode) {
	t.Helper()
	scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: m.scheme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, scheme); err != nil {
		t.Fatalf("set up %s: %v", m.name, err)
	}
	resize(t, ctx, m.width, m.height)
}

func resize(t *testing.T, ctx context.Context, width, height int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatalf("resize to %d: %v", width, err)
	}
}

func visit(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	evaluate[bool](t, ctx, "document.fonts.ready.then(() => true)")
}

// violation is what axe-core found.
type violation struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Where []string `json:"where"`
}

const runAxe = `axe.run(document).then(r => r.violations.map(v => ({
	id: v.id, help: v.help, where: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + (n.any[0]?.message ?? ""))
})))`

func checkAccessibility(t *testing.T, ctx context.Context, axe string) {
	t.Helper()
	evaluate[int](t, ctx, axe+";0")
	found := evaluate[[]violation](t, ctx, runAxe)
	for _, v := range found {
		t.Errorf("%s: %s: %q", v.ID, v.Help, v.Where)
	}
}

// checkWidth makes sure that no page scrolls sideways, on phones down to the narrowest.
func checkWidth(t *testing.T, ctx context.Context, m mode) {
	t.Helper()
	widths := []int64{m.width}
	if m.width < 480 {
		widths = append(widths, narrowest)
	}
	for _, width := range widths {
		resize(t, ctx, width, m.height)
		overflow := evaluate[int](t, ctx, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
		if overflow > 0 {
			t.Errorf("scrolls sideways by %d px at %d px", overflow, width)
		}
	}
	resize(t, ctx, m.width, m.height)
}

func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if *gallery == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("take a picture: %v", err)
	}
	if err := os.WriteFile(filepath.Join(*gallery, fmt.Sprintf("%s.png", name)), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
