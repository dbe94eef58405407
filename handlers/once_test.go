package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"testing"
)

var formKey = regexp.MustCompile(`name="form-key" value="([^"]+)"`)

// A form that is sent again, at once or later, leads to what it has created.
func TestFormsCreateOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	for path, form := range map[string]url.Values{
		"/stores": {"name": {"Nordwind"}, "engine": {"woocommerce"}},
		"/teams":  {"name": {"Nordwind"}},
	} {
		key := func() string {
			found := formKey.FindStringSubmatch(s.get(b, path+"/new").body)
			if found == nil {
				t.Fatalf("the form of %s has no key", path)
			}
			return found[1]
		}
		form.Set("form-key", key())
		made := make([]answer, 4)
		var all sync.WaitGroup
		for i := range made {
			all.Go(func() { made[i] = s.post(b, path, form) })
		}
		all.Wait()
		for _, again := range append(made, s.post(b, path, form)) {
			if again.status != http.StatusSeeOther || again.location != made[0].location {
				t.Errorf("%s sent again: %d to %q, not %q", path, again.status, again.location, made[0].location)
			}
		}
		form.Set("name", "Another")
		if other := s.post(b, path, form); other.status != http.StatusSeeOther || other.location == made[0].location {
			t.Errorf("%s of a form that was changed: %d to %q", path, other.status, other.location)
		}
		form.Set("name", "")
		if refused := s.post(b, path, form); refused.status != http.StatusUnprocessableEntity || formKey.FindStringSubmatch(refused.body)[1] != form.Get("form-key") {
			t.Errorf("%s of a form that is refused: %d", path, refused.status)
		}
		form.Set("name", "Another")
		form.Set("form-key", key())
		if third := s.post(b, path, form); third.status != http.StatusSeeOther || third.location == made[0].location {
			t.Errorf("%s of a new form: %d to %q", path, third.status, third.location)
		}
	}
}
