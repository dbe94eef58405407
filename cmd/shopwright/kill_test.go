package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// doomed is a program that is ended, as by a power cut, at one of its own requests: either
// before the request reaches the API server, or before its answer comes back.
type doomed struct {
	*process
	link   *kubetest.Link
	before bool
	mark   string
}

// TestKilledAtEveryWrite ends the program at every single write to the API server that
// opening, upgrading, rolling back, undoing, retrying and removing a store consist of. Started
// again it goes on by itself.
func TestKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	for what, work := range map[string]func(*doomed) (slugs []string){
		"opening and removing": (*doomed).opensAndRemoves, "changing": (*doomed).changes, "retrying": (*doomed).retries,
	} {
		for when, before := range map[string]bool{"before it arrives": true, "before its answer": false} {
			t.Run(what+", "+when, func(t *testing.T) {
				t.Parallel()
				link := kubetest.NewLink(t)
				d := &doomed{process: launch(t, link.Kubeconfig()), link: link, before: before, mark: strings.ToLower(uuid.NewString()[24:])}
				d.start()
				slugs := work(d)
				d.removeAll(slugs)
				for _, slug := range slugs {
					wantNoNamespace(t, slug)
				}
			})
		}
	}
}

func (d *doomed) opensAndRemoves() (slugs []string) {
	d.t.Helper()
	slugs = d.opens()
	d.removes(slugs)
	return slugs
}

// opens kills at the first write of the first store, the second write of the second, until
// a store is ready before its turn to die comes.
func (d *doomed) opens() (slugs []string) {
	d.t.Helper()
	for nth, struck := 1, true; struck; nth++ {
		slug := fmt.Sprintf("open-%d-%s", nth, d.mark)
		fate := d.killAt("store-"+slug, nth)
		if path := d.try("/stores", storeForm(slug)); path != "" {
			d.pages[slug] = path
		}
		struck = d.survive(fate, slug, `data-status="ready"`)
		slugs = append(slugs, slug)
	}
	d.wantAlike(slugs)
	d.t.Logf("opening a store: killed at each of %d writes", len(slugs)-1)
	return slugs
}

// mostWrites is more than an upgrade and a retry have.
const mostWrites = 14

// prepare asks for as many stores as may be needed.
func (d *doomed) prepare(what string, each func(slug string)) (slugs []string) {
	d.t.Helper()
	for n := range mostWrites {
		slug := fmt.Sprintf("%s-%d-%s", what, n, d.mark)
		each(slug)
		d.post("/stores", storeForm(slug))
		slugs = append(slugs, slug)
	}
	return slugs
}

// changes does the same to the upgrade of stores that sell, then to their way back to what
// they were before, and then to that of an upgrade which does not sell.
func (d *doomed) changes() (slugs []string) {
	d.t.Helper()
	slugs = d.prepare("change", func(string) {})
	for _, slug := range slugs {
		d.untilReady(d.page(slug))
	}
	d.change("upgrading", slugs, newerDatabase, func(slug string) {
		d.try(d.page(slug)+"/releases/upgrade", d.looked(slug, "/releases/upgrade", upgradeForm()))
	})
	for _, slug := range slugs { // those that are not upgraded yet are no other than the last one
		if !strings.HasSuffix(databaseImage(d.t, slug), newerDatabase) {
			d.post(d.page(slug)+"/releases/upgrade", d.looked(slug, "/releases/upgrade", upgradeForm()))
			d.until(d.page(slug), "upgraded", shows(`data-status="ready"`))
		}
	}
	d.change("rolling back", slugs, olderDatabase, func(slug string) {
		d.try(d.page(slug)+"/releases/1/rollback", d.looked(slug, "/releases/1/rollback", url.Values{}))
	})
	d.undoes(slugs)
	return slugs
}

// Versions of the database before and after an upgrade.
const (
	olderDatabase = "mariadb:11.4"
	newerDatabase = "mariadb:11.8"
)

func upgradeForm() url.Values { return url.Values{"image-mariadb": {"11.8"}} }

