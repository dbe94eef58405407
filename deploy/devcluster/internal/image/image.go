// Package image packs a program into a container image: a file that every runtime loads, made without one.
package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// program is where the image has it.
const program = "program"

// Pack writes to path an image named reference that runs the statically linked binary.
func Pack(path, reference, binary string) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	raw, err := os.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("read the image's program: %w", err)
	}
	files, err := archive(raw)
	if err != nil {
		return fmt.Errorf("pack %s: %w", binary, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil })
	if err != nil {
		return fmt.Errorf("make the image's layer: %w", err)
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, Config: v1.Config{Entrypoint: []string{"/" + program}},
	})
	if err != nil {
		return fmt.Errorf("say what the image runs: %w", err)
	}
	image, err = mutate.AppendLayers(image, layer)
	if err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	if err := tarball.WriteToFile(path, tag, image); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	return nil
}

// archive is the image's only layer.
func archive(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: program, Mode: 0o755, Size: int64(len(raw))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}
