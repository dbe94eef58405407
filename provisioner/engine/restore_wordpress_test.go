package engine_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// addresses runs files/addresses.php in a shop whose data have that URL, and returns what it does. What
// WP-CLI and WordPress do about it is seen with the real ones only.
func addresses(t *testing.T, env ...string) string {
	t.Helper()
	s := site{root: t.TempDir()}
	enginetest.Each(shop(t, unchanged), func(c *corev1.ConfigMap) {
		if c.Name == "setup" {
			for name, content := range c.Data {
				s.write(t, "setup/"+name, content)
			}
		}
	})
	for name, content := range map[string]string{
		"credentials/admin-username": "admin\n", "credentials/admin-email": "admin@new.example.org", "credentials/admin-password": ownersPassword, "notes/restored": "http://moved.example.com/\n",
	} {
		s.write(t, name, content)
	}
	return runPHP(t, absolute(t, "testdata/restored.php"), append([]string{
		"SCRIPT=" + s.path("setup/addresses.php"), "CREDENTIALS=" + s.path("credentials"), "RESTORED=" + s.path("notes/restored"), "SHOP_URL=https://new.example.org",
		"SITEURL=http://first.example.com", "HOME_URL=http://first.example.com", "COLUMNS=wp_posts.post_content! wp_posts.post_title wp_options.option_value! wp_users.user_url", "OWNER=owner@old.example.com",
	}, env...)...)
}

// The URL at which the shop was installed is replaced, and the one that it had last, with WP-CLI.
func TestWordPressGetsItsURL(t *testing.T) {
	t.Parallel()
	done := addresses(t)
	const replaced = `[["search-replace","PATTERN","NEW","TABLE"],{"all-tables-with-prefix":true,"skip-columns":"guid","include-columns":"COLUMN","regex":true,"regex-flags":"i","regex-delimiter":"#","report-changed-only":true}]`
	whole := `(\\\\*/\\\\*/)HOST(?![\\w-]|\\.[\\w-]|:\\d)`
	var want []string
	for _, step := range [][2]string{
		{strings.ReplaceAll(whole, "HOST", `first\\.example\\.com`), "${1}new.example.org"}, {strings.ReplaceAll(whole, "HOST", `moved\\.example\\.com`), "${1}new.example.org"},
		{"http:" + strings.ReplaceAll(whole, "HOST", `new\\.example\\.org`), "https:${1}new.example.org"},
	} {
		for _, column := range [][2]string{{"wp_posts", "post_content"}, {"wp_options", "option_value"}} {
			want = append(want, strings.NewReplacer("PATTERN", step[0], "NEW", step[1], "TABLE", column[0], "COLUMN", column[1]).Replace(replaced))
		}
	}
	if all := strings.Join(want, "\n"); !strings.Contains(done, "START TRANSACTION\n"+all+"\nCOMMIT\n") {
		t.Errorf("it does\n%s\nwant\n%s", done, all)
	}
	same := addresses(t, "SITEURL=https://new.example.org", "HOME_URL=http://new.example.org/", "SHOP_URL=http://new.example.org:8080", "COLUMNS=wp_posts.post_title")
	if strings.Contains(same, "search-replace") {
		t.Errorf("with nothing to replace it does\n%s", same)
	}
}

// Nobody stays signed in, and the owner of the new store can sign in.
func TestWordPressLetsTheOwnerIn(t *testing.T) {
	t.Parallel()
	const signedIn, password = "user 7 is administrator\npassword of 7 has 24 letters\nno _application_passwords of 7\n", "password of 9 has 24 letters\n"
	known := addresses(t)
	for _, want := range []string{
		"TRUNCATE `wp_woocommerce_sessions`\n", "DELETE FROM wp_usermeta WHERE meta_key = 'session_tokens'\n", `option_name LIKE '\_transient\_%' OR option_name LIKE '\_site\_transient\_%'`,
		"add shopwright_owner=owner@old.example.com\n" + signedIn,
	} {
		if !strings.Contains(known, want) {
			t.Errorf("it does\n%s\nwithout %s", known, want)
		}
	}
	if made := addresses(t, "OWNER="); !strings.HasSuffix(made, "new user admin <admin@new.example.org>\nuser 9 is administrator\n"+password+"no _application_passwords of 9\n") {
		t.Errorf("without such a user it does\n%s", made)
	}
	if made := addresses(t, "OWNER=", "TAKEN=admin@new.example.org"); !strings.Contains(made, "new user admin <>\nuser 9 is administrator\n"+password) {
		t.Errorf("with a customer of that address it does\n%s", made)
	}
}
