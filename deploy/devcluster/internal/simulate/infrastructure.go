package simulate

import "time"

// Provisioner is what the storage class of a development cluster names. Volumes are objects only: nothing is made
// on this machine's disk.
const Provisioner = "shopwright.dev/simulated"

const nodeReady = `[.status.conditions[]? | select(.type == "Ready")] | any(.status == "True")`

// nodeStages make nodes Ready and keep them so. kwok renews their leases by itself; a status without a heartbeat
// now and then would be taken for that of a lost node.
func nodeStages() []stage {
	const heartbeat = 10 * time.Minute
	return []stage{
		newStage("Node", "node-ready", delay{}, []requirement{require(nodeReady, "In", "false")}, setStatus(`
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }}, lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ .metadata.name | Quote }}}
daemonEndpoints: {kubeletEndpoint: {Port: {{ NodePort }}}}
allocatable: {cpu: "64", memory: 256Gi, pods: "1000", ephemeral-storage: 1Ti}
capacity: {cpu: "64", memory: 256Gi, pods: "1000", ephemeral-storage: 1Ti}
nodeInfo:
  architecture: amd64
  operatingSystem: linux
  kubeletVersion: kwok-{{ Version }}
  kubeProxyVersion: ""
  containerRuntimeVersion: kwok-{{ Version }}
  kernelVersion: simulated
  osImage: simulated
  machineID: ""
  systemUUID: ""
  bootID: ""`)),
		newStage("Node", "node-heartbeat",
			delay{Milliseconds: heartbeat.Milliseconds(), Jitter: (heartbeat + time.Minute).Milliseconds()},
			[]requirement{require(nodeReady, "In", "true")}, setStatus(`
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }}, lastHeartbeatTime: {{ $now | Quote }}}
{{ end }}`)),
	}
}

// volumeStages play an external provisioner: a volume for each claim that Kubernetes hands to it, gone when the
// claim is. Binding is left to the real volume controller.
func volumeStages() []stage {
	ours := require(`.metadata.annotations["volume.kubernetes.io/storage-provisioner"]`, "In", Provisioner)
	claimed := []requirement{
		ours,
		require(".status.phase", "In", "Pending"),
		require(".spec.volumeName", "DoesNotExist"),
		require(".metadata.deletionTimestamp", "DoesNotExist"),
	}
	released := []requirement{
		require(`.metadata.annotations["pv.kubernetes.io/provisioned-by"]`, "In", Provisioner),
		require(".spec.persistentVolumeReclaimPolicy", "In", "Delete"),
		require(".status.phase", "In", "Released"),
		require(".metadata.deletionTimestamp", "DoesNotExist"),
	}
	return []stage{
		newStage("PersistentVolumeClaim", "volume-provision", delay{}, claimed, step{Apply: &apply{Template: `
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pvc-{{ .metadata.uid }}
  annotations: {pv.kubernetes.io/provisioned-by: ` + Provisioner + `}
spec:
  accessModes:
  {{ YAML .spec.accessModes 1 }}
  capacity: {storage: {{ .spec.resources.requests.storage | Quote }}}
  persistentVolumeReclaimPolicy: Delete
  storageClassName: {{ .spec.storageClassName | Quote }}
  volumeMode: {{ or .spec.volumeMode "Filesystem" | Quote }}
  claimRef:
    apiVersion: v1
    kind: PersistentVolumeClaim
    name: {{ .metadata.name | Quote }}
    namespace: {{ .metadata.namespace | Quote }}
    uid: {{ .metadata.uid | Quote }}
  hostPath: {path: /simulated/pvc-{{ .metadata.uid }}}`}}),
		newStage("PersistentVolume", "volume-delete", delay{}, released, step{Delete: true}),
	}
}
