package cluster

import (
	"fmt"
	"slices"

	"shopwright.dev/shopwright/deploy/devcluster/internal/build"
	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
	"shopwright.dev/shopwright/deploy/devcluster/internal/simulate"
)

// The names of a cluster's processes.
const (
	etcdName              = "etcd"
	apiServerName         = "apiserver"
	controllerManagerName = "controller-manager"
	schedulerName         = "scheduler"
	kwokName              = "kwok"
	kubeletName           = "kubelet"
	proxyName             = "proxy"
	containerdName        = "containerd"
	nodeName              = "node"
	// supervisorName is this program itself where it stays in the foreground.
	supervisorName = "supervisor"
)

// stopOrder lists the processes in the order in which they are ended, those of a group at once: first those that
// would complain that what they depend on has gone.
func (c *Cluster) stopOrder() [][]string {
	if c.Node == nil {
		return [][]string{{kwokName, schedulerName, controllerManagerName}, {apiServerName}, {etcdName}}
	}
	return [][]string{{kubeletName, proxyName, schedulerName, controllerManagerName}, {apiServerName}, {etcdName}}
}

// machine lists the processes that a real node's machine consists of. What they watch over ends before them.
func (c *Cluster) machine() []string {
	if c.Node == nil {
		return nil
	}
	return []string{containerdName, nodeName}
}

// components are all processes of a cluster but the supervisor.
func (c *Cluster) components() []string {
	return append(slices.Concat(c.stopOrder()...), c.machine()...)
}

// command is how to start a component of the control plane.
func (c *Cluster) command(bin build.Binaries, name string, args ...string) process.Command {
	return process.Command{
		Name: name, Path: bin.ControlPlane(), Args: append([]string{name}, args...), Log: c.logPath(name),
	}
}

func (c *Cluster) logPath(name string) string { return c.path("logs/" + name + ".log") }

func (c *Cluster) cert(name string) string { return c.path("pki/" + name + ".crt") }

func (c *Cluster) key(name string) string { return c.path("pki/" + name + ".key") }

func (c *Cluster) etcd(bin build.Binaries) process.Command {
	client, peer := loopback(c.Ports.Etcd), loopback(c.Ports.EtcdPeer)
	return c.command(bin, etcdName,
		"--name=devcluster", "--data-dir="+c.path("etcd"),
		"--unsafe-no-fsync", // a development cluster may lose its last second in a power cut
		"--log-level=warn",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=devcluster="+peer,
		"--client-cert-auth", "--trusted-ca-file="+c.cert("ca"),
		"--cert-file="+c.cert("server"), "--key-file="+c.key("server"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file="+c.cert("ca"),
		"--peer-cert-file="+c.cert("server"), "--peer-key-file="+c.key("server"),
	)
}

func (c *Cluster) apiServer(bin build.Binaries) process.Command {
	return c.command(bin, apiServerName, append(c.apiServerPlace(),
		"--etcd-servers="+loopback(c.Ports.Etcd), "--etcd-cafile="+c.cert("ca"),
		"--etcd-certfile="+c.cert("etcd-client"), "--etcd-keyfile="+c.key("etcd-client"),
		fmt.Sprintf("--secure-port=%d", c.Ports.APIServer),
		"--tls-cert-file="+c.cert("server"), "--tls-private-key-file="+c.key("server"), "--client-ca-file="+c.cert("ca"),
		"--service-account-key-file="+c.path("pki/sa.pub"), "--service-account-signing-key-file="+c.path("pki/sa.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC", "--allow-privileged=true",
		"--kubelet-client-certificate="+c.cert("kubelet-client"), "--kubelet-client-key="+c.key("kubelet-client"),
		"--kubelet-certificate-authority="+c.cert("ca"), "--kubelet-preferred-address-types=InternalIP",
		"--profiling=false",
	)...)
}

// apiServerPlace says where the API server is found.
func (c *Cluster) apiServerPlace() []string {
	if c.Node == nil {
		// The loopback address cannot be an Endpoints address of the "kubernetes" Service.
		return []string{"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"}
	}
	address := c.Node.Address().String()
	// The kubelet is held to what its node is about, as on any cluster.
	return []string{"--bind-address=0.0.0.0", "--advertise-address=" + address, "--enable-admission-plugins=NodeRestriction"}
}

func (c *Cluster) controllerManager(bin build.Binaries) process.Command {
	return c.command(bin, controllerManagerName,
		"--kubeconfig="+c.kubeconfigPath(controllerManagerName), "--secure-port=0", "--leader-elect=false",
		"--use-service-account-credentials=true",
		"--root-ca-file="+c.cert("ca"), "--service-account-private-key-file="+c.path("pki/sa.key"),
		"--cluster-signing-cert-file="+c.cert("ca"), "--cluster-signing-key-file="+c.key("ca"),
		// A binding that lost a race is tried again at the next sync only: at the default of 15 s about one
		// volume in thirty keeps its pod waiting that long.
		"--pvclaimbinder-sync-period=1s",
		"--kube-api-qps=500", "--kube-api-burst=1000",
	)
}

func (c *Cluster) scheduler(bin build.Binaries) process.Command {
	return c.command(bin, schedulerName,
		"--kubeconfig="+c.kubeconfigPath(schedulerName), "--secure-port=0", "--leader-elect=false",
		"--kube-api-qps=500", "--kube-api-burst=1000",
	)
}

func (c *Cluster) kwok(bin build.Binaries) process.Command {
	return process.Command{
		Name: kwokName, Path: bin.Kwok(), Log: c.logPath(kwokName),
		Args: []string{
			"--kubeconfig=" + c.kubeconfigPath(kwokName), "--config=" + c.path("kwok.yaml"), "--manage-all-nodes=true",
			"--node-ip=127.0.0.1", fmt.Sprintf("--node-port=%d", c.Ports.Kwok),
			fmt.Sprintf("--server-address=127.0.0.1:%d", c.Ports.Kwok),
			"--tls-cert-file=" + c.cert("server"), "--tls-private-key-file=" + c.key("server"),
			"--cidr=10.244.0.1/16", "--node-lease-duration-seconds=40", "--enable-crds=" + simulate.LogsKind,
		},
	}
}