// change kills at the first write of the first store's change, at the second write of the
// second one's, until one is done before its turn to die comes.
func (d *doomed) change(what string, slugs []string, database string, ask func(slug string)) {
	d.t.Helper()
	for n, slug := range slugs {
		fate := d.killAt("store-"+slug, n+1)
		ask(slug)
		struck := d.survive(fate, slug, `data-status="ready"`)
		if image := databaseImage(d.t, slug); !strings.HasSuffix(image, database) {
			d.t.Errorf("%s, the database of %s is %s", what, slug, image)
		}
		if !struck {
			d.wantAlike(slugs[:n+1])
			d.t.Logf("%s a store: killed at each of %d writes", what, n)
			return
		}
	}
	d.t.Errorf("%s has more than %d writes: this test tries too few", what, len(slugs))
}

// undoes has upgrades fail their check, and kills on the way back.
func (d *doomed) undoes(slugs []string) {
	d.t.Helper()
	for n, slug := range slugs {
		form := d.looked(slug, "/releases/upgrade", upgradeForm())
		kubetest.Simulate(d.t, "store-"+slug, "fail=job-failed", "component=check")
		fate := d.killAfter(d.failsTwice("store-"+slug), "store-"+slug, n+1)
		d.post(d.page(slug)+"/releases/upgrade", form)
		undone := shows(`id="undone-title"`)
		struck := d.survives(fate, slug, undone)
		kubetest.Simulate(d.t, "store-"+slug, "fail=none", "component=check")
		kubetest.Simulate(d.t, "store-"+slug, "start-delay=none", "component=mariadb")
		sells := func(status int, page string) bool {
			return undone(status, page) && strings.Contains(page, `data-status="ready"`)
		}
		if !struck {
			struck = d.survives(fate, slug, sells)
		}
		d.link.Inject(kubetest.NoFault)
		d.until(d.page(slug), "as it was", sells)
		if image := databaseImage(d.t, slug); !strings.HasSuffix(image, olderDatabase) {
			d.t.Errorf("gone back, the database of %s is %s", slug, image)
		}
		if !struck {
			d.wantAlike(slugs[:n+1])
			d.t.Logf("undoing an upgrade: killed at each of %d writes", n)
			return
		}
	}
	d.t.Errorf("undoing an upgrade has more than %d writes: this test tries too few", len(slugs))
}

// failsTwice selects what comes after the second check of a change, which is the last. From
// then on the database is slow to start: the way back is not checked before the check is mended.
func (d *doomed) failsTwice(namespace string) func(*http.Request) bool {
	var checks atomic.Int64
	return func(r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/namespaces/"+namespace+"/pods") {
			return checks.Load() >= 2
		}
		if checks.Add(1) == 2 {
			kubetest.Simulate(d.t, namespace, "start-delay=10m", "component=mariadb")
		}
		return false
	}
}

// looked is the form of a change as it was looked at.
func (p *process) looked(slug, path string, form url.Values) url.Values {
	p.t.Helper()
	_, page := p.get(p.page(slug) + path + "?" + form.Encode())
	for _, field := range lookedAt.FindAllStringSubmatch(page, -1) {
		form.Set(field[1], field[2])
	}
	return form
}

var lookedAt = regexp.MustCompile(`name="(offer|looked)" value="([^"]*)"`)

// retries does the same to the retry of stores that have failed.
func (d *doomed) retries() (slugs []string) {
	d.t.Helper()
	slugs = d.prepare("retry", func(slug string) {
		kubetest.Simulate(d.t, "store-"+slug, "fail=image-pull", "component=mariadb")
	})
	for _, slug := range slugs {
		d.until(d.page(slug), "failed", shows(`data-status="failed"`))
		kubetest.Simulate(d.t, "store-"+slug, "fail=none", "component=mariadb")
	}
	for n, slug := range slugs {
		fate := d.killAt("store-"+slug, n+1)
		d.try(d.page(slug)+"/retry", nil)
		if !d.survive(fate, slug, `data-status="ready"`) {
			d.wantAlike(slugs[:n+1])
			d.t.Logf("retrying a store: killed at each of %d writes", n)
			return slugs
		}
	}
	d.t.Errorf("a retry has more than %d writes: this test tries too few", mostWrites)
	return slugs
}

