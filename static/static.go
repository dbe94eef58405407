// Package static holds the stylesheet, the script, the font, the icons and the licences of
// what others have made, and serves them under names that carry a hash of what is in them, so
// that browsers may keep them for ever.
//
// It knows nothing of the pages that use them.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Prefix is where the files are served.
const Prefix = "/static/"

const (
	forEver = "public, max-age=31536000, immutable"
	forADay = "public, max-age=86400"
)

//go:embed dist/app.css dist/app.js dist/notices.txt fonts/*.woff2 icons/*.svg
var embedded embed.FS

var files = sync.OnceValue(load)

// file is one file as it is served.
type file struct {
	path    string // under Prefix, with the hash in it
	kind    string // its media type
	content []byte
	zipped  []byte // the content, compressed; empty where that saves nothing
}

// library finds files by their own and by their hashed names.
type library struct {
	byName map[string]file
	byPath map[string]file
}

// Path is the address under which the file of that name is served, such as
// /static/app.1f2e3d4c.css for "app.css". It panics when there is no such file, for names
// are written in the templates and never come from a request.
func Path(name string) string {
	f, ok := files().byName[name]
	if !ok {
		panic(fmt.Sprintf("static: no file is named %q", name))
	}
	return Prefix + f.path
}

// Handler serves the files under Prefix. Hashed names may be kept for ever; plain ones,
// which the stylesheet uses for its font, for a day.
func Handler() http.Handler {
	return http.StripPrefix(Prefix, http.HandlerFunc(serve))
}

func serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	f, cache, ok := files().find(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", cache)
	content := f.content
	if len(f.zipped) > 0 {
		w.Header().Set("Vary", "Accept-Encoding")
		if takesGzip(r) {
			content = f.zipped
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// takesGzip reports whether the whole file can be sent compressed, see RFC 9110, section 12.5.3.
func takesGzip(r *http.Request) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.TrimSpace(coding) == "gzip" {
			weight = strings.ReplaceAll(weight, " ", "")
			return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=0.") != ""
		}
	}
	return false
}

// zip compresses the content, once for all requests.
func zip(content []byte) []byte {
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		panic(err) // only for levels that there are not
	}
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	if zipped.Len() > len(content)*9/10 {
		return nil
	}
	return zipped.Bytes()
}

func (l library) find(name string) (f file, cache string, ok bool) {
	if f, ok = l.byPath[name]; ok {
		return f, forEver, true
	}
	f, ok = l.byName[name]
	return f, forADay, ok
}

func load() library {
	l := library{byName: map[string]file{}, byPath: map[string]file{}}
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		l.add(strings.TrimPrefix(name, "dist/"), content)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("static: reading the embedded files: %v", err))
	}
	return l
}

func (l library) add(name string, content []byte) {
	f := file{path: hashed(name, content), kind: kind(name), content: content, zipped: zip(content)}
	l.byName[name] = f
	l.byPath[f.path] = f
}

// hashed puts a hash of the content before the name's extension.
func hashed(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:4]) + ext
}

// kind does not ask the machine for woff2, whose type is missing on many.
func kind(name string) string {
	if path.Ext(name) == ".woff2" {
		return "font/woff2"
	}
	return mime.TypeByExtension(path.Ext(name))
}
