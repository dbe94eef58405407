package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// volume is where the script works that brings the image's code into the shop's volume.
type volume struct{ site }

func newVolume(t *testing.T) volume {
	t.Helper()
	v := volume{site{root: t.TempDir()}}
	here := strings.NewReplacer("/usr/src/wordpress", v.path("image"), "/var/www/html", v.path("html"), "/var/lib/shopwright", v.path("notes"), "/setup/", v.path("")+"/")
	enginetest.Each(shop(t, unchanged), func(c *corev1.ConfigMap) {
		if c.Name == "setup" {
			for name, text := range c.Data {
				v.write(t, name, here.Replace(text))
			}
		}
	})
	for _, folder := range []string{"html", "notes"} {
		if err := os.MkdirAll(v.path(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	v.write(t, "html/wp-config.php", "mine")
	return v
}

// image puts other code into the image.
func (v volume) image(t *testing.T, wordpress, woocommerce string) {
	t.Helper()
	if err := os.RemoveAll(v.path("image")); err != nil {
		t.Fatal(err)
	}
	v.write(t, "image/wp-includes/version.php", "<?php\n$wp_version = '"+wordpress+"';\n")
	v.write(t, "image/wp-includes/of-"+wordpress+".php", "<?php")
	v.write(t, "image/wp-admin/index.php", "<?php")
	v.write(t, "image/index.php", wordpress)
	v.write(t, "image/wp-content/index.php", "<?php")
	v.write(t, "image/wp-content/plugins/akismet/akismet.php", "<?php\n/**\n * Version: 5.1\n */\n")
	v.write(t, "image/wp-content/themes/twenty/style.css", "/*\nTheme Name: Twenty\nVersion: 1.0\n*/\n")
	if woocommerce != "" {
		v.write(t, "image/wp-content/plugins/woocommerce/woocommerce.php", "<?php\n/**\n * Plugin Name: WooCommerce\n * Version: "+woocommerce+"\n */\n")
	}
}

// bring runs the script as the pod's init container does, with cp as it is or one that dies.
func (v volume) bring(t *testing.T, path string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", v.path("code.sh"))
	cmd.Env = []string{"PATH=" + path + os.Getenv("PATH"), "SHOP_IMAGE=the-image", "STATE=" + v.root}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (v volume) wantCode(t *testing.T, wordpress, woocommerce string) {
	t.Helper()
	if out, err := v.bring(t, ""); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	code, _ := filepath.Glob(v.path("html/wp-includes/of-*"))
	if len(code) != 1 || !strings.HasSuffix(code[0], "of-"+wordpress+".php") || v.read(t, "html/index.php") != wordpress {
		t.Errorf("WordPress is %v, want %s", code, wordpress)
	}
	if got := v.read(t, "html/wp-content/plugins/woocommerce/woocommerce.php"); !strings.Contains(got, "Version: "+woocommerce+"\n") {
		t.Errorf("WooCommerce is %s, want %s", got, woocommerce)
	}
	if v.read(t, "html/wp-config.php") != "mine" || v.read(t, "notes/image") != "the-image" {
		t.Error("the settings were replaced, or the setup waits for ever")
	}
}

func (v volume) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(v.path(name)); err != nil {
		t.Fatal(err)
	}
}

// An upgrade brings what the image has, going back takes it back, and what the merchant has
// updated or removed is left alone.
func TestCodeFollowsTheImage(t *testing.T) {
	t.Parallel()
	v := newVolume(t)
	v.image(t, "6.9", "10.3.4")
	v.wantCode(t, "6.9", "10.3.4")
	v.write(t, "html/wp-content/uploads/logo.png", "mine")
	v.remove(t, "html/wp-content/plugins/akismet")

	v.image(t, "6.9.1", "10.4.0")
	v.wantCode(t, "6.9.1", "10.4.0")
	v.image(t, "6.9", "10.3.4")
	v.wantCode(t, "6.9", "10.3.4")

	v.write(t, "html/wp-content/plugins/woocommerce/woocommerce.php", "<?php\n/**\n * Version: 10.5.0\n */\n")
	v.image(t, "6.9.1", "10.4.0")
	v.wantCode(t, "6.9.1", "10.5.0")
	v.remove(t, "html/wp-content/plugins/woocommerce")
	v.wantCode(t, "6.9.1", "10.4.0")
	if v.read(t, "html/wp-content/uploads/logo.png") != "mine" {
		t.Error("the merchant's file is gone")
	}
	if _, err := os.Stat(v.path("html/wp-content/plugins/akismet")); err == nil {
		t.Error("a plugin that the merchant has removed is there again")
	}
	if out, err := v.bring(t, ""); err != nil || out != "" {
		t.Errorf("again it brings something: %v: %s", err, out)
	}
}

// A copy may end at any file of it: the next start completes it, as does an upgrade's.
func TestCodeIsCompleteAfterAnInterruption(t *testing.T) {
	t.Parallel()
	for dies := 1; ; dies++ {
		v := newVolume(t)
		v.image(t, "6.9", "10.3.4")
		// A cp that makes only a part of what it is told, and takes its shell with it.
		v.write(t, "bin/cp", `#!/bin/sh
echo >>"$STATE/copies"
[ "$(wc -l <"$STATE/copies")" != "$(cat "$STATE/dies")" ] || {
	if [ -d "$2" ]; then mkdir -p "$3"; else : >"$3"; fi
	kill -KILL $PPID
	exit 1
}
exec /bin/cp "$@"
`)
		v.write(t, "dies", strconv.Itoa(dies))
		_, err := v.bring(t, v.path("bin")+":")
		v.wantCode(t, "6.9", "10.3.4")
		v.remove(t, "copies")
		v.image(t, "6.9.1", "10.4.0")
		_, _ = v.bring(t, v.path("bin")+":")
		v.wantCode(t, "6.9.1", "10.4.0")
		if err == nil {
			if dies < 6 {
				t.Errorf("it copies %d times only", dies-1)
			}
			return
		}
	}
}

// While a restore has the lock on the volume, the code waits.
func TestCodeWaitsForARestore(t *testing.T) {
	t.Parallel()
	v := newVolume(t)
	v.image(t, "6.9", "10.3.4")
	lock, err := os.Create(v.path("notes/lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	// Its flock says that it was reached.
	v.write(t, "bin/flock", "#!/bin/sh\n: >\"$STATE/reached\"\nexec \"$FLOCK\" \"$@\"\n")
	program, err := exec.LookPath("flock")
	if err != nil {
		t.Fatal("flock is missing: apt-get install util-linux")
	}
	cmd := exec.CommandContext(t.Context(), "sh", v.path("code.sh"))
	cmd.Env = []string{"PATH=" + v.path("bin") + ":" + os.Getenv("PATH"), "SHOP_IMAGE=the-image", "STATE=" + v.root, "FLOCK=" + program}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it wants the lock", func() bool { _, err := os.Stat(v.path("reached")); return err == nil })
	if got, _ := os.ReadDir(v.path("html")); len(got) != 1 {
		t.Errorf("without the lock it has brought %v", got)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	v.wantCode(t, "6.9", "10.3.4")
}
