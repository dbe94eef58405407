package engine_test

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the shop of a point has that dumps may stumble over.
const oddities = `GRANT SELECT ON mysql.proc TO wordpress@'127.0.0.1'; -- or it can't dump what another user has made
USE wordpress;
CREATE TABLE big (id INT PRIMARY KEY, picture LONGBLOB) ENGINE=InnoDB; INSERT INTO big VALUES (1, REPEAT(UNHEX('00FF27'), 5000000));
CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, line TEXT) ENGINE=MyISAM AUTO_INCREMENT=1001 DEFAULT CHARSET=utf8mb4; INSERT INTO log (line) VALUES ('CREATE DEFINER=` + "`a`@`b`" + ` is only text\nCREATE DEFINER=` + "`a`@`b`" + ` too'), (NULL), ('');
CREATE VIEW paid AS SELECT id FROM orders WHERE id < 10;
CREATE TRIGGER counts BEFORE INSERT ON log FOR EACH ROW SET NEW.line = CONCAT(NEW.line, '!');
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n;
CREATE PROCEDURE clean() DELETE FROM log WHERE id < 0;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO CALL clean();
`

// restorable is a WooCommerce shop with a point, and another one that the point is restored into: the volume
// is as its pod has made it.
func restorable(t *testing.T) (b, r *backup, old, query func(string) string, slow *pausing) {
	t.Helper()
	port, old := mariaDBServer(t)
	b, slow = pausableBackup(t, port)
	old("SET GLOBAL max_allowed_packet = 67108864")
	old(oddities)
	for name, text := range map[string]string{
		"files/wp-config.php": "old settings", "files/.htaccess": "old rules", "files/.shopwright-installed": "old", "files/index.php": "6.8", "files/wp-includes/version.php": "<?php\n$wp_version = '6.8.9';\n", "files/wp-includes/load.php": "6.8",
		"files/wp-content/plugins/woocommerce/woocommerce.php": "<?php\n/**\n * Version: 10.9.0\n */\n", "files/wp-content/plugins/woocommerce/of-10.9.php": "old",
		"files/wp-content/plugins/own/own.php": "<?php\n/**\n * Version: 9.9\n */\n", "files/wp-content/themes/twenty/style.css": "/*\nVersion: 2.0\n*/\n",
		"files/wp-content/uploads/2026/tea.jpg": strings.Repeat("tea", 1_000_000), "files/wp-content/uploads/Tschüß 🫖.txt": "", "files/wp-content/cache/page.html": "cached",
		"notes/image": "old-image", "notes/from-image": "old\n", "notes/wordpress": "6.8", "notes/plugins-woocommerce": "10.9.0", "notes/themes-twenty": "1.0",
	} {
		b.write(t, name, text)
	}
	point := b.point(t, "the point")
	for _, folder := range []string{"files", "notes"} {
		if err := os.Rename(filepath.Join(b.dir, folder), filepath.Join(b.dir, "old-"+folder)); err != nil {
			t.Fatal(err)
		}
	}
	newPort, query := mariaDBServer(t)
	query("SET GLOBAL max_allowed_packet = 67108864") // as charts/woocommerce/files/database.sh
	query("USE wordpress; CREATE TABLE left_over (id INT); CREATE VIEW stale AS SELECT id FROM orders; CREATE PROCEDURE gone() SELECT 1; INSERT INTO orders (note) VALUES ('new')")
	objects := shop(t, unchanged)
	r = newRestore(t, objects, b, point, newPort)
	image := "docker.io/library/wordpress:6.9-php8.3-apache"
	for name, text := range map[string]string{
		"image/wp-includes/version.php": "<?php\n$wp_version = '6.9';\n", "image/wp-admin/index.php": "admin of 6.9", "image/index.php": "6.9", "image/wp-content/index.php": "silence",
		"image/wp-content/plugins/woocommerce/woocommerce.php": "<?php\n/**\n * Version: 11.0.1\n */\n", "image/wp-content/plugins/new/new.php": "<?php\n/**\n * Version: 1.0\n */\n",
		"image/wp-content/themes/twenty/style.css": "/*\nVersion: 1.5\n*/\n", "files/wp-includes/version.php": "<?php\n$wp_version = '6.9';\n", "files/wp-config.php": "new settings", "files/.shopwright-installed": "by an earlier try", "files/wp-content/cache/new.html": "cached", "files/wp-content/uploads/stale.jpg": "stale",
		"files/wp-content/plugins/woocommerce/of-11.php": "new", "notes/image": image, "notes/from-image": "plugins-woocommerce\n", "notes/wordpress": "6.9", "notes/plugins-woocommerce": "11.0.1",
	} {
		r.write(t, name, text)
	}
	return b, r, old, query, slow
}

