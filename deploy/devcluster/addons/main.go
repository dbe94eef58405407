// Command addons is what a real node needs inside its cluster, in one program and one image: the name service, the
// provisioner of volumes and the ingress controller. The first argument says which of them to be.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache" // plugins add themselves, in the order of coremain's list
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"

	"shopwright.dev/shopwright/deploy/devcluster/addons/ingress"
	"shopwright.dev/shopwright/deploy/devcluster/addons/volumes"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: addons dns|ingress|volumes [flags]")
	}
	name := os.Args[1]
	os.Args = append(os.Args[:1], os.Args[2:]...) // CoreDNS reads them for itself
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, name); err != nil {
		stop()
		fail(err)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "addons:", why)
	os.Exit(1)
}

func run(ctx context.Context, name string) error {
	switch name {
	case "dns":
		coremain.Run()
		return nil
	case "ingress":
		address := flag.String("address", "", "the address that the Ingresses are told")
		flag.Parse()
		return ingress.Run(ctx, *address)
	case "volumes":
		directory := flag.String("directory", "", "where the volumes are, here and on the node")
		flag.Parse()
		return volumes.Run(ctx, *directory)
	}
	return fmt.Errorf("there is no addon %q", name)
}
