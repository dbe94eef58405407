package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// backup runs the containers of a chart's backup as processes, one after another as Kubernetes does, on
// a real database and with restic against an S3 server.
type backup struct {
	dir   string
	files string // of the shop
	pod   corev1.PodSpec
	env   []string // beside that of the containers
	at    map[string]string
}

// bucketServer serves the bucket "shops" until the test ends.
func bucketServer(t testing.TB) *httptest.Server {
	t.Helper()
	bucket := s3mem.New()
	if err := bucket.CreateBucket("shops"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(bucket).Server())
	t.Cleanup(server.Close)
	return server
}

func newBackup(t testing.TB, objects []runtime.Object, endpoint, port, filesAt string) *backup {
	t.Helper()
	b := &backup{dir: t.TempDir()}
	b.files = filepath.Join(b.dir, "files")
	enginetest.Each(objects, func(c *batchv1.CronJob) {
		if c.Name == "backup" {
			b.pod = c.Spec.JobTemplate.Spec.Template.Spec
		}
	})
	write := map[string]string{
		"target/repository": "s3:" + endpoint + "/shops/off-site/store", "target/password": "of this store", "target/region": "", "target/lookup": "path",
		"target/credentials": "[default]\naws_access_key_id = key\naws_secret_access_key = secret\n", "target/store.json": `{"slug":"shop"}`,
		"work/": "", "tmp/": "", "notes/": "", "credentials/database-password": ownersPassword, "files/upload.jpg": strings.Repeat("picture", 10_000),
	}
	enginetest.Each(objects, func(c *corev1.ConfigMap) {
		if c.Name == "backup" {
			write["backup/backup.sh"], write["backup/dump.sh"] = c.Data["backup.sh"], c.Data["dump.sh"]
		}
	})
	for name, content := range write {
		b.write(t, name, content)
	}
	b.at = map[string]string{"/backup": b.dir + "/backup", "/run/target": b.dir + "/target", "/run/credentials": b.dir + "/credentials", "/work": b.dir + "/work", filesAt: b.files, "/var/lib/shopwright": b.dir + "/notes"}
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	path := slices.Concat(programs, []string{filepath.Dir(restic(t)), os.Getenv("PATH")})
	b.env = []string{"PATH=" + strings.Join(path, ":"), "TMPDIR=" + b.dir + "/tmp", "DATABASE_HOST=127.0.0.1", "DATABASE_PORT=" + port, "REPORT=" + b.dir + "/report", "HOME=" + b.dir}
	return b
}

// restic is the program, as it is built from its module.
func restic(t testing.TB) string {
	t.Helper()
	path := os.Getenv("SHOPWRIGHT_TEST_RESTIC")
	if path == "" {
		t.Fatal("SHOPWRIGHT_TEST_RESTIC is not set: this test needs the restic that `make test` builds")
	}
	return path
}

