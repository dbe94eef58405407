package engine_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// site is where the setup works: the folders of its pod, and a WP-CLI that remembers.
type site struct {
	root    string
	objects []runtime.Object // of the chart
}

const ownersPassword = "Zq4dF0vTn2bYx8LkR6sW3mHc"

func newSite(t *testing.T, change func(values map[string]any)) site {
	t.Helper()
	s := site{root: t.TempDir(), objects: shop(t, change)}
	here := strings.NewReplacer("/var/www/html", s.path("html"), "/var/lib/shopwright", s.path("notes"),
		"/run/credentials", s.path("credentials"), "=/setup", "="+s.path("setup"))
	enginetest.Each(s.objects, func(c *corev1.ConfigMap) {
		if c.Name == "setup" {
			for name, text := range c.Data {
				s.write(t, filepath.Join("setup", name), here.Replace(text))
			}
		}
	})
	s.write(t, "html/wp-config.php", "<?php")
	s.write(t, "notes/image", "docker.io/library/wordpress:6.9-php8.3-apache")
	s.write(t, "notes/from-image", "themes-twentytwentyfive\n")
	s.write(t, "credentials/admin-username", "admin")
	s.write(t, "credentials/admin-email", "admin@shop.localhost")
	s.write(t, "credentials/admin-password", ownersPassword)
	s.write(t, "credentials/rest-key", "key-of-the-check")
	s.write(t, "credentials/rest-secret", "secret-of-the-check\n")
	s.write(t, "bin/php", `#!/bin/sh
case "$*" in
*version_compare*) exec "$PHP" "$@" ;;
*afresh.php) [ ! -e "$STATE/installed" ] || printf installed ;;
esac
`)
	wp, err := os.ReadFile("testdata/wp")
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "bin/wp", string(wp))
	return s
}

func (s site) path(name string) string { return filepath.Join(s.root, name) }

