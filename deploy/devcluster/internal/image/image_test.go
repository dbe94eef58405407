package image

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestPack(t *testing.T) {
	t.Parallel()
	binary, file := filepath.Join(t.TempDir(), "hello"), filepath.Join(t.TempDir(), "hello.tar")
	if err := os.WriteFile(binary, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Pack(file, "example.test/hello:1", binary); err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil || config.OS != "linux" || config.Architecture == "" || !slices.Equal(config.Config.Entrypoint, []string{"/program"}) {
		t.Errorf("config %+v, error %v", config, err)
	}
	files := mutate.Extract(image)
	defer files.Close()
	content := tar.NewReader(files)
	header, err := content.Next()
	if err != nil || header.Name != "program" || header.Mode != 0o755 {
		t.Fatalf("file %+v, error %v", header, err)
	}
	if raw, err := io.ReadAll(content); err != nil || string(raw) != "a program" {
		t.Errorf("%q, error %v", raw, err)
	}
	if err := Pack(file, "Not A Name", binary); err == nil {
		t.Error("no error for a reference that is none")
	}
}