// all is everything in the database, with its routines.
const all = `SELECT table_name, table_type, engine, auto_increment FROM information_schema.tables WHERE table_schema = 'wordpress' ORDER BY 1;
CHECKSUM TABLE wordpress.orders, wordpress.big, wordpress.log; SELECT COUNT(*), SUM(CRC32(note)) FROM wordpress.orders; SELECT id, LENGTH(picture), SHA1(picture) FROM wordpress.big;
SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema = 'wordpress' ORDER BY 1;
SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = 'wordpress'; SELECT event_name, event_definition FROM information_schema.events WHERE event_schema = 'wordpress';
SELECT COUNT(*), wordpress.twice(21) FROM wordpress.paid; SELECT HEX(line) FROM wordpress.log`

// wantRestored checks that the new shop has everything of the old one, and nothing else: but for the code,
// which is that of an upgrade.
func wantRestored(t *testing.T, r *backup, old, query func(string) string) {
	t.Helper()
	if got, want := query(all), old(all); got != want {
		t.Errorf("in the database is\n%s\nwant\n%s", got, want)
	}
	if foreign := query("SELECT definer FROM information_schema.views WHERE table_schema = 'wordpress' UNION SELECT definer FROM information_schema.routines WHERE routine_schema = 'wordpress' UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = 'wordpress' UNION SELECT definer FROM information_schema.events WHERE event_schema = 'wordpress'"); foreign != "wordpress@127.0.0.1" {
		t.Errorf("the definers are %s", foreign)
	}
	want := texts(t, r.dir+"/old-files")
	for _, name := range []string{".shopwright-installed", "wp-includes/load.php", "wp-content/cache/page.html", "wp-content/plugins/woocommerce/of-10.9.php"} {
		delete(want, name)
	}
	maps.Copy(want, map[string]string{
		"index.php": "6.9", "wp-admin/index.php": "admin of 6.9", "wp-includes/version.php": "<?php\n$wp_version = '6.9';\n", "wp-content/index.php": "silence",
		"wp-content/plugins/woocommerce/woocommerce.php": "<?php\n/**\n * Version: 11.0.1\n */\n", "wp-content/plugins/new/new.php": "<?php\n/**\n * Version: 1.0\n */\n",
	})
	if got := texts(t, r.files); !maps.Equal(got, want) {
		t.Errorf("the files are %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	wantTexts(t, r.dir+"/notes", map[string]string{
		"image": "docker.io/library/wordpress:6.9-php8.3-apache", "from-image": "plugins-new\nplugins-woocommerce\nthemes-twenty\n", "wordpress": "6.9", "plugins-woocommerce": "11.0.1", "themes-twenty": "1.0", "restored": "http://old.example.com",
	})
}

func TestPointIsRestoredIntoANewShop(t *testing.T) {
	t.Parallel()
	b, r, old, query, _ := restorable(t)
	for range 2 {
		r.restore(t)
		wantRestored(t, r, old, query)
	}
	if calls := texts(t, r.dir)["calls"]; calls != "" {
		t.Errorf("beside the key of the target WP-CLI runs the shop’s code: %s", calls)
	}
	if said := b.restic(t, "list", "locks", "--no-lock"); said != "" {
		t.Errorf("the repository has the locks %s", said)
	}
}

// Whatever was interrupted is restored by the next run.
func TestKilledRestoreIsRunAgain(t *testing.T) {
	t.Parallel()
	b, r, old, query, slow := restorable(t)
	run := func(until string) {
		t.Helper()
		for _, c := range r.pod.InitContainers {
			if c.Name == until {
				return
			}
			if cmd, said := r.command(t, c.Name, "killed"); cmd.Run() != nil {
				t.Fatalf("%s: %s", c.Name, said)
			}
		}
	}
	r.neverTimesOut(t)
	r.env = append(r.env, r.env[0])
	for container, path := range map[string]string{"repository": "/config", "files": "/data/"} {
		run(container)
		cmd, _ := r.command(t, container, "killed")
		slow.killAt(t, cmd, http.MethodGet, path)
	}
	run("database")
	// The routines, which come last, don't come: it is killed before them, however busy the machine is.
	tables, _, found := strings.Cut(b.restic(t, "dump", strings.TrimSpace(texts(t, r.dir+"/target")["database-snapshot"]), "database.sql"), "-- Dumping routines")
	if !found {
		t.Fatal("the dump has no routines")
	}
	r.write(t, "tables", tables)
	r.write(t, "work-of-restore/restic", "#!/bin/sh\ncat \"$HOME/tables\"; exec sleep 3600\n")
	makeRunnable(t, r.dir+"/work-of-restore/restic")
	r.killWhen(t, "database", func() bool {
		return query("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'wordpress' AND table_name = 'big'") == "1" && query("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'wordpress' AND table_name = 'left_over'") == "0"
	})
	if query("SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = 'wordpress'") != "0" {
		t.Error("it was killed too late")
	}
	run("code")
	r.write(t, "bin/cp", "#!/bin/sh\n[ ! -d \"$2\" ] || mkdir -p \"$3\"\nkill -KILL $PPID\n")
	makeRunnable(t, r.dir+"/bin/cp")
	if cmd, _ := r.command(t, "code", "killed"); cmd.Run() == nil {
		t.Error("code was not killed")
	}
	if err := os.Remove(r.dir + "/bin/cp"); err != nil {
		t.Fatal(err)
	}
	r.restore(t)
	wantRestored(t, r, old, query)
}

