package simulate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"text/template"

	"sigs.k8s.io/yaml"
)

// kwokFunctions stand in for those that kwok and sprig give to templates.
func kwokFunctions() template.FuncMap {
	return template.FuncMap{
		"Quote":      func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"Now":        func() string { return "2026-01-02T03:04:05Z" },
		"Version":    func() string { return "0.0.0" },
		"NodeIP":     func() string { return "127.0.0.1" },
		"NodePort":   func() int { return 10250 },
		"NodeIPWith": func(string) string { return "127.0.0.1" },
		"PodIPWith":  func(string, bool, string, string, string) string { return "10.244.0.2" },
		"NodeConditions": func() []map[string]string {
			return []map[string]string{{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok"}}
		},
		"YAML": func(v any, indent int) (string, error) {
			raw, err := yaml.Marshal(v)
			pad := "\n" + strings.Repeat("  ", indent)
			return strings.ReplaceAll("\n"+strings.TrimSpace(string(raw)), "\n", pad), err
		},
		"list":   func() []any { return nil },
		"append": func(l []any, v any) []any { return append(l, v) },
		"join": func(sep string, l []any) string {
			return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(l...), "[]")), sep)
		},
		"max":  func(a, b int) int { return max(a, b) },
		"add1": func(a int) int { return a + 1 },
	}
}

// examples are objects such as each kind's stages meet.
func examples() map[string]any {
	meta := map[string]any{
		"name": "x", "namespace": "store-x", "uid": "1-2", "creationTimestamp": "2026-01-02T03:04:05Z", "resourceVersion": "1",
	}
	return map[string]any{
		"Node": map[string]any{"metadata": meta},
		"Pod": map[string]any{
			"metadata": meta,
			"spec": map[string]any{
				"nodeName": "sim-1", "hostNetwork": false,
				"containers":     []any{map[string]any{"name": "web", "image": `shop/"web":1`}},
				"initContainers": []any{map[string]any{"name": "init", "image": "i:1", "restartPolicy": "Always"}},
			},
			"status": map[string]any{"startTime": nil, "podIP": "", "containerStatuses": []any{map[string]any{"restartCount": 2}}},
		},
		"PersistentVolumeClaim": map[string]any{
			"metadata": meta,
			"spec": map[string]any{
				"accessModes": []any{"ReadWriteOnce"}, "storageClassName": "standard", "volumeMode": "",
				"resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
			},
		},
		"PersistentVolume": map[string]any{"metadata": meta},
	}
}

func TestEveryTemplateMakesAnObject(t *testing.T) {
	t.Parallel()
	for _, group := range [][]stage{nodeStages(), podStages(), volumeStages()} {
		for _, s := range group {
			for i, step := range s.Spec.Steps {
				text := templateOf(step)
				if text == "" {
					continue
				}
				got, err := render(text, examples()[s.Spec.ResourceRef.Kind])
				if err != nil || len(got) == 0 {
					t.Errorf("%s, step %d: %v, error %v", s.Metadata.Name, i, got, err)
				}
			}
		}
	}
}

func templateOf(s step) string {
	switch {
	case s.Patch != nil:
		return s.Patch.Template
	case s.Apply != nil:
		return s.Apply.Template
	}
	return ""
}

func render(text string, object any) (map[string]any, error) {
	parsed, err := template.New("").Funcs(kwokFunctions()).Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, object); err != nil {
		return nil, err
	}
	var rendered map[string]any
	err = yaml.UnmarshalStrict(out.Bytes(), &rendered)
	return rendered, err
}

func TestStagesAreOneDocumentEach(t *testing.T) {
	t.Parallel()
	raw, err := Stages(`/a "strange" place/container.log`)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for document := range strings.SplitSeq(strings.TrimPrefix(string(raw), "---\n"), "\n---\n") {
		var s stage
		if err := yaml.Unmarshal([]byte(document), &s); err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		if names[s.Metadata.Name] {
			t.Errorf("two stages are named %s", s.Metadata.Name)
		}
		names[s.Metadata.Name] = true
	}
	if want := 1 + len(nodeStages()) + len(podStages()) + len(volumeStages()); len(names) != want {
		t.Errorf("%d documents, want %d", len(names), want)
	}
}

func TestPolicyWritesWhatStagesRead(t *testing.T) {
	t.Parallel()
	for _, annotation := range []string{failAnnotation, startDelayAnnotation, jobDurationAnnotation, revisionAnnotation} {
		if !bytes.Contains(policy, []byte(`"`+annotation+`": `)) {
			t.Errorf("policy.yaml does not write %s", annotation)
		}
	}
	for _, manifest := range [][]byte{policy, binding} {
		var object struct{ Metadata struct{ Name string } }
		if err := yaml.Unmarshal(manifest, &object); err != nil || object.Metadata.Name != "simulation.shopwright.dev" {
			t.Errorf("name %q, error %v", object.Metadata.Name, err)
		}
	}
}
