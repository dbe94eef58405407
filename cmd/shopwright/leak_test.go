package main_test

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store/storetest"
)

// search looks for secrets in whatever it is shown.
type search struct {
	t      *testing.T
	hidden map[string]string // values by what they are
	seen   int               // things looked through
}

// in reports every secret that stands there, plainly or wrapped.
func (s *search) in(place string, content []byte) {
	s.t.Helper()
	s.seen++
	for what := range s.found(content) {
		s.t.Errorf("%s stands in %s", what, place)
	}
}

func (s *search) found(content []byte) map[string]bool {
	found := map[string]bool{}
	unwrap(content, 0, func(plain []byte) {
		for what, value := range s.hidden {
			if bytes.Contains(plain, []byte(value)) {
				found[what] = true
			}
		}
	})
	return found
}

// unwrap shows the content, and what it holds as base64, gzip, and texts in JSON, each in the
// others as Helm and Kubernetes keep them.
func unwrap(content []byte, depth int, show func([]byte)) {
	show(content)
	if depth > 12 {
		return
	}
	if r, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
		if plain, err := io.ReadAll(r); err == nil {
			unwrap(plain, depth+1, show)
		}
	}
	text := strings.TrimSpace(string(content))
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil && len(plain) > 0 {
		unwrap(plain, depth+1, show)
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			leaves(value, func(leaf string) { unwrap([]byte(leaf), depth+1, show) })
		}
	}
}

func leaves(value any, show func(string)) {
	switch v := value.(type) {
	case string:
		show(v)
	case []any:
		for _, item := range v {
			leaves(item, show)
		}
	case map[string]any:
		for key, item := range v {
			show(key)
			leaves(item, show)
		}
	}
}

// A search that finds nothing must be one that would have found something.
func TestSecretsAreFoundInWhateverTheyAreWrapped(t *testing.T) {
	t.Parallel()
	const secret = "Zq4dF0vTn2bYx8LkR6sW3mHc"
	s := &search{t: t, hidden: map[string]string{"the password": secret}}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(`{"config":{"deep":["x ` + secret + ` y"]}}`)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	once := base64.StdEncoding.EncodeToString(zipped.Bytes())
	twice := base64.StdEncoding.EncodeToString([]byte(once))
	for name, content := range map[string]string{
		"plain": "a " + secret, "release": `{"data":{"release":"` + twice + `"}}`, "key": `{"` + secret + `":1}`,
		"secret": `{"data":{"x":"` + base64.StdEncoding.EncodeToString([]byte(secret)) + `"}}`,
	} {
		if len(s.found([]byte(content))) != 1 {
			t.Errorf("not found in %s", name)
		}
	}
	if len(s.found([]byte(`{"data":"`+once[:len(once)-8]+`"}`))) != 0 {
		t.Error("found in what cannot be read")
	}
}

// TestSecretsOfStoresAreInTheirSecretOnly opens a store of each engine, shows its login and
// checks it, and then looks for every password of it in all that the cluster, the database, the
// log and the pages hold.
func TestSecretsOfStoresAreInTheirSecretOnly(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	mark := strings.ToLower(uuid.NewString()[24:])
	s := &search{t: t, hidden: map[string]string{}}
	var namespaces []string
	for _, e := range engine.Offered().All() {
		slug := "leak-" + e.Name() + "-" + mark
		path := p.post("/stores", url.Values{"name": {slug}, "slug": {slug}, "engine": {e.Name()}})
		p.untilReady(path)
		namespaces = append(namespaces, "store-"+slug)
		s.learn(e, "store-"+slug)
		p.wantLoginShown(path, s.hidden[e.Name()+" admin-password"])
		p.post(path+"/check", nil)
		p.untilReady(path)
	}
	for _, namespace := range namespaces {
		s.inNamespace(namespace)
	}
	p.crawl(func(path, page string) { s.in("the page "+path, []byte(page)) })
	p.stop()
	s.in("the log", []byte(strings.Join(p.said.with(""), "\n")))
	s.inRecords(filepath.Join(p.dataDir, "shopwright.db"))
	s.inFolder(p.dataDir)
	t.Logf("%d secrets looked for in %d places", len(s.hidden), s.seen)
}

