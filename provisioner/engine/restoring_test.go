package engine_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// newRestore runs the containers of a chart's restore as processes, as backup does. The point is one that
// from has made; the database is the one at that port. The folders are those of from: restic restores what
// was at a path to that path.
func newRestore(t *testing.T, objects []runtime.Object, from *backup, point backupReport, port string) *backup {
	t.Helper()
	r := &backup{dir: from.dir, files: from.files, at: maps.Clone(from.at), env: slices.Clone(from.env)}
	enginetest.Each(objects, func(c *batchv1.CronJob) {
		if c.Name == "restore" {
			r.pod = c.Spec.JobTemplate.Spec.Template.Spec
		}
	})
	maps.Copy(r.at, map[string]string{"wp": r.dir + "/bin/wp", "/restore": r.dir + "/restore", "/setup": r.dir + "/setup", "/usr/src/wordpress": r.dir + "/image", "/work": r.dir + "/work-of-restore"})
	places := []string{"/restore/", r.at["/restore"] + "/", "/setup/", r.at["/setup"] + "/"}
	for _, path := range []string{"/usr/src/wordpress", "/var/www/html", "/var/lib/shopwright"} {
		if r.at[path] != "" {
			places = append(places, path, r.at[path])
		}
	}
	here := strings.NewReplacer(places...)
	enginetest.Each(objects, func(c *corev1.ConfigMap) {
		if c.Name == "restore" || c.Name == "setup" {
			for name, text := range c.Data {
				r.write(t, c.Name+"/"+name, here.Replace(text))
			}
		}
	})
	for name, content := range map[string]string{
		"work-of-restore/": "", "target/database-snapshot": point.Database.SnapshotID, "target/files-snapshot": point.Files.SnapshotID,
		"target/old-url": "http://old.example.com", "bin/wp": "#!/bin/sh\necho \"$@\" >>\"$HOME/calls\"\n",
	} {
		r.write(t, name, content)
	}
	makeRunnable(t, r.dir+"/bin/wp")
	r.env = append(r.env, "DATABASE_PORT="+port, strings.Replace(r.env[0], "PATH=", "PATH="+r.dir+"/bin:", 1))
	return r
}

func makeRunnable(t *testing.T, path string) {
	t.Helper()
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// restore runs the containers, which must succeed.
func (b *backup) restore(t *testing.T) {
	t.Helper()
	if failed, code, said := b.run(t, "the point"); failed != "" {
		t.Fatalf("%s ended with %d: %s", failed, code, said)
	}
}

// killWhen starts a container and kills it once that holds.
func (b *backup) killWhen(t *testing.T, container string, holds func() bool) {
	t.Helper()
	cmd, said := b.command(t, container, "killed")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is time to kill "+container, holds)
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if err := cmd.Wait(); err == nil {
		t.Errorf("%s had ended before: %s", container, said)
	}
}

// want runs the containers, of which that one must fail.
func (b *backup) want(t *testing.T, container string, code int, words string) {
	t.Helper()
	failed, got, said := b.run(t, "the point")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if failed != container || got != code || !strings.Contains(lines[len(lines)-1], words) {
		t.Errorf("%q ended with %d, want %s with %d: %s", failed, got, container, code, said)
	}
	if strings.Contains(said, "of this store") || strings.Contains(said, ownersPassword) {
		t.Errorf("%s tells a secret: %s", container, said)
	}
}

// texts are the files in a folder and their content.
func texts(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// wantTexts checks some of the files in a folder; an empty text is that of a file that must not be there.
func wantTexts(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	got := texts(t, folder)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s is %.80q, want %.80q", name, got[name], text)
		}
	}
}

// runPHP runs a program of a test, and returns what it prints.
func runPHP(t *testing.T, script string, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), php(t), "-d", "display_errors=stderr", script)
	cmd.Env = append(os.Environ(), env...)
	said := &strings.Builder{}
	cmd.Stderr = said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("php %s: %v: %s%s", script, err, said, out)
	}
	return string(out)
}
