package engine_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// mariadb is where the script that starts WooCommerce's database works, over an image whose
// first start is interrupted when it is told to be.
func mariadb(t *testing.T) site {
	t.Helper()
	s := site{root: t.TempDir()}
	here := strings.NewReplacer("/var/lib/mysql", s.path("data"))
	enginetest.Each(shop(t, unchanged), func(c *corev1.ConfigMap) {
		if c.Name == "database" {
			for name, text := range c.Data {
				s.write(t, name, here.Replace(text))
			}
		}
	})
	s.write(t, "data/.keep", "")
	s.write(t, "bin/docker-entrypoint.sh", `#!/bin/sh
set -eu
cd "$DATA"
if [ ! -d mysql ]; then
	mkdir mysql
	[ "$DIES" != system ] || exit 1
	mkdir wordpress
	[ "$DIES" != user ] || exit 1
	touch mysql/user
	. "$MADE"
fi
[ -e mysql/user ] || { echo "nobody can sign in" >&2; exit 1; }
`)
	return s
}

func (s site) startMariaDB(t *testing.T, dies string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", s.path("database.sh"))
	cmd.Env = []string{"PATH=" + s.path("bin") + ":" + os.Getenv("PATH"), "DATA=" + s.path("data"), "MADE=" + s.path("made.sh"), "DIES=" + dies}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// What was half made would be a database that lets nobody in, for ever.
func TestMariaDBBeginsAnewAfterAnInterruptedStart(t *testing.T) {
	t.Parallel()
	s := mariadb(t)
	for _, dies := range []string{"system", "user", "system"} {
		if out, err := s.startMariaDB(t, dies); err == nil {
			t.Fatalf("not interrupted at %s: %s", dies, out)
		}
	}
	if out, err := s.startMariaDB(t, ""); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.write(t, "data/wordpress/wp_posts.ibd", "orders")
	if out, err := s.startMariaDB(t, ""); err != nil || s.read(t, "data/wordpress/wp_posts.ibd") != "orders" {
		t.Errorf("the data are gone: %v: %s", err, out)
	}
}

// Data of a chart that did not note when they were complete are never taken for half made.
func TestMariaDBKeepsDataOfBefore(t *testing.T) {
	t.Parallel()
	s := mariadb(t)
	s.write(t, "data/mysql/user", "")
	s.write(t, "data/wordpress/wp_posts.ibd", "orders")
	for range 2 {
		if out, err := s.startMariaDB(t, ""); err != nil || s.read(t, "data/wordpress/wp_posts.ibd") != "orders" {
			t.Fatalf("the data are gone: %v: %s", err, out)
		}
	}
}

// mysqli stands in for PHP's extension, over tables in an environment variable.
const mysqli = `<?php
const MYSQLI_REPORT_ERROR = 1, MYSQLI_REPORT_STRICT = 2;
function mysqli_report(int $what): void {}
final class Rows { public function __construct(public int $num_rows, private array $rows) {} public function fetch_all(): array { return $this->rows; } }
final class mysqli {
	public function query(string $sql): Rows|bool {
		$tables = json_decode(getenv('TABLES'), true);
		if ($sql === 'SHOW TABLES') { return new Rows(count($tables), array_map(fn ($t) => [$t], array_keys($tables))); }
		if (preg_match('/^SELECT 1 FROM .(\w+). WHERE .*(shopwright_setup|%administrator%)/', $sql, $found)) {
			return new Rows((int) str_contains($tables[$found[1]], trim($found[2], '%')), []);
		}
		echo $sql, "\n";
		return true;
	}
}
`

func TestInterruptedInstallationBeginsAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	s.write(t, "mysqli.php", mysqli)
	for name, c := range map[string]struct {
		tables          string
		anew, installed bool
	}{
		"nothing is there":         {`{}`, false, false},
		"no table is filled":       {`{"wp_options": "", "wp_users": "", "wp_usermeta": ""}`, true, false},
		"some tables are lacking":  {`{"wp_options": "siteurl"}`, true, false},
		"the owner is no one yet":  {`{"wp_options": "siteurl", "wp_usermeta": "subscriber"}`, true, false},
		"the owner is there":       {`{"wp_options": "siteurl", "wp_usermeta": "administrator"}`, false, true},
		"the shop was set up once": {`{"wp_options": "siteurl, shopwright_setup", "wp_usermeta": ""}`, false, true},
	} {
		cmd := exec.CommandContext(t.Context(), php(t), "-n", "-d", "auto_prepend_file="+s.path("mysqli.php"), s.path("setup/afresh.php"))
		cmd.Env = []string{"TABLES=" + c.tables}
		out, err := cmd.CombinedOutput()
		if anew := strings.Contains(string(out), "DROP TABLE"); err != nil || anew != c.anew || (string(out) == "installed") != c.installed {
			t.Errorf("%s: anew %t, %v: %s", name, anew, err, out)
		}
	}
}
