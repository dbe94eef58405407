package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
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

func TestFilesAreCompressed(t *testing.T) {
	t.Parallel()
	send := func(name string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, Path(name), nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, r)
		return w
	}
	plain := send("notices.txt")
	for accepted, want := range map[string]string{"gzip, deflate, br": "gzip", "br;q=1.0, gzip;q=0.8": "gzip", "gzip;q=0": "", "gzip; q=0.0": "", "br": "", "": ""} {
		w := send("notices.txt", "Accept-Encoding", accepted)
		if got := w.Header().Get("Content-Encoding"); got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("for %q: %q", accepted, got)
		}
		if want == "" {
			continue
		}
		if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) || w.Body.Len() > plain.Body.Len()/2 {
			t.Errorf("%d bytes of %d, said to be %s", w.Body.Len(), plain.Body.Len(), got)
		}
		unzipped, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(unzipped); err != nil || !bytes.Equal(content, plain.Body.Bytes()) {
			t.Errorf("the compressed file is another: %v", err)
		}
	}
	if w := send("notices.txt", "Accept-Encoding", "gzip", "Range", "bytes=0-9"); w.Code != http.StatusPartialContent || w.Body.Len() != 10 || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a part: %d, %d bytes, %q", w.Code, w.Body.Len(), w.Header().Get("Content-Encoding"))
	}
	if w := send("fonts/inter-latin-wght-normal.woff2", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("a font is compressed twice")
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