func (b *backup) write(t testing.TB, name, content string) {
	t.Helper()
	folder, file := filepath.Split(name)
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Join(b.dir, folder), 0o755); err != nil {
		t.Fatal(err)
	}
	if file == "" {
		return
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// placed is a text with the paths of this machine in place of those in the pod.
func (b *backup) placed(text string) string {
	for from, to := range b.at {
		if rest, found := strings.CutPrefix(text, from); found && (rest == "" || rest[0] == '/') {
			return to + rest
		}
	}
	return text
}

// command is the container's, as its own process group.
func (b *backup) command(t testing.TB, container, point string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	for _, c := range slices.Concat(b.pod.InitContainers, b.pod.Containers) {
		if c.Name != container {
			continue
		}
		var args []string
		for _, arg := range c.Command {
			if name, path, isOption := strings.Cut(arg, "="); isOption {
				pattern := strings.TrimPrefix(path, "!")
				arg = name + "=" + strings.TrimSuffix(path, pattern) + b.placed(pattern)
			}
			args = append(args, b.placed(arg))
		}
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		for _, e := range c.Env {
			cmd.Env = append(cmd.Env, e.Name+"="+b.placed(e.Value))
		}
		cmd.Env = append(append(cmd.Env, b.env...), "POINT="+point)
		said := &bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = said, said
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return cmd, said
	}
	t.Fatalf("the backup has no container %s", container)
	return nil, nil
}

// run runs the containers in order until one fails.
func (b *backup) run(t testing.TB, point string) (failed string, code int, said string) {
	t.Helper()
	for _, c := range slices.Concat(b.pod.InitContainers, b.pod.Containers) {
		cmd, words := b.command(t, c.Name, point)
		if err := cmd.Run(); err != nil {
			exit, _ := errors.AsType[*exec.ExitError](err)
			if exit == nil {
				t.Fatal(err)
			}
			return c.Name, exit.ExitCode(), words.String()
		}
	}
	return "", 0, ""
}

// counts are what a shop has.
type counts struct{ Orders, Products, Customers int }

// report is what the last container leaves.
type backupReport struct {
	Contents                  *counts
	Database, Files, Manifest struct {
		SnapshotID string `json:"snapshot_id"`
		Bytes      int64  `json:"total_bytes_processed"`
		Added      int64  `json:"data_added_packed"`
	}
	LockedTables int `json:"locked_tables"`
	Repository   string
	Cleanup      *struct {
		Forgotten, Pruned bool
		Failed            string
	}
}

// ids are those of the point's snapshots, one a line.
func (r backupReport) ids() string {
	return r.Database.SnapshotID + "\n" + r.Files.SnapshotID + "\n" + r.Manifest.SnapshotID + "\n"
}

// point runs the containers, which must succeed.
func (b *backup) point(t testing.TB, point string) (r backupReport) {
	t.Helper()
	if failed, code, said := b.run(t, point); failed != "" {
		t.Fatalf("%s ended with %d: %s", failed, code, said)
	}
	return b.reported(t)
}

// reported is what the last run has left.
func (b *backup) reported(t testing.TB) (r backupReport) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "report"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil || len(text) > 4096 || r.Database.SnapshotID == "" || r.Files.SnapshotID == "" || r.Manifest.SnapshotID == "" {
		t.Fatalf("reported is %s, %v", text, err)
	}
	return r
}

// restic runs restic with the store's password.
func (b *backup) restic(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), restic(t), append([]string{"-o", "s3.bucket-lookup=path", "--no-cache"}, args...)...)
	cmd.Env = []string{
		"RESTIC_REPOSITORY_FILE=" + b.dir + "/work/repository", "RESTIC_PASSWORD_FILE=" + b.dir + "/target/password", "HOME=" + b.dir,
		"AWS_SHARED_CREDENTIALS_FILE=" + b.dir + "/target/credentials",
	}
	said := &bytes.Buffer{}
	cmd.Stderr = said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("restic %s: %v: %s", args, err, said)
	}
	return string(out)
}

