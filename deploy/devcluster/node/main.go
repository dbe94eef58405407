// Command node is what runs on a real node in one program: Kubernetes' kubelet and kube-proxy. The first argument
// names the component, the rest are its own flags. It is apart from the control plane's program, of which a cluster
// with simulated nodes has all it needs.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics, as the components alone have them
	_ "k8s.io/component-base/metrics/prometheus/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: node kubelet|proxy [flags]")
		os.Exit(2)
	}
	os.Exit(run(os.Args[1], os.Args[2:]))
}

func run(component string, args []string) int {
	var cmd *cobra.Command
	switch component {
	case "kubelet":
		cmd = kubelet.NewKubeletCommand(context.Background())
	case "proxy":
		cmd = proxy.NewProxyCommand()
	default:
		fmt.Fprintf(os.Stderr, "node: there is no component %q\n", component)
		return 2
	}
	cmd.SetArgs(args)
	return cli.Run(cmd)
}
