package provisioner

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/provisioner/helm"
)

// Comparison is what differs between two states of a store's release.
type Comparison struct {
	From, To Version
	Objects  int      // in the later state
	Parts    []Part   // that differ: the values, then the objects by kind and name
	Restarts []string // workloads of which all pods go before others come
}

// Version names a state: a revision, or zero for one that is only offered, and its chart.
type Version struct {
	Revision int
	Chart    string
	Program  string // version of the shop's program; empty when it is not known
}

// Part is the values of a release, or one of its objects.
type Part struct {
	Name   string // kind/name of an object; "values"
	Change PartChange
	Lines  []DiffLine
}

// PartChange says what becomes of a part.
type PartChange string

// What can become of one.
const (
	PartChanged PartChange = "changed"
	PartAdded   PartChange = "added"
	PartRemoved PartChange = "removed"
)

// DiffLine is a line of a YAML diff.
type DiffLine struct {
	Mark LineMark
	Text string // without secrets
}

// LineMark tells lines apart.
type LineMark string

// What a line can be. A gap stands for lines that are the same and not shown.
const (
	LineSame    LineMark = " "
	LineAdded   LineMark = "+"
	LineRemoved LineMark = "-"
	LineGap     LineMark = "…"
)

const (
	valuesPart   = "values"
	linesAround  = 3    // each change, that are the same
	mostDiffLine = 2000 // lines of all parts together
)

func compareStates(before, after helm.State, hide mask) (Comparison, error) {
	was, err := objectsOf(before.Manifest)
	if err != nil {
		return Comparison{}, err
	}
	is, err := objectsOf(after.Manifest)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{
		From: Version{Revision: before.Revision, Chart: before.ChartVersion}, To: Version{Revision: after.Revision, Chart: after.ChartVersion},
		Objects: len(is), Restarts: restarted(was, is),
	}
	hide = append(hide, hideValues(before.Values)...)
	hide = append(hide, hideValues(after.Values)...)
	c.add(valuesPart, before.Values, after.Values, hide)
	names := slices.Sorted(maps.Keys(is))
	for name := range was {
		if _, stays := is[name]; !stays {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		c.add(name, was[name], is[name], hide)
	}
	c.shorten()
	return c, nil
}

type object = map[string]any

// objectsOf reads a manifest by kind and name.
func objectsOf(manifest string) (map[string]object, error) {
	objects := map[string]object{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a manifest: %w", err)
		}
		var o object
		if err := yaml.Unmarshal(document, &o); err != nil {
			return nil, fmt.Errorf("read a manifest: %w", err)
		}
		if len(o) == 0 {
			continue
		}
		withoutNoise(o)
		objects[fmt.Sprintf("%v/%v", o["kind"], field(o, "metadata")["name"])] = o
	}
}

func field(o object, name string) object {
	inner, _ := o[name].(object)
	return inner
}

// withoutNoise leaves out the labels that differ in every object of another chart, and what a
// Secret holds. Those of pods stay: they are why pods are replaced.
func withoutNoise(o object) {
	labels := field(field(o, "metadata"), "labels")
	delete(labels, "helm.sh/chart")
	delete(labels, "app.kubernetes.io/version")
	if o["kind"] == "Secret" {
		for _, block := range []string{"data", "stringData"} {
			for key := range field(o, block) {
				field(o, block)[key] = hidden
			}
		}
	}
}

// restarted names the workloads of which all pods go before others come.
func restarted(was, is map[string]object) (names []string) {
	for _, workload := range replaced(was, is) {
		names = append(names, fmt.Sprint(field(workload, "metadata")["name"]))
	}
	return names
}

func replaced(was, is map[string]object) (workloads []object) {
	for _, name := range slices.Sorted(maps.Keys(is)) {
		spec, before := field(is[name], "spec"), field(was[name], "spec")
		if before == nil || text(spec["template"]) == text(before["template"]) {
			continue
		}
		if is[name]["kind"] == "StatefulSet" || field(spec, "strategy")["type"] == "Recreate" {
			workloads = append(workloads, is[name])
		}
	}
	return workloads
}

// secretKey matches the keys of secret values, but not of references to Secrets.
var secretKey = regexp.MustCompile(`(?i)(password|passwd|token|secret|apikey|api_key|privatekey)$`)

// hideValues puts dots in the place of what looks like a secret among an operator's values,
// and returns what it hid: a chart may have put it anywhere.
func hideValues(values object) (secrets []string) {
	for key, value := range values {
		text, isText := value.(string)
		if isText && text != "" && key != "existingSecret" && secretKey.MatchString(key) {
			values[key] = hidden
			secrets = append(secrets, newMask([]string{text})...)
		}
		secrets = append(secrets, hideWithin(value)...)
	}
	return secrets
}

func hideWithin(value any) (secrets []string) {
	switch v := value.(type) {
	case object:
		return hideValues(v)
	case []any:
		for _, item := range v {
			secrets = append(secrets, hideWithin(item)...)
		}
	}
	return secrets
}

// add compares one part, of which one side may be missing.
func (c *Comparison) add(name string, was, is object, hide mask) {
	part := Part{Name: name, Change: PartChanged}
	switch {
	case was == nil:
		part.Change = PartAdded
	case is == nil:
		part.Change = PartRemoved
	}
	if part.Lines = diff(lines(was, hide), lines(is, hide)); len(part.Lines) > 0 {
		c.Parts = append(c.Parts, part)
	}
}

// text is YAML with sorted keys.
func text(value any) string {
	encoded, err := yaml.Marshal(value)
	if err != nil { // it was read from YAML
		return err.Error()
	}
	return string(encoded)
}

func lines(o object, hide mask) (all []string) {
	if o == nil {
		return nil
	}
	for line := range bytes.Lines([]byte(text(o))) {
		all = append(all, hide.hide(strings.TrimRight(string(line), "\n"), false))
	}
	return all
}

// diff shows what differs, with a few lines around it.
func diff(was, is []string) (shown []DiffLine) {
	if slices.Equal(was, is) {
		return nil
	}
	add := func(mark LineMark, texts []string) {
		for _, text := range texts {
			shown = append(shown, DiffLine{mark, text})
		}
	}
	for i, group := range difflib.NewMatcher(was, is).GetGroupedOpCodes(linesAround) {
		if i > 0 || group[0].I1 > 0 && group[0].J1 > 0 {
			shown = append(shown, DiffLine{Mark: LineGap})
		}
		for _, op := range group {
			if op.Tag == 'e' {
				add(LineSame, is[op.J1:op.J2])
				continue
			}
			add(LineRemoved, was[op.I1:op.I2])
			add(LineAdded, is[op.J1:op.J2])
		}
	}
	return shown
}

// shorten leaves out lines where a comparison is longer than anybody reads.
func (c *Comparison) shorten() {
	room := mostDiffLine
	for i := range c.Parts {
		if part := &c.Parts[i]; len(part.Lines) > room {
			part.Lines = append(part.Lines[:room], DiffLine{Mark: LineGap})
		}
		room = max(0, room-len(c.Parts[i].Lines))
	}
}

// Count returns how many objects differ, and how many of those are added or removed.
func (c Comparison) Count() (changed, added, removed int) {
	for _, part := range c.Parts {
		switch {
		case part.Name == valuesPart:
		case part.Change == PartAdded:
			added++
		case part.Change == PartRemoved:
			removed++
		default:
			changed++
		}
	}
	return changed, added, removed
}