// learn reads what the store keeps secret. Medusa's publishable key is none: every page of a
// shop that is built for browsers holds it.
func (s *search) learn(e engine.Engine, namespace string) {
	s.t.Helper()
	secret, err := kubetest.Admin(s.t).CoreV1().Secrets(namespace).Get(s.t.Context(), "store-credentials", metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for key, value := range secret.Data {
		if key != "publishable-key" && slices.Contains(engine.Secrets(secret.Data), string(value)) {
			s.hidden[e.Name()+" "+key] = string(value)
		}
	}
}

// wantLoginShown presses the button that shows the owner's login.
func (p *process) wantLoginShown(path, password string) {
	p.t.Helper()
	if status, page := p.submit(path+"/credentials", nil); status != http.StatusOK || !strings.Contains(page, password) {
		p.t.Errorf("the login is not shown: %d", status)
	}
}

// inNamespace looks through every object of every kind but the Secret itself.
func (s *search) inNamespace(namespace string) {
	s.t.Helper()
	config := kubetest.Impersonating(s.t, rest.ImpersonationConfig{})
	config.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		s.t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, resource := range listable(s.t) {
		list, err := client.Resource(resource).Namespace(namespace).List(s.t.Context(), metav1.ListOptions{})
		if err != nil {
			s.t.Fatalf("list %s: %v", resource.Resource, err)
		}
		for _, object := range list.Items {
			if object.GetKind() == "Secret" && object.GetName() == "store-credentials" {
				continue
			}
			text, err := object.MarshalJSON()
			if err != nil {
				s.t.Fatal(err)
			}
			kinds[object.GetKind()] = true
			s.in(fmt.Sprintf("%s %s/%s", object.GetKind(), namespace, object.GetName()), text)
		}
	}
	for _, kind := range []string{"Secret", "ConfigMap", "Pod", "Event", "Job", "Deployment", "StatefulSet"} {
		if !kinds[kind] {
			s.t.Errorf("there is no %s in %s to look at", kind, namespace)
		}
	}
}

// listable are the kinds of objects that a namespace may hold.
func listable(t *testing.T) (all []schema.GroupVersionResource) {
	t.Helper()
	lists, err := discovery.ServerPreferredNamespacedResources(kubetest.Admin(t).Discovery())
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists) {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			all = append(all, version.WithResource(resource.Name))
		}
	}
	return all
}

var innerLink = regexp.MustCompile(`(?:href|hx-get|action)="(/[^"#]*)"`)

// crawl shows every page that a signed-in visitor finds from the list of stores.
func (p *process) crawl(show func(path, page string)) {
	p.t.Helper()
	known := map[string]bool{"/stores": true, "/activity": true, "/account": true}
	queue := []string{"/stores", "/activity", "/account"}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		status, page := p.get(path)
		if status != http.StatusOK {
			continue // it changes something, and is asked for otherwise
		}
		show(path, page)
		for _, link := range innerLink.FindAllStringSubmatch(page, -1) {
			next := strings.ReplaceAll(link[1], "&amp;", "&")
			endless := strings.HasPrefix(next, "/events") || strings.Contains(next, "/logs/stream") || strings.HasPrefix(next, "/static/")
			if !known[next] && !endless {
				known[next] = true
				queue = append(queue, next)
			}
		}
	}
	for _, tab := range []string{"/pods", "/events", "/logs", "/settings"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(known)), func(path string) bool { return strings.HasSuffix(path, tab) }) {
			p.t.Errorf("no page %s was found", tab)
		}
	}
}

// inRecords looks through every value of every row.
func (s *search) inRecords(file string) {
	s.t.Helper()
	db := storetest.Beside(s.t, "sqlite:"+file)
	for _, table := range s.strings(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		for _, column := range s.strings(db, "SELECT name FROM pragma_table_info('"+table+"')") {
			for _, value := range s.strings(db, fmt.Sprintf("SELECT CAST(%q AS TEXT) FROM %q WHERE %q IS NOT NULL", column, table, column)) {
				s.in("the database, "+table+"."+column, []byte(value))
			}
		}
	}
}

func (s *search) strings(db *sql.DB, query string) (all []string) {
	s.t.Helper()
	rows, err := db.QueryContext(s.t.Context(), query)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, value)
	}
	if err := rows.Err(); err != nil || len(all) == 0 && strings.Contains(query, "sqlite_master") {
		s.t.Fatalf("%s: %d rows, %v", query, len(all), err)
	}
	return all
}

// inFolder looks through the bytes of all files: what was written over may still be there.
func (s *search) inFolder(dir string) {
	s.t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		s.in("the file "+entry.Name(), content)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
