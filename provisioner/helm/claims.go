package helm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/api/resource"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type object = map[string]any

// claimKeeper is a post-renderer that keeps the specs of existing volume claims. In Kubernetes a
// claim, and the claim templates of a StatefulSet, cannot be changed, except that a claim may grow.
// An upgrade with other specs would always be refused, so they apply to new stores only.
type claimKeeper struct {
	base   map[string]object // objects of the revision in place, by kind and name
	growth map[string]string // claims that are to become larger, and how large
}

func newClaimKeeper(history []*release.Release) (*claimKeeper, error) {
	k := &claimKeeper{base: map[string]object{}, growth: map[string]string{}}
	base := baseOf(history)
	if base == nil {
		return k, nil
	}
	return k, eachObject(base.Manifest, func(_ []byte, o object) error {
		k.base[nameOf(o)] = o
		return nil
	})
}

// Run implements postrender.PostRenderer.
func (k *claimKeeper) Run(rendered *bytes.Buffer) (*bytes.Buffer, error) {
	kept := &bytes.Buffer{}
	err := eachObject(rendered.String(), func(document []byte, o object) error {
		if k.keep(o) {
			var err error
			if document, err = yaml.Marshal(o); err != nil {
				return err
			}
		}
		fmt.Fprintf(kept, "---\n%s\n", bytes.TrimSpace(document))
		return nil
	})
	return kept, err
}

// keep gives the object the claims of the revision in place, and reports whether it may have changed.
func (k *claimKeeper) keep(o object) bool {
	before, is := k.base[nameOf(o)]
	switch {
	case !is:
		return false
	case o["kind"] == "PersistentVolumeClaim":
		k.keepClaim(text(field(o, "metadata")["name"]), o, before)
	case o["kind"] == "StatefulSet":
		k.keepTemplates(o, before)
	default:
		return false
	}
	return true
}

func (k *claimKeeper) keepClaim(name string, o, before object) {
	wanted, size := sizeOf(o), sizeOf(before)
	o["spec"] = before["spec"]
	if isLarger(wanted, size) {
		requests := maps.Clone(field(field(field(o, "spec"), "resources"), "requests"))
		requests["storage"] = wanted
		field(field(o, "spec"), "resources")["requests"] = requests
		k.growth[name] = wanted
	}
}

func (k *claimKeeper) keepTemplates(set, before object) {
	wanted, templates := list(field(set, "spec")["volumeClaimTemplates"]), list(field(before, "spec")["volumeClaimTemplates"])
	for _, template := range templates {
		for _, other := range wanted {
			name := text(field(template, "metadata")["name"])
			if name == text(field(other, "metadata")["name"]) && isLarger(sizeOf(other), sizeOf(template)) {
				k.grow(set, name, sizeOf(other))
			}
		}
	}
	if templates == nil {
		delete(field(set, "spec"), "volumeClaimTemplates")
		return
	}
	field(set, "spec")["volumeClaimTemplates"] = field(before, "spec")["volumeClaimTemplates"]
}

// grow notes the new size of the claims that a StatefulSet has from one template.
func (k *claimKeeper) grow(set object, template, size string) {
	for _, name := range claimsOfSet(set, template) {
		k.growth[name] = size
	}
}

// claimsOfSet returns the names of the claims that the pods of a StatefulSet have from one template.
func claimsOfSet(set object, template string) (names []string) {
	replicas := 1
	if n, is := field(set, "spec")["replicas"].(float64); is {
		replicas = int(n)
	}
	for i := range replicas {
		names = append(names, fmt.Sprintf("%s-%s-%d", template, text(field(set, "metadata")["name"]), i))
	}
	return names
}

// claimsOf returns the names of the volume claims that the objects of a manifest need.
func claimsOf(manifest string) (names []string, err error) {
	err = eachObject(manifest, func(_ []byte, o object) error {
		switch o["kind"] {
		case "PersistentVolumeClaim":
			names = append(names, text(field(o, "metadata")["name"]))
		case "StatefulSet":
			for _, template := range list(field(o, "spec")["volumeClaimTemplates"]) {
				names = append(names, claimsOfSet(o, text(field(template, "metadata")["name"]))...)
			}
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

func sizeOf(claim object) string {
	return text(field(field(field(claim, "spec"), "resources"), "requests")["storage"])
}

func isLarger(size, than string) bool {
	a, err := resource.ParseQuantity(size)
	if err != nil {
		return false // the API server says what is wrong with it
	}
	b, err := resource.ParseQuantity(than)
	return err == nil && a.Cmp(b) > 0
}

func nameOf(o object) string { return text(o["kind"]) + "/" + text(field(o, "metadata")["name"]) }

func field(o object, name string) object {
	inner, _ := o[name].(object)
	return inner
}

func list(value any) (objects []object) {
	items, _ := value.([]any)
	for _, item := range items {
		o, _ := item.(object)
		objects = append(objects, o)
	}
	return objects
}

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

// eachObject calls do with every object of a manifest, and the YAML that it was read from.
func eachObject(manifest string, do func(document []byte, o object) error) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewBufferString(manifest)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a manifest: %w", err)
		}
		var o object
		if err := yaml.Unmarshal(document, &o); err != nil {
			return fmt.Errorf("read a manifest: %w", err)
		}
		if len(o) == 0 {
			continue
		}
		if err := do(document, o); err != nil {
			return err
		}
	}
}