// snapshots counts those of a point.
func (b *backup) snapshots(t *testing.T, point string) int {
	t.Helper()
	var all []struct{}
	if err := json.Unmarshal([]byte(b.restic(t, "snapshots", "--json", "--tag", "point="+point)), &all); err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// mariaDBServer starts a server with the database and the user of a shop, and returns its port.
func mariaDBServer(t testing.TB) (port string, query func(statement string) string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mariadb") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	who := "--user=" + os.Getenv("USER")
	if os.Geteuid() == 0 {
		who = "--user=mysql"
		owner := credentialOf(t, "mysql")
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	port = freePort(t)
	temporary := "--tmpdir=" + dir // a server that starts deletes the temporary tables of all others in the folder
	if out, err := exec.CommandContext(t.Context(), "mariadb-install-db", "--no-defaults", who, temporary, "--datadir="+dir+"/data", "--auth-root-authentication-method=normal").CombinedOutput(); err != nil {
		t.Fatalf("apt-get install mariadb-server: %v: %s", err, out)
	}
	server := exec.CommandContext(context.Background(), "mariadbd", "--no-defaults", who, temporary, "--datadir="+dir+"/data", "--socket="+dir+"/socket", "--bind-address=127.0.0.1", "--port="+port, "--pid-file="+dir+"/pid")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait(); _ = os.RemoveAll(dir) })
	query = func(statement string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "mariadb", "--no-defaults", "--socket="+dir+"/socket", "--user=root", "--default-character-set=utf8mb4", "--batch", "--skip-column-names")
		cmd.Stdin = strings.NewReader(statement)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", statement, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	eventually(t, "MariaDB answers", func() bool {
		return exec.CommandContext(t.Context(), "mariadb-admin", "--no-defaults", "--socket="+dir+"/socket", "--user=root", "ping").Run() == nil
	})
	query("CREATE DATABASE wordpress; CREATE DATABASE restored; CREATE USER wordpress@'127.0.0.1' IDENTIFIED BY '" + ownersPassword + "'; GRANT ALL ON wordpress.* TO wordpress@'127.0.0.1'")
	query("USE wordpress; CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(300)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4; INSERT INTO orders (note) SELECT CONCAT(seq, ' Tschüß 🫖 ', SHA2(seq, 512)) FROM seq_1_to_100000")
	return port, query
}

// What a point holds can be restored: the database as it was, the files, and a manifest that names both.
func TestMariaDBAndFilesBecomeAPoint(t *testing.T) {
	t.Parallel()
	port, query := mariaDBServer(t)
	b := newBackup(t, shop(t, unchanged), bucketServer(t).URL, port, "/var/www/html")
	b.write(t, "files/wp-content/cache/page.html", "cached")
	b.write(t, "files/wp-admin/index.php", "code")
	first := b.point(t, "first")
	if first.Database.Bytes < 2_000_000 || first.Files.Bytes != 70_000 || first.LockedTables != 0 {
		t.Errorf("the first point is %+v", first)
	}
	query("CREATE TABLE wordpress.log (id INT) ENGINE=MyISAM; INSERT INTO wordpress.orders (note) VALUES ('new')")
	query(`USE wordpress; CREATE TABLE wp_options (option_name VARCHAR(90), option_value TEXT); CREATE TABLE wp_posts (post_type VARCHAR(20), post_status VARCHAR(20));
		CREATE TABLE wp_wc_orders (type VARCHAR(20), status VARCHAR(20)); CREATE TABLE wp_wc_customer_lookup (id INT); INSERT INTO wp_wc_customer_lookup VALUES (1), (2);
		INSERT INTO wp_posts VALUES ('product', 'publish'), ('product', 'trash'), ('page', 'publish'), ('shop_order', 'wc-processing'), ('shop_order', 'auto-draft');
		INSERT INTO wp_wc_orders VALUES ('shop_order', 'wc-processing'), ('shop_order', 'wc-completed'), ('shop_order', 'wc-checkout-draft'), ('shop_order_refund', 'wc-completed')`)
	if asPosts := b.point(t, "orders as posts"); first.Contents != nil || asPosts.Contents == nil || *asPosts.Contents != (counts{1, 1, 2}) {
		t.Errorf("counted are %+v, before there is a shop %+v", asPosts.Contents, first.Contents)
	}
	query("INSERT INTO wordpress.wp_options VALUES ('woocommerce_custom_orders_table_enabled', 'yes')")
	second := b.point(t, "second")
	if second.Contents == nil || *second.Contents != (counts{2, 1, 2}) {
		t.Errorf("counted are %+v", second.Contents)
	}
	if second.LockedTables != 1 || second.Database.Added > first.Database.Added/2 || second.Files.Added > 2000 {
		t.Errorf("the second point is %+v", second)
	}
	if n := b.snapshots(t, "first") + b.snapshots(t, "second"); n != 6 {
		t.Errorf("there are %d snapshots", n)
	}
	dump := b.restic(t, "dump", first.Database.SnapshotID, "database.sql")
	b.write(t, "dump.sql", dump)
	query("USE restored;\nSOURCE " + b.dir + "/dump.sql;\n")
	const rows = "SELECT COUNT(*), SUM(CRC32(note)) FROM "
	if got, want := query(rows+"restored.orders"), query(rows+"wordpress.orders WHERE note <> 'new'"); got != want || !strings.HasPrefix(got, "100000") {
		t.Errorf("restored are %s, want %s", got, want)
	}
	listed := b.restic(t, "ls", first.Files.SnapshotID)
	if !strings.Contains(listed, "upload.jpg") || strings.Contains(listed, "page.html") || strings.Contains(listed, "index.php") {
		t.Errorf("the files are %s", listed)
	}
	var manifest struct {
		Store    struct{ Slug string }
		Database struct {
			SnapshotID string `json:"snapshot_id"`
		}
	}
	if err := json.Unmarshal([]byte(b.restic(t, "dump", first.Manifest.SnapshotID, "manifest.json")), &manifest); err != nil || manifest.Store.Slug != "shop" || manifest.Database.SnapshotID != first.Database.SnapshotID {
		t.Errorf("the manifest is %+v, %v", manifest, err)
	}
}

