package handlers_test

import (
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// bakery is an engine that Shopwright does not bring along: a chart, templates and this.
type bakery struct{}

func (bakery) Name() string        { return "bakery" }
func (bakery) Label() string       { return "Bakery" }
func (bakery) Letter() string      { return "B" }
func (bakery) Description() string { return "Bread, from an oven of its own." }
func (bakery) Chart() fs.FS        { return os.DirFS("testdata/bakery/chart") }

func (e bakery) Templates() ([]engine.Template, error) {
	return engine.ReadTemplates(os.DirFS("testdata/bakery/shops"), e.Name())
}

func (bakery) Credentials(string, string) (map[string][]byte, error) {
	return map[string][]byte{"admin-username": []byte("baker"), "admin-password": []byte(uuid.NewString())}, nil
}

func (bakery) Owner() engine.OwnerUse { return engine.OwnerUse{} }

func (bakery) Login(credentials map[string][]byte) (username, password string) {
	return string(credentials["admin-username"]), string(credentials["admin-password"])
}

func (e bakery) Values(s engine.Spec) (map[string]any, error) { return engine.ReleaseValues(e, s) }

func (bakery) Off(engine.Spec) []string { return nil }

func (bakery) Version(map[string]any) string { return "" }

func (bakery) Opens(string, string) bool { return true }

func (bakery) Advisories(string) []engine.Advisory { return nil }

func (bakery) AdminURL(storeURL string) string { return storeURL + "/kitchen" }

// An engine with its templates is added by naming it: pages, handlers and records learn of it
// from there, and a shop of it gets ready as any other does.
func TestAnotherEngine(t *testing.T) {
	t.Parallel()
	s := connect(t, engine.NewRegistry(append(engine.Offered().All(), bakery{})...))
	dialog := s.get(s.owner, "/stores/new").body
	for _, offered := range []string{
		`name="engine" value="bakery"`, "Bread, from an oven of its own.", `name="template.bakery" value="rye" checked`, "One bread, and a good one.", `name="template.bakery" value="all"`,
	} {
		if !strings.Contains(dialog, offered) {
			t.Errorf("the dialog does not offer %q", offered)
		}
	}
	choice := url.Values{"name": {"Morning"}, "slug": {"morning-" + uuid.NewString()[24:]}, "engine": {"bakery"}, "template.bakery": {"all"}, "country": {"AT"}, "currency": {"EUR"}}
	wantFields(t, dialog, choice)
	page := s.post(s.owner, "/stores", choice).location
	s.untilReady(strings.TrimPrefix(page, "/stores/"))
	counter, err := kubetest.Admin(t).CoreV1().ConfigMaps(s.st.Namespace).Get(t.Context(), "counter", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if sold := counter.Data; sold["breads"] != "rye, wheat, spelt" || sold["country"] != "AT" || sold["currency"] != "EUR" {
		t.Errorf("the shop begins with %v", sold)
	}
	if s.st.AdminURL != s.st.URL+"/kitchen" || s.st.ChartVersion != "0.3.0" {
		t.Errorf("ready as %+v", s.st)
	}
	overview := s.get(s.owner, page).body
	for _, fact := range []string{"Bakery", "Everything", "Austria, EUR"} {
		if !strings.Contains(overview, fact) {
			t.Errorf("the store's page does not say %q", fact)
		}
	}
	if login, err := s.Credentials(t.Context(), s.st); err != nil || login.Username != "baker" {
		t.Errorf("its owner is %q, %v", login.Username, err)
	}
}

// wantFields expects that the form asks for all that is posted.
func wantFields(t *testing.T, form string, posted url.Values) {
	t.Helper()
	var fields []string
	for _, found := range regexp.MustCompile(`<(?:input|select)[^>]* name="([^"]+)"`).FindAllStringSubmatch(form, -1) {
		fields = append(fields, found[1])
	}
	for name := range posted {
		if !slices.Contains(fields, name) {
			t.Errorf("the form does not ask for %s: %v", name, fields)
		}
	}
}
