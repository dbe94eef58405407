package provisioner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/store"
)

// Offer is what an upgrade would bring a store to now.
type Offer struct {
	ChartVersion string
	Version      string  // of the shop's program; empty when it is not known
	Images       []Image // in the order of their names
	// Digest covers the chart and the values that this installation offers for the store. If it differs
	// from that of the store's newest revision, there is something to upgrade to.
	Digest string
}

// Image is a container image that a chart uses.
type Image struct {
	Name       string // in the values of the chart
	Repository string // with the registry
	Version    string // tag, with an @ and the digest where there is one
}

// Offer returns what an upgrade would bring the store to now. It sends no request to a cluster.
func (p *Provisioner) Offer(st store.Store) (Offer, error) {
	e, known := p.engines.Find(st.Engine)
	if !known {
		return Offer{}, &store.Error{Code: store.Conflict, Message: fmt.Sprintf("This version of Shopwright has no engine %q. Run a version that has it.", st.Engine)}
	}
	values, digest, err := p.offered(e, st)
	if err != nil {
		return Offer{}, err
	}
	chart, err := helm.Describe(e.Chart(), values)
	return Offer{ChartVersion: chart.ChartVersion, Version: e.Version(chart.Values), Images: imagesOf(chart.Values), Digest: digest}, err
}

// offered returns the values offered for the store now, with a digest of them and the chart. It leaves
// out what belongs to this store alone: its own image versions and its owner's address.
func (p *Provisioner) offered(e engine.Engine, st store.Store) (values map[string]any, digest string, err error) {
	st.Job.Change.Images, st.OwnerEmail = nil, ""
	if values, err = e.Values(p.spec(st)); err != nil {
		return nil, "", fmt.Errorf("make values: %w", err)
	}
	digest, err = digestOf(e.Chart(), values)
	return values, digest, err
}

func digestOf(chart fs.FS, values map[string]any) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(chart, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(chart, path)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", path, len(data), data) // a hash takes everything
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read chart: %w", err)
	}
	if err := json.NewEncoder(sum).Encode(values); err != nil { // maps in the order of their keys
		return "", fmt.Errorf("encode values: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// imagesOf reads the images block, which the values of every chart have.
func imagesOf(values map[string]any) (images []Image) {
	block, _ := values["images"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(block)) {
		fields, _ := block[name].(map[string]any)
		text := func(field string) string { value, _ := fields[field].(string); return value }
		image := Image{Name: name, Repository: text("repository"), Version: text("tag")}
		if registry := text("registry"); registry != "" {
			image.Repository = registry + "/" + image.Repository
		}
		if digest := text("digest"); digest != "" {
			image.Version += "@" + digest
		}
		images = append(images, image)
	}
	return images
}
