package simulate

import (
	"fmt"
	"strings"
)

// Fragments of kwok templates: what a kubelet writes into a pod's status. They are rendered with the pod as dot.

const ready = initialized + `
- {type: Ready, status: "True", reason: "", message: "", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", reason: "", message: "", lastTransitionTime: {{ $now | Quote }}}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}`

const unready = `
{{ $names := list }}{{ range .spec.containers }}{{ $names = append $names .name }}{{ end }}
{{ $message := printf "containers with unready status: [%s]" (join " " $names) }}` + initialized + `
- {type: Ready, status: "False", reason: ContainersNotReady, message: {{ $message | Quote }}, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", reason: ContainersNotReady, message: {{ $message | Quote }}, lastTransitionTime: {{ $now | Quote }}}`

const completed = initialized + `
- {type: Ready, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now | Quote }}}`

const failed = initialized + `
- {type: Ready, status: "False", reason: PodFailed, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", reason: PodFailed, lastTransitionTime: {{ $now | Quote }}}`

// initialized begins the list of conditions. Those that it does not name, PodScheduled for one, stay as they are.
const initialized = `
conditions:
- {type: PodReadyToStartContainers, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}`

const address = `
{{ $node := NodeIPWith .spec.nodeName }}
{{ $ip := or .status.podIP (PodIPWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace) }}
hostIP: {{ $node | Quote }}
hostIPs: [{ip: {{ $node | Quote }}}]
podIP: {{ $ip | Quote }}
podIPs: [{ip: {{ $ip | Quote }}}]
startTime: {{ or .status.startTime $now | Quote }}`

// initContainers have all run; those that restart always, sidecars, are running.
const initContainers = `
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: true
  restartCount: 0
{{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ else }}
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
{{ end }}
{{ end }}`

const startAndFinish = `startedAt: {{ $startedAt | Quote }}, finishedAt: {{ $now | Quote }}`

// countRestarts sets $restarts, the most restarts that any container of the pod has had.
const countRestarts = `{{ $restarts := 0 }}` +
	`{{ range .status.containerStatuses }}{{ $restarts = max $restarts .restartCount }}{{ end }}`

// containers are the statuses of the pod's containers; lines say what differs from stage to stage.
func containers(lines ...string) string {
	return countRestarts + `
{{ $startedAt := or .status.startTime $now }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ` + strings.Join(lines, "\n  ") + `
{{ end }}`
}

// startEvents are those of a container that starts.
func startEvents() []step {
	return []step{
		event("pulled", "Normal", "Pulled", `printf "Container image %q already present on machine" .image`),
		event("created", "Normal", "Created", `printf "Created container: %s" .name`),
		event("started", "Normal", "Started", `printf "Started container %s" .name`),
	}
}

// event makes an Event as a kubelet does, about the pod's first container. The message is a template expression
// with that container as dot. Playing the stage again renews the event of the same name.
func event(name, kind, reason, message string) step {
	const template = countRestarts + `
{{ with index .spec.containers 0 }}
apiVersion: v1
kind: Event
metadata: {name: {{ printf "%%s.%s" $.metadata.name | Quote }}, namespace: {{ $.metadata.namespace | Quote }}}
involvedObject:
  apiVersion: v1
  kind: Pod
  namespace: {{ $.metadata.namespace | Quote }}
  name: {{ $.metadata.name | Quote }}
  uid: {{ $.metadata.uid | Quote }}
  fieldPath: {{ printf "spec.containers{%%s}" .name | Quote }}
type: %s
reason: %s
message: {{ %s | Quote }}
source: {component: kubelet, host: {{ $.spec.nodeName | Quote }}}
reportingComponent: kubelet
reportingInstance: {{ $.spec.nodeName | Quote }}
count: {{ add1 $restarts }}
firstTimestamp: {{ Now | Quote }}
lastTimestamp: {{ Now | Quote }}
{{ end }}`
	return step{Apply: &apply{Template: fmt.Sprintf(template, name, kind, reason, message)}}
}