func TestPostgreSQLBecomesAPoint(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	end := d.start(t)
	defer end(syscall.SIGINT)
	eventually(t, "PostgreSQL lets medusa in", func() bool { return d.ask(t, "medusa") == nil })
	db, err := pgx.Connect(t.Context(), fmt.Sprintf("postgres://medusa:%s@127.0.0.1:%s/medusa?sslmode=disable", ownersPassword, d.port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.Background()) }()
	if _, err := db.Exec(t.Context(), `CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 200000) g`); err != nil {
		t.Fatal(err)
	}
	b := newBackup(t, medusa(t, unchanged), bucketServer(t).URL, d.port, "/app/static")
	first := b.point(t, "first")
	for _, statement := range []string{
		`CREATE TABLE "order" (deleted_at TIMESTAMPTZ, is_draft_order BOOLEAN); INSERT INTO "order" VALUES (NULL, FALSE), (NULL, FALSE), (NULL, TRUE), (now(), FALSE)`,
		`CREATE TABLE product (deleted_at TIMESTAMPTZ); INSERT INTO product VALUES (NULL), (now())`, `CREATE TABLE customer (deleted_at TIMESTAMPTZ)`,
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	second := b.point(t, "second")
	if first.Contents != nil || second.Contents == nil || *second.Contents != (counts{2, 1, 0}) {
		t.Errorf("counted are %+v, before there is a shop %+v", second.Contents, first.Contents)
	}
	if first.Database.Bytes < 500_000 || second.Database.Added > first.Database.Added/2 {
		t.Errorf("the points are %+v and %+v", first, second)
	}
	b.write(t, "database.dump", b.restic(t, "dump", first.Database.SnapshotID, "database.dump"))
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_restore")
	script, err := exec.CommandContext(t.Context(), programs[len(programs)-1], "--file=-", b.dir+"/database.dump").Output()
	if err != nil || strings.Count(string(script), "\n") < 200_000 {
		t.Errorf("%d lines are restored, %v", strings.Count(string(script), "\n"), err)
	}
}

// A backup that fails leaves no manifest, and says why with an exit code of its own.
func TestFailedBackupHasNoManifest(t *testing.T) {
	t.Parallel()
	port, query := mariaDBServer(t)
	server := bucketServer(t)
	b := newBackup(t, shop(t, unchanged), server.URL, port, "/var/www/html")
	b.point(t, "good")
	want := func(point, container string, code int, words string) {
		t.Helper()
		failed, got, said := b.run(t, point)
		if failed != container || got != code || !strings.Contains(said, words) {
			t.Errorf("%s: %s ended with %d: %s", point, failed, got, said)
		}
		if strings.Contains(said, "of this store") || strings.Contains(said, ownersPassword) {
			t.Errorf("%s tells a secret: %s", point, said)
		}
	}
	b.write(t, "target/password", "of another store")
	want("foreign", "repository", 12, "wrong password")
	b.write(t, "target/password", "of this store")
	query("USE wordpress; CREATE TABLE gone (id INT); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone")
	want("broken", "database", 1, "invalid table")
	if n := b.snapshots(t, "broken"); n != 0 {
		t.Errorf("a failed dump leaves %d snapshots", n)
	}
	query("DROP VIEW wordpress.broken")
	b.write(t, "credentials/database-password", "another")
	want("refused", "database", 1, "Access denied")
	b.write(t, "credentials/database-password", ownersPassword)
	b.write(t, "target/repository", "s3:"+server.URL+"/no-bucket/store")
	b.env = append(b.env, "PATIENCE=3")
	if failed, code, said := b.run(t, "gone"); failed != "repository" || code == 0 || said == "" {
		t.Errorf("without a bucket %q ended with %d: %s", failed, code, said)
	}
}

// A process that is killed leaves nothing that a person must clear away: the next backup succeeds.
func TestKilledBackupDoesNotStandInTheWay(t *testing.T) {
	t.Parallel()
	port, _ := mariaDBServer(t)
	b, slow := pausableBackup(t, port)
	b.point(t, "first")
	for _, container := range []string{"database", "files", "manifest"} {
		killed := "killed at " + container
		for _, c := range slices.Concat(b.pod.InitContainers, b.pod.Containers) {
			cmd, _ := b.command(t, c.Name, killed)
			if c.Name != container {
				if err := cmd.Run(); err != nil {
					t.Fatalf("%s: %v", c.Name, err)
				}
				continue
			}
			slow.killAt(t, cmd, http.MethodPut, "/snapshots/")
			break
		}
		b.point(t, "after "+container)
		if n := b.snapshots(t, "after "+container); n != 3 {
			t.Errorf("after one that was %s there are %d snapshots", killed, n)
		}
	}
	b.restic(t, "check", "--read-data", "--no-lock")
}

// wantSound checks that each of the points can be restored, and that nothing in the repository is broken or
// locked.
func (b *backup) wantSound(t *testing.T, points ...backupReport) {
	t.Helper()
	for _, p := range points {
		if dump := b.restic(t, "dump", p.Database.SnapshotID, "database.sql"); int64(len(dump)) != p.Database.Bytes {
			t.Errorf("%d bytes of the database are restored, of %d", len(dump), p.Database.Bytes)
		}
		b.restic(t, "restore", p.Files.SnapshotID, "--target", t.TempDir(), "--verify")
		b.restic(t, "dump", p.Manifest.SnapshotID, "manifest.json")
	}
	if said := b.restic(t, "check", "--read-data"); !strings.Contains(said, "no errors were found") {
		t.Errorf("the repository is %s", said)
	}
}

// restic refuses to complete a repository whose making was interrupted. The backups go to another one then,
// and stay there.
func TestInterruptedRepositoryIsReplaced(t *testing.T) {
	t.Parallel()
	port, _ := mariaDBServer(t)
	b, slow := pausableBackup(t, port)
	b.neverTimesOut(t)
	for _, path := range []string{"/keys/", "/config"} {
		cmd, _ := b.command(t, "repository", "killed")
		slow.killAt(t, cmd, http.MethodPut, path)
	}
	for _, point := range []string{"first", "second"} {
		if r := b.point(t, point); r.Repository != "store-2" {
			t.Errorf("the %s point is in %q", point, r.Repository)
		}
	}
	if n := b.snapshots(t, "first") + b.snapshots(t, "second"); n != 6 {
		t.Errorf("there are %d snapshots", n)
	}
}

// The scripts that all backups and all restores share are the same everywhere.
func TestSharedScriptsAreTheSameInAllCharts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"backup.sh", "restore.sh"} {
		a, err := os.ReadFile("../../charts/woocommerce/files/" + name)
		b, other := os.ReadFile("../../charts/medusa/files/" + name)
		if errors.Join(err, other) != nil || !bytes.Equal(a, b) {
			t.Errorf("the charts' files/%s differ: %v", name, errors.Join(err, other))
		}
	}
}
