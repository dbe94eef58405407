// Package simulate says how the pods of a development cluster behave: the stages by which kwok plays them, and the
// switches that make the pods of one namespace fail or dawdle, for tests. The switches reach a pod by a
// MutatingAdmissionPolicy as annotations, which the stages read; nothing else has to know of them.
package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Annotations that carry the switches to a pod. policy.yaml writes them.
const (
	failAnnotation        = "shopwright.dev/simulate-fail"
	startDelayAnnotation  = "shopwright.dev/simulate-start-delay"
	jobDurationAnnotation = "shopwright.dev/simulate-job-duration"
	revisionAnnotation    = "shopwright.dev/simulate-revision"
)

// Failure is what is wrong with a pod.
type Failure string

// The failures a pod can show.
const (
	ImagePull  Failure = "image-pull"  // its image cannot be pulled
	CrashLoop  Failure = "crash-loop"  // its container starts and dies, again and again
	NeverReady Failure = "never-ready" // it runs but is never ready; a job's pod never ends
	JobFailed  Failure = "job-failed"  // a job's pod fails
)

// off is how people say that a switch is to be removed.
const off = "none"

// Change sets or, where the value is empty, removes switches of a namespace.
type Change struct {
	// Component narrows the change to pods with this app.kubernetes.io/component. A switch for a component goes
	// before one for the whole namespace.
	Component string
	// Switches are new values by the name of the switch: fail, start-delay, job-duration.
	Switches map[string]string
}

// ParseChange reads arguments such as "fail=image-pull", "start-delay=5s", "job-duration=1m", "component=mariadb".
// All mistakes are reported at once.
func ParseChange(args []string) (Change, error) {
	change := Change{Switches: map[string]string{}}
	var mistakes []error
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("%q is not of the form switch=value", arg))
			continue
		}
		mistakes = append(mistakes, change.set(name, value))
	}
	if len(change.Switches) == 0 && len(mistakes) == 0 || len(change.Switches) == 0 && change.Component != "" {
		mistakes = append(mistakes, errors.New("say which switch to change: fail, start-delay or job-duration"))
	}
	return change, errors.Join(mistakes...)
}

func (c *Change) set(name, value string) error {
	if value == off {
		value = ""
	}
	switch name {
	case "component":
		c.Component = value
		return nil
	case "fail":
		if err := checkFailure(value); err != nil {
			return err
		}
	case "start-delay", "job-duration":
		if d, err := time.ParseDuration(cmp.Or(value, "0s")); err != nil || d < 0 {
			return fmt.Errorf("%s=%s is not a duration such as 5s or 2m", name, value)
		}
	default:
		return fmt.Errorf("there is no switch %q: use fail, start-delay, job-duration, component", name)
	}
	c.Switches[name] = value
	return nil
}

func checkFailure(value string) error {
	failures := []Failure{"", ImagePull, CrashLoop, NeverReady, JobFailed}
	if !slices.Contains(failures, Failure(value)) {
		return fmt.Errorf("fail=%s is unknown: use %s, %s, %s, %s or %s", value, ImagePull, CrashLoop, NeverReady, JobFailed, off)
	}
	return nil
}

// apply returns the switches of a namespace after the change. The keys are as policy.yaml reads them.
func (c Change) apply(switches map[string]string) map[string]string {
	after := maps.Clone(switches)
	if after == nil {
		after = map[string]string{}
	}
	for name, value := range c.Switches {
		key := name
		if c.Component != "" {
			key = c.Component + "." + name
		}
		after[key] = value
		if value == "" {
			delete(after, key)
		}
	}
	return after
}
