package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

func TestUnusableRecordsAreToldOnThePage(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	made := s.post(b, "/stores", url.Values{"name": {"Before"}, "engine": {"woocommerce"}}).location
	other := s.raw()
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	const sentence = "Work resumes automatically." // what is wrong is told apart by the database's own tests
	refused := s.post(b, made+"/delete", url.Values{"confirm": {"Before"}})
	if refused.status != http.StatusServiceUnavailable || !strings.Contains(refused.body, "Database unavailable") || !strings.Contains(refused.body, sentence) {
		t.Errorf("delete: %+v", refused)
	}
	if again := s.post(b, "/stores", url.Values{"name": {"As typed"}, "engine": {"woocommerce"}}); again.status != http.StatusServiceUnavailable ||
		!strings.Contains(again.body, sentence) || !strings.Contains(again.body, `value="As typed"`) {
		t.Errorf("create: %+v", again)
	}
	if ready := s.get(b, "/readyz"); ready.status != http.StatusServiceUnavailable || !strings.Contains(ready.body, sentence) {
		t.Errorf("/readyz: %+v", ready)
	}
	for _, path := range []string{"/healthz", "/stores", made} {
		if got := s.get(b, path); got.status != http.StatusOK {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("requests tell the log of the database:\n%s", s.log)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if again := s.post(b, made+"/delete", url.Values{"confirm": {"Before"}}); again.status != http.StatusSeeOther {
		t.Errorf("delete afterwards: %+v", again)
	}
}

func TestLostDataOfferToRebuild(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Bereft")
	claim := s.work()
	if _, err := s.db.Fail(t.Context(), claim, store.Failure{Code: store.DataLost}); err != nil {
		t.Fatal(err)
	}
	if got := s.get(b, page); !strings.Contains(got.body, "Rebuild empty") || !strings.Contains(got.body, "Retry") {
		t.Error("the page does not offer both")
	}
	if got := s.post(b, page+"/rebuild", nil); got.status != http.StatusSeeOther || got.location != page {
		t.Errorf("rebuild: %d to %s", got.status, got.location)
	}
	if got := s.get(b, page); !strings.Contains(got.body, "Rebuilding the shop") || strings.Contains(got.body, "Rebuild empty</button>") {
		t.Error("it is not being rebuilt")
	}
	if got := s.get(b, "/activity"); !strings.Contains(got.body, "because its data was lost") {
		t.Error("the activity does not tell of it")
	}
}

func TestFailurePageShowsHelmsLastLines(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.post(b, "/stores", url.Values{"name": {"Broken"}, "engine": {"woocommerce"}}).location
	claim, ok, err := s.db.Claim(t.Context(), "test", time.Minute, store.Concurrency{})
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, err := s.db.Fail(t.Context(), claim, store.Failure{Code: store.RequestDenied, HelmLog: []string{"creating <14> resource(s)"}}); err != nil {
		t.Fatal(err)
	}
	if got := s.get(b, page); !strings.Contains(got.body, "Helm, last lines") || !strings.Contains(got.body, "creating &lt;14&gt; resource(s)") {
		t.Errorf("the page does not show what Helm said: %s", got.body)
	}
}