// A database of a newer WordPress is not loaded into an older one, whose data stay as they are.
func TestPointOfANewerWordPressIsRefused(t *testing.T) {
	t.Parallel()
	_, r, _, query, _ := restorable(t)
	before, files := query("SHOW FULL TABLES IN wordpress"), texts(t, r.files)
	r.write(t, "files/wp-includes/version.php", "<?php\n$wp_version = '6.7.2';\n")
	for _, container := range []string{"repository", "files"} {
		cmd, said := r.command(t, container, "newer")
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); container == "files" && (!ok || exit.ExitCode() != 65 || !strings.HasSuffix(said.String(), "WordPress 6.8, and this store has 6.7\n")) || container != "files" && err != nil {
			t.Fatalf("%s: %v: %s", container, err, said)
		}
	}
	files["wp-includes/version.php"] = "<?php\n$wp_version = '6.7.2';\n"
	if got := texts(t, r.files); !maps.Equal(got, files) || query("SHOW FULL TABLES IN wordpress") != before {
		t.Error("the data are not as they were")
	}
	r.write(t, "files/wp-includes/version.php", "<?php\n$wp_version = '6.8';\n") // an older patch of the same version
	r.restore(t)
}

func TestRestoreThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	_, r, _, query, _ := restorable(t)
	target := texts(t, r.dir+"/target")
	before := texts(t, r.files)
	for _, c := range []struct {
		file, content, words string
		code                 int
	}{
		{"password", "of another store", "wrong password", 12},
		{"database-snapshot", strings.Repeat("0", 64), "could not find snapshot", 1},
		{"files-snapshot", "abcd", "could not find snapshot", 1},
		{"repository", target["repository"] + "-of-nobody", "has no repository", 10},
	} {
		r.write(t, "target/"+c.file, c.content)
		r.want(t, "repository", c.code, c.words)
		r.write(t, "target/"+c.file, target[c.file])
	}
	if !maps.Equal(texts(t, r.files), before) || !strings.Contains(query("SHOW TABLES IN wordpress"), "left_over") {
		t.Error("something was restored all the same")
	}
	usual := r.env
	r.env = append(slices.Clone(usual), "PATIENCE=8")
	r.write(t, "notes/image", "of an earlier release")
	r.want(t, "files", 1, "didn’t bring its code within 8 seconds")
	r.write(t, "notes/image", "docker.io/library/wordpress:6.9-php8.3-apache")
	r.write(t, "credentials/database-password", "another")
	r.want(t, "database", 1, "Access denied")
	r.write(t, "credentials/database-password", ownersPassword)
	// restic fails, and the database takes what comes.
	r.write(t, "target/database-snapshot", strings.Repeat("0", 64))
	cmd, said := r.command(t, "database", "the point")
	if err := cmd.Run(); err == nil || !strings.Contains(said.String(), "failed to find snapshot") {
		t.Errorf("without a dump %v: %s", err, said)
	}
	r.write(t, "target/database-snapshot", target["database-snapshot"])
	// The database fails, and restic is not to blame.
	query("REVOKE CREATE VIEW ON wordpress.* FROM wordpress@'127.0.0.1'")
	r.want(t, "database", 1, "CREATE VIEW command denied")
	query("GRANT ALL ON wordpress.* TO wordpress@'127.0.0.1'")
	// What the server says of a row stays where it is.
	for _, statement := range []string{"INSERT INTO c VALUES ('ada@example.com')", "INSERT INTO n VALUES ('ada@example.com')", "INSERT 'ada@example.com'"} {
		cmd, said := r.command(t, "database", "the point")
		cmd.Args = append(cmd.Args[:1], cmd.Args[len(cmd.Args)-1])
		cmd.Stdin = strings.NewReader("CREATE TABLE c (mail VARCHAR(99) PRIMARY KEY);\nCREATE TABLE n (number INT);\nINSERT INTO c VALUES ('ada@example.com');\n" + statement + ";\n")
		if err := cmd.Run(); err == nil || !strings.Contains(said.String(), "at line 4") || strings.Contains(said.String(), "ada") {
			t.Errorf("of %s it says %v: %s", statement, err, said)
		}
	}
	r.env = usual
	r.restore(t)
}
