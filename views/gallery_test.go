package views

import (
	"flag"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"shopwright.dev/shopwright/views/browsertest"
)

var gallery = flag.String("gallery", "", "directory for a screenshot of every page in every state")

// opened are pages of which something is opened before they are looked at, by what is
// clicked.
func opened() map[string]string {
	return map[string]string{
		"02-stores":           "#store-3 summary",
		"02a-stores-notices":  "#sort-menu summary",
		"02i-many":            "#filter-menu summary",
		"02j-stores-of-teams": "#filter-menu summary",
		"17c-team":            "#team-members summary",
		"31-backups":          "#earlier-drills summary",
		"03-empty":            "#invitation button",
		"06-ready":            `#store-head form[data-dialog] button`,
	}
}

// TestGallery opens every page in every state, in every mode, and looks for what
// axe-core, the content security policy or the eye would mind.
func TestGallery(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	all := states()
	for name, component := range all {
		mux.Handle("GET /"+name, servePage(component))
	}
	mux.HandleFunc("GET /stream", idle)
	mux.HandleFunc("GET /log-stream", idle)
	mux.Handle("GET /stores/7/delete", servePage(deletePage(sampleDelete(""))))
	base, b := serve(t, mux), browsertest.Open(t)
	modes := append(browsertest.Modes(), browsertest.Mode{Name: "zoom", Scheme: "light", Width: 640, Height: 800})
	look := func(t *testing.T, name string) {
		for _, m := range modes {
			t.Run(m.Name, func(t *testing.T) {
				b := b.In(t)
				b.Use(m)
				b.Check()
				picture(b, name+"."+m.Name)
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			b := b.In(t)
			b.Use(modes[0])
			b.Visit(base + "/" + name)
			look(t, name)
			if toggle, ok := opened()[name]; ok {
				b.Use(modes[0])
				b.Click(toggle)
				b.Until(`document.querySelector("dialog[open] input:focus, details[open]") !== null`)
				look(t, name+".open")
			}
		})
	}
}

func picture(b *browsertest.Browser, name string) {
	if *gallery != "" {
		b.Picture(filepath.Join(*gallery, name+".png"))
	}
}
