// Command controlplane is the control plane of a development cluster in one program: etcd and the Kubernetes API
// server, controller manager and scheduler. The first argument names the component, the rest are its own flags;
// each component runs as a process of its own. One program because the three from Kubernetes share most of their
// code: it is linked once and not three times, and the processes share its pages in memory.
//
// kwok is not part of it: it needs other versions of Kubernetes' libraries, so it has a module of its own.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // time zones of CronJobs, wherever this runs

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics, as the components alone have them
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: controlplane etcd|apiserver|controller-manager|scheduler [flags]")
		os.Exit(2)
	}
	os.Exit(run(os.Args[1], os.Args[2:]))
}

func run(component string, args []string) int {
	var cmd *cobra.Command
	switch component {
	case "etcd":
		etcdmain.Main(append([]string{component}, args...))
		return 0
	case "apiserver":
		cmd = apiserver.NewAPIServerCommand()
	case "controller-manager":
		cmd = controllermanager.NewControllerManagerCommand()
	case "scheduler":
		cmd = scheduler.NewSchedulerCommand()
	default:
		fmt.Fprintf(os.Stderr, "controlplane: there is no component %q\n", component)
		return 2
	}
	cmd.SetArgs(args)
	return cli.Run(cmd)
}
