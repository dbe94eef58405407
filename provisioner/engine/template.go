package engine

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Template is what a shop of an engine can begin with. It works on the first setup only:
// what the merchant makes of the shop later is the merchant's.
type Template struct {
	Name        string         // in records and forms, such as demo
	Label       string         // for people, such as Demo catalogue
	Description string         // one sentence, for the choice between templates
	Values      map[string]any // Helm values over the chart's

	order int
}

// templateFile is a template for every engine that it names.
type templateFile struct {
	Order       int                       `json:"order"`
	Label       string                    `json:"label"`
	Description string                    `json:"description"`
	Values      map[string]any            `json:"values"`  // for each of the engines
	Engines     map[string]map[string]any `json:"engines"` // values of one engine, over those
}

// ReadTemplates reads the templates of an engine from a folder: NAME.yaml for each, in the
// order that they say.
func ReadTemplates(folder fs.FS, engine string) ([]Template, error) {
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("look for templates: %w", err)
	}
	var templates []Template
	for _, file := range files {
		t, err := readTemplate(folder, file)
		if err != nil {
			return nil, fmt.Errorf("read template %s: %w", file, err)
		}
		if own, offered := t.Engines[engine]; offered {
			templates = append(templates, Template{
				Name: strings.TrimSuffix(file, ".yaml"), Label: t.Label, Description: t.Description, Values: merge(t.Values, own), order: t.Order,
			})
		}
	}
	slices.SortStableFunc(templates, func(a, b Template) int { return cmp.Compare(a.order, b.order) })
	return templates, nil
}

func readTemplate(folder fs.FS, file string) (t templateFile, err error) {
	data, err := fs.ReadFile(folder, file)
	if err != nil {
		return t, err
	}
	if err := yaml.UnmarshalStrict(data, &t); err != nil {
		return t, err
	}
	if t.Label == "" || t.Description == "" {
		return t, errors.New("it has no label or description")
	}
	return t, nil
}

// FindTemplate returns the template of that name.
func FindTemplate(templates []Template, name string) (Template, bool) {
	i := slices.IndexFunc(templates, func(t Template) bool { return t.Name == name })
	if i < 0 {
		return Template{}, false
	}
	return templates[i], true
}