// removes does the same to the removal of the stores.
func (d *doomed) removes(slugs []string) {
	d.t.Helper()
	for n, slug := range slugs {
		fate := d.killAt("store-"+slug, n+1)
		d.try(d.page(slug)+"/delete", url.Values{"confirm": {slug}})
		if !d.survive(fate, slug, "") {
			d.t.Logf("removing a store: killed at each of %d writes", n)
			d.removeAll(slugs[n:])
			break
		}
	}
	for _, slug := range slugs {
		d.untilGone(d.page(slug))
	}
}

func (d *doomed) removeAll(slugs []string) {
	d.t.Helper()
	for _, slug := range slugs {
		if status, _ := d.get(d.page(slug)); status == http.StatusOK {
			d.try(d.page(slug)+"/delete", url.Values{"confirm": {slug}})
		}
	}
	for _, slug := range slugs {
		d.untilGone(d.page(slug))
	}
}

// killAt ends the program at its nth write about the namespace from now on.
func (d *doomed) killAt(namespace string, nth int) (fate <-chan struct{}) {
	return d.killAfter(func(*http.Request) bool { return true }, namespace, nth)
}

// killAfter is killAt for writes that come once it is time for them.
func (d *doomed) killAfter(begun func(*http.Request) bool, namespace string, nth int) (fate <-chan struct{}) {
	var writes atomic.Int64
	struck, program := make(chan struct{}), d.cmd.Process
	d.link.Inject(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if !begun(r) || !isWriteAbout(r, namespace) || writes.Add(1) != int64(nth) {
			pass.ServeHTTP(w, r)
			return
		}
		if !d.before {
			pass.ServeHTTP(httptest.NewRecorder(), r)
		}
		_ = program.Kill()
		close(struck)
		<-r.Context().Done() // its end closes its connections
	})
	return struck
}

// isWriteAbout counts the making of any namespace: its name is not in the path.
func isWriteAbout(r *http.Request, namespace string) bool {
	request := kubetest.Request{Method: r.Method, Path: r.URL.Path}
	return request.IsWrite() && (request.About(namespace) || r.URL.Path == "/api/v1/namespaces")
}

// survive waits until the program was killed, or its page says what is waited for (an empty
// text for: is gone). It starts a killed one again and waits until it has done its work.
func (d *doomed) survive(fate <-chan struct{}, slug, text string) (struck bool) {
	d.t.Helper()
	done := shows(text)
	if text == "" {
		done = isGone
	}
	struck = d.survives(fate, slug, done)
	d.link.Inject(kubetest.NoFault)
	if struck && text != "" {
		d.until(d.page(slug), "done", done)
	}
	return struck
}

// survives waits until the program was killed, or its page is as waited for. It starts a
// killed one again.
func (d *doomed) survives(fate <-chan struct{}, slug string, done condition) (struck bool) {
	d.t.Helper()
	if !d.strikes(fate, slug, done) {
		return false
	}
	d.link.Inject(kubetest.NoFault)
	d.kill()
	d.start()
	d.t.Logf("killed with %s", slug)
	return true
}

// strikes reports whether the program was killed before its page says what is waited for.
func (d *doomed) strikes(fate <-chan struct{}, slug string, done condition) bool {
	d.t.Helper()
	if path := d.pages[slug]; path != "" {
		d.untilOr(fate, path, "done or killed", done)
	} else { // it died before it could say where the page is
		<-fate
	}
	select {
	case <-fate:
		return true
	default:
		return false
	}
}

// wantAlike checks that each store has what the last one has, which nobody killed, once.
func (d *doomed) wantAlike(slugs []string) {
	d.t.Helper()
	want := inventory(d.t, slugs[len(slugs)-1])
	for _, slug := range slugs {
		wantOneRelease(d.t, slug)
		if got := inventory(d.t, slug); !slices.Equal(got, want) {
			d.t.Errorf("%s holds %v, want %v", slug, got, want)
		}
	}
}
