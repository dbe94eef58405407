package simulate

import (
	"encoding/json"
	"fmt"
	"strings"
)

// stage is kwok's Stage (kwok.x-k8s.io/v1alpha1): what happens to an object that meets the requirements.
type stage struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Metadata   metadata  `json:"metadata"`
	Spec       stageSpec `json:"spec"`
}

type metadata struct {
	Name string `json:"name"`
}

type stageSpec struct {
	ResourceRef resourceRef `json:"resourceRef"`
	Selector    selector    `json:"selector"`
	Delay       delay       `json:"delay,omitzero"`
	Steps       []step      `json:"steps"`
}

type resourceRef struct {
	APIGroup string `json:"apiGroup"`
	Kind     string `json:"kind"`
}

type selector struct {
	MatchExpressions []requirement `json:"matchExpressions"`
}

// requirement compares what a jq expression finds in the object with some values.
type requirement struct {
	JQ struct {
		Key      string   `json:"key"`
		Operator string   `json:"operator"`
		Values   []string `json:"values,omitempty"`
	} `json:"jq"`
}

func require(key, operator string, values ...string) requirement {
	var r requirement
	r.JQ.Key, r.JQ.Operator, r.JQ.Values = key, operator, values
	return r
}

// delay is how long a stage waits: what a jq expression finds in the object, a duration such as "5s", or else a
// fixed time.
type delay struct {
	Milliseconds int64       `json:"durationMilliseconds,omitempty"`
	Jitter       int64       `json:"jitterDurationMilliseconds,omitempty"`
	From         *expression `json:"durationFrom,omitempty"`
}

type expression struct {
	JQ struct {
		Expression string `json:"expression"`
	} `json:"jq"`
}

// delayFrom waits for the duration that the jq expression finds, or else for the usual time.
func delayFrom(jq string) delay {
	from := new(expression)
	from.JQ.Expression = jq
	return delay{Milliseconds: usualDelay.Milliseconds(), From: from}
}

// step is one of: a change of the object's status, another object made, the object deleted.
type step struct {
	Patch  *patch `json:"patch,omitempty"`
	Apply  *apply `json:"apply,omitempty"`
	Delete bool   `json:"delete,omitempty"`
}

type patch struct {
	Root        string `json:"root"`
	Subresource string `json:"subresource"`
	Template    string `json:"template"`
}

type apply struct {
	Template string `json:"template"`
}

// setStatus changes the object's status to what the fragments of a kwok template say together.
func setStatus(fragments ...string) step {
	template := "{{ $now := Now }}\n" + strings.Join(fragments, "\n")
	return step{Patch: &patch{Root: "status", Subresource: "status", Template: template}}
}

// newStage is a stage for objects of a core kind.
func newStage(kind, name string, wait delay, when []requirement, steps ...step) stage {
	return stage{
		APIVersion: "kwok.x-k8s.io/v1alpha1", Kind: "Stage", Metadata: metadata{name},
		Spec: stageSpec{
			ResourceRef: resourceRef{APIGroup: "v1", Kind: kind},
			Selector:    selector{when},
			Delay:       wait,
			Steps:       steps,
		},
	}
}

// Stages is kwok's configuration: how nodes, pods and volumes behave. The log of every container is the file
// containerLog, in the format of the container runtime interface.
func Stages(containerLog string) ([]byte, error) {
	logs := map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterLogs", "metadata": metadata{"all"},
		"spec": map[string]any{"logs": []any{map[string]any{"logsFile": containerLog}}},
	}
	documents := []any{logs}
	for _, group := range [][]stage{nodeStages(), podStages(), volumeStages()} {
		for _, s := range group {
			documents = append(documents, s)
		}
	}
	var out strings.Builder
	for _, document := range documents {
		raw, err := json.Marshal(document)
		if err != nil {
			return nil, fmt.Errorf("encode a stage: %w", err)
		}
		fmt.Fprintf(&out, "---\n%s\n", raw)
	}
	return []byte(out.String()), nil
}
