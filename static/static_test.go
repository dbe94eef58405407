package static

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, method, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Result()
}

func TestHandlerServesHashedNamesForEver(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{
		"app.css":                             "text/css; charset=utf-8",
		"app.js":                              "text/javascript; charset=utf-8",
		"icons/mark.svg":                      "image/svg+xml",
		"fonts/inter-latin-wght-normal.woff2": "font/woff2",
	}
	for name, kind := range kinds {
		if !regexp.MustCompile(`\.[0-9a-f]{8}\.`).MatchString(Path(name)) {
			t.Errorf("Path(%q) = %q carries no hash", name, Path(name))
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			res := get(t, method, Path(name))
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s %s = %d", method, Path(name), res.StatusCode)
			}
			if got := res.Header.Get("Cache-Control"); got != forEver {
				t.Errorf("%s %s: Cache-Control %q", method, Path(name), got)
			}
			if got := res.Header.Get("Content-Type"); got != kind {
				t.Errorf("%s %s: Content-Type %q, want %q", method, Path(name), got, kind)
			}
			if res.ContentLength <= 0 && res.Header.Get("Content-Length") == "" {
				t.Errorf("%s %s has no length", method, Path(name))
			}
		}
	}
}

func TestHandlerRefusesTheRest(t *testing.T) {
	t.Parallel()
	want := map[string]int{
		"/static/":                         http.StatusNotFound,
		"/static/none.css":                 http.StatusNotFound,
		"/static/app.00000000.css":         http.StatusNotFound,
		"/static/package.json":             http.StatusNotFound,
		"/static/icons/LUCIDE-LICENSE.txt": http.StatusNotFound,
	}
	for path, status := range want {
		if got := get(t, http.MethodGet, path).StatusCode; got != status {
			t.Errorf("GET %s = %d, want %d", path, got, status)
		}
	}
	if got := get(t, http.MethodPost, Path("app.css")).StatusCode; got != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d", got)
	}
}

func TestStylesheetFindsItsFont(t *testing.T) {
	t.Parallel()
	css := string(files().byName["app.css"].content)
	fonts := regexp.MustCompile(`url\(["']?(fonts/[^"')]+)`).FindAllStringSubmatch(css, -1)
	if len(fonts) == 0 {
		t.Fatal("the stylesheet names no font")
	}
	for _, font := range fonts {
		if got := get(t, http.MethodGet, Prefix+font[1]).StatusCode; got != http.StatusOK {
			t.Errorf("GET %s = %d", Prefix+font[1], got)
		}
	}
}

func TestScriptKeepsItsLicenceNote(t *testing.T) {
	t.Parallel()
	js := string(files().byName["app.js"].content)
	if !strings.Contains(js, "Zero-Clause BSD") {
		t.Error("the script lost the licence of what it contains")
	}
	if strings.Contains(js, "sourceMappingURL") {
		t.Error("the script names a source map that is not served")
	}
}