func (s site) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (s site) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(s.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// installed reports whether the setup lets the shop's pod be ready.
func (s site) installed() bool {
	code, err := os.ReadFile(s.path("html/.shopwright-installed"))
	return err == nil && strings.HasPrefix(string(code), "docker.io/library/wordpress:6.9-php8.3-apache ")
}

// plugin is the version of WooCommerce that is there.
func (s site) plugin(t *testing.T) string {
	t.Helper()
	_, version, _ := strings.Cut(s.read(t, woocommerce), "Version: ")
	version, _, _ = strings.Cut(version, "\n")
	return version
}

const woocommerce = "html/wp-content/plugins/woocommerce/woocommerce.php"

// run runs the setup with the environment that the chart gives it.
func (s site) run(t *testing.T, extra ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", s.path("setup/setup.sh"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // for KILL_AT, which ends all of it
	cmd.Env = append([]string{"PATH=" + s.path("bin") + ":" + os.Getenv("PATH"), "STATE=" + s.root}, extra...)
	cmd.Env = append(cmd.Env, "PHP="+php(t), "WORDPRESS="+absolute(t, "testdata/wordpress.php"))
	for _, env := range setupJob(t, s.objects).Spec.Template.Spec.Containers[0].Env {
		cmd.Env = append(cmd.Env, env.Name+"="+env.Value)
	}
	cmd.Env = append(cmd.Env, "REPORT="+s.path("report"), "TMPDIR="+t.TempDir())
	for _, env := range extra {
		if version, ok := strings.CutPrefix(env, "VERSION="); ok {
			cmd.Env = append(cmd.Env, "WOOCOMMERCE_VERSION="+version)
		}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func php(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("php")
	if err != nil {
		t.Fatal("PHP is missing: apt-get install php-cli")
	}
	return program
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// rows are what the setup has put into the tables.
type rows struct {
	Posts map[string]struct {
		Name, Slug, Status, Description, SKU string
		Price                                string   `json:"regular_price"`
		Categories                           []int    `json:"category_ids"`
		Counted                              bool     `json:"manage_stock"`
		Stock                                *float64 `json:"stock_quantity"`
	}
	Terms map[string]struct{ Name, Taxonomy string }
}

func (s site) rows(t *testing.T) (found rows) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.read(t, "rows.json")), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSetupMakesAShopThatSells(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	output, err := s.run(t)
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for option, want := range map[string]string{
		"woocommerce_coming_soon":                 "no",
		"woocommerce_store_pages_only":            "no",
		"woocommerce_enable_guest_checkout":       "yes",
		"woocommerce_currency":                    "EUR",
		"woocommerce_cod_settings":                `{"enabled":"yes","title":"Cash on delivery"}`,
		"woocommerce_custom_orders_table_enabled": "yes",
		"show_on_front":                           "page",
		"page_on_front":                           "5",
		"show_avatars":                            "0",
	} {
		if got := s.read(t, "options/"+option); got != want {
			t.Errorf("%s is %q, want %q", option, got, want)
		}
	}
	if got := s.read(t, "counted"); got != "ALTER TABLE wp_posts AUTO_INCREMENT = 1001" {
		t.Errorf("orders are counted by %q", got)
	}
	if !s.installed() || len(s.rows(t).Posts) != 1 || !strings.Contains(s.read(t, "html/.htaccess"), "RewriteRule") {
		t.Error("the shop has no product, no addresses, or is not let into its service")
	}
	if got := s.read(t, "password"); got != ownersPassword {
		t.Errorf("the owner's password is %q", got)
	}
	if strings.Contains(s.read(t, "calls")+output, ownersPassword) {
		t.Error("the password stands in an argument or in the log")
	}
	if title := `--title=` + enginetest.Spec("").Name; !strings.Contains(s.read(t, "calls"), title) {
		t.Errorf("the shop is not called by its name:\n%s", s.read(t, "calls"))
	}
}

func TestSetupLeavesTheMerchantsChoicesAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	if output, err := s.run(t); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	s.write(t, "options/woocommerce_coming_soon", "yes")
	s.write(t, "options/woocommerce_currency", "CHF")
	s.write(t, "rows.json", `{"posts":{},"terms":{}}`)
	s.write(t, "html/.htaccess", "# mine")
	s.write(t, "calls", "")
	output, err := s.run(t)
	if err != nil {
		t.Fatalf("again: %v: %s", err, output)
	}
	if s.read(t, "options/woocommerce_coming_soon") != "yes" || s.read(t, "options/woocommerce_currency") != "CHF" ||
		len(s.rows(t).Posts) != 0 || s.read(t, "html/.htaccess") != "# mine" {
		t.Errorf("something was reset:\n%s", s.read(t, "calls"))
	}
	for _, migration := range []string{"core update-db", "wc update"} {
		if !strings.Contains(s.read(t, "calls"), migration) {
			t.Errorf("no %q:\n%s", migration, s.read(t, "calls"))
		}
	}
}

func TestSetupFailsLoudlyAndGoesOn(t *testing.T) {
	t.Parallel()
	for broken, want := range map[string]string{
		"plugin":  `{"ok":false,"failed":"installing WooCommerce","message":"no such plugin"}`,
		"payment": `{"ok":false,"failed":"opening the shop","message":"the option woocommerce_cod_settings cannot be set"}`,
	} {
		s := newSite(t, unchanged)
		for range 2 {
			output, err := s.run(t, "BROKEN="+broken)
			if err == nil || s.installed() {
				t.Errorf("without %s: %v, installed %t: %s", broken, err, s.installed(), output)
			}
			if report := s.read(t, "report"); report != want {
				t.Errorf("without %s it reports %s, want %s", broken, report, want)
			}
		}
		if output, err := s.run(t); err != nil || !s.installed() {
			t.Errorf("after %s was mended: %v: %s", broken, err, output)
		}
	}
}

// The plugin follows the chart, back too, but for what the merchant has updated.
func TestSetupFollowsTheChartsPlugin(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	for _, step := range []struct{ chart, merchant, want string }{
		{"10.3.4", "", "10.3.4"},
		{"10.4.0", "", "10.4.0"},
		{"10.3.4", "", "10.3.4"},       // rolled back
		{"10.4.0", "10.5.0", "10.5.0"}, // updated in the admin
		{"10.6.0", "", "10.6.0"},
		{"10.6.0", "none", "10.6.0"}, // no shop can be without it
	} {
		switch step.merchant {
		case "":
		case "none":
			if err := os.RemoveAll(filepath.Dir(s.path(woocommerce))); err != nil {
				t.Fatal(err)
			}
		default:
			s.write(t, woocommerce, "<?php\n/**\n * Version: "+step.merchant+"\n */\n")
		}
		output, err := s.run(t, "VERSION="+step.chart)
		if err != nil {
			t.Fatalf("with %s: %v: %s", step.chart, err, output)
		}
		if got := s.plugin(t); got != step.want {
			t.Errorf("with %s, and %q by the merchant, it is %s, want %s: %s", step.chart, step.merchant, got, step.want, output)
		}
	}
	s.write(t, "notes/from-image", "plugins-woocommerce\n")
	if output, err := s.run(t, "VERSION=11.0.0"); err != nil || s.plugin(t) != "10.6.0" {
		t.Errorf("the image brings it, and the setup has too: %v: %s", err, output)
	}
}

// A database that does not let the setup in says why, in what is left for a person.
func TestSetupTellsWhyTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	s.write(t, "bin/sleep", "#!/bin/sh\n")
	s.write(t, "bin/php", "#!/bin/sh\nprintf 'Access denied for user \"wordpress\"\\\\\\n(using password: YES)'\nexit 1\n")
	if output, err := s.run(t); err == nil {
		t.Fatal(output)
	}
	const want = "the database was not ready within eight minutes. Access denied for user 'wordpress'/ (using password: YES)"
	var report struct{ Failed, Message string }
	if err := json.Unmarshal([]byte(s.read(t, "report")), &report); err != nil || report.Failed != "waiting for the database" || report.Message != want {
		t.Errorf("%v: %+v\nwant %s", err, report, want)
	}
}

// all is everything that there is of the shop and its files, without when it was set up.
func (s site) all(t *testing.T) map[string]string {
	t.Helper()
	state := map[string]string{}
	err := fs.WalkDir(os.DirFS(s.root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path != "calls" {
			state[path] = s.read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if state["options/shopwright_setup"] != "" {
		state["options/shopwright_setup"] = "done"
	}
	return state
}

func (s site) calls(t *testing.T) int {
	t.Helper()
	return strings.Count(s.read(t, "calls"), "\n")
}

// What a shop begins with is usual in its country, with the decimals of its currency.
func TestSetupSuitsTheCountry(t *testing.T) {
	t.Parallel()
	for where, want := range map[string]string{ // position, thousands, decimals, their number, weight, length, time zone, language
		"DE EUR":    "right_space . , 2 kg cm Europe/Berlin de_DE",
		"AT EUR":    "left_space . , 2 kg cm Europe/Vienna de_DE",
		"JP JPY":    "left , . 0 kg cm Asia/Tokyo ",
		"DE BHD":    "right_space . , 3 kg cm Europe/Berlin de_DE",
		"US:CA USD": "left , . 2 lbs in America/New_York ",
		"XX EUR":    "left , . 2 kg cm UTC ",
	} {
		country, currency, _ := strings.Cut(where, " ")
		s := newSite(t, func(v map[string]any) { v["shop"] = map[string]any{"country": country, "currency": currency} })
		if output, err := s.run(t, "LANGUAGES=de_DE fr_FR"); err != nil {
			t.Fatalf("%s: %v: %s", where, err, output)
		}
		var got []string
		for _, option := range []string{
			"woocommerce_currency_pos", "woocommerce_price_thousand_sep", "woocommerce_price_decimal_sep", "woocommerce_price_num_decimals",
			"woocommerce_weight_unit", "woocommerce_dimension_unit", "timezone_string", "WPLANG",
		} {
			got = append(got, s.read(t, "options/"+option))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("in %s: %s, want %s", where, got, want)
		}
	}
}

// A node may go at any moment: wherever the setup was ended, the next runs bring the shop to
// the same end, with nothing twice, and leave alone what the merchant does between them.
func TestSetupKilledAfterEachCall(t *testing.T) {
	t.Parallel()
	whole := newSite(t, unchanged)
	if output, err := whole.run(t); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	want := whole.all(t)
	for n := 1; n <= whole.calls(t); n++ {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, unchanged)
			output, err := s.run(t, "KILL_AT="+strconv.Itoa(n))
			if err == nil || s.calls(t) != n || strings.Contains(output, "done") {
				t.Fatalf("not killed at call %d but after %d: %v: %s", n, s.calls(t), err, output)
			}
			s.wantRun(t, want)
			s.write(t, "options/woocommerce_currency", "CHF")
			s.write(t, "theme", "mine")
			s.write(t, "html/.htaccess", "# mine")
			s.wantRun(t, s.all(t))
		})
	}
}

// wantRun runs the setup to its end, which must be this one.
func (s site) wantRun(t *testing.T, want map[string]string) {
	t.Helper()
	if output, err := s.run(t); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	got := s.all(t)
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if _, there := want[path]; !there {
			t.Errorf("%s is there: %q", path, got[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if here := strings.HasPrefix(path, "bin/") || strings.HasPrefix(path, "setup/"); !here && got[path] != want[path] {
			t.Errorf("%s is %q, want %q", path, got[path], want[path])
		}
	}
}

// The data of a restore point are made the store's own once, before the plugins that know them run.
func TestSetupAdoptsTheDataOfAPoint(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	if out, err := s.run(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.write(t, "notes/restored", "http://old.example.com")
	s.write(t, "calls", "")
	if out, err := s.run(t, "BROKEN=addresses"); err == nil || !strings.Contains(s.read(t, "report"), `"failed":"replacing the address of the restored shop","message":"no such table"`) {
		t.Errorf("what fails is told so: %v, %s, %s", err, out, s.read(t, "report"))
	}
	for range 2 {
		if out, err := s.run(t); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if calls := s.read(t, "calls"); strings.Count(calls, "adopt http://old.example.com\n") != 2 || strings.Index(calls, "adopt") > strings.Index(calls, "plugin") {
		t.Errorf("WP-CLI is called with\n%s", calls)
	}
	if _, err := os.Stat(s.path("notes/restored")); !os.IsNotExist(err) {
		t.Errorf("the mark is still there: %v", err)
	}
}
