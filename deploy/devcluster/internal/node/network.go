package node

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// networks is how many nodes a machine can have.
const networks = 256

// nodeEnd is the cable's name within the node.
const nodeEnd = "eth0"

// ChooseNetwork finds a network that this machine does not use. They come from 198.18.0.0/15, which is for tests
// (RFC 2544) and nobody's.
func ChooseNetwork() (int, error) {
	taken, err := net.InterfaceAddrs()
	if err != nil {
		return 0, fmt.Errorf("list the machine's addresses: %w", err)
	}
	for i := range networks {
		if n := (&Node{Network: i}); !n.among(taken) {
			return i, nil
		}
	}
	return 0, errors.New("every network of 198.18.0.0/16 is in use")
}

func (n *Node) among(taken []net.Addr) bool {
	for _, address := range taken {
		if subnet, ok := address.(*net.IPNet); ok && subnet.Contains(n.Address()) {
			return true
		}
	}
	return false
}

// Address is the node's, which this machine reaches.
func (n *Node) Address() net.IP { return n.address(2) }

func (n *Node) address(last byte) net.IP { return net.IPv4(198, 18, byte(n.Network), last) } //nolint:gosec // below 256

func (n *Node) machineEnd() string { return fmt.Sprintf("devcluster%d", n.Network) }

// Connect lays the cable between this machine and the namespaces of the process pid.
func (n *Node) Connect(pid int) error {
	cable := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: n.machineEnd()}, PeerName: nodeEnd, PeerNamespace: netlink.NsPid(pid),
	}
	if err := netlink.LinkAdd(cable); err != nil {
		return fmt.Errorf("lay the cable %s to the node: %w", n.machineEnd(), err)
	}
	here, err := netlink.NewHandle()
	if err != nil {
		return fmt.Errorf("open this machine's network: %w", err)
	}
	defer here.Close()
	namespace, err := netns.GetFromPid(pid)
	if err != nil {
		return fmt.Errorf("find the node's network: %w", err)
	}
	defer namespace.Close()
	there, err := netlink.NewHandleAt(namespace)
	if err != nil {
		return fmt.Errorf("open the node's network: %w", err)
	}
	defer there.Close()
	return n.assign(here, there)
}

// assign gives both ends of the cable their addresses. The way out of the node leads to this machine, which passes
// nothing on: Kubernetes wants a way, and tests want to know that nobody leaves by it.
func (n *Node) assign(here, there *netlink.Handle) error {
	if err := up(here, n.machineEnd(), n.address(1)); err != nil {
		return err
	}
	if err := errors.Join(up(there, "lo", nil), up(there, nodeEnd, n.Address())); err != nil {
		return err
	}
	if err := there.RouteAdd(&netlink.Route{Gw: n.address(1)}); err != nil {
		return fmt.Errorf("give the node a way out: %w", err)
	}
	return nil
}

// up switches an interface on and gives it the address, if there is one.
func up(network *netlink.Handle, name string, address net.IP) error {
	link, err := network.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find the interface %s: %w", name, err)
	}
	if address != nil {
		subnet := &net.IPNet{IP: address, Mask: net.CIDRMask(30, 32)}
		if err := network.AddrAdd(link, &netlink.Addr{IPNet: subnet}); err != nil {
			return fmt.Errorf("give %s an address: %w", name, err)
		}
	}
	if err := network.LinkSetUp(link); err != nil {
		return fmt.Errorf("switch %s on: %w", name, err)
	}
	return nil
}

// disconnect takes the cable away, if it is there.
func (n *Node) disconnect() error {
	cable, err := netlink.LinkByName(n.machineEnd())
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the cable to the node: %w", err)
	}
	if err := netlink.LinkDel(cable); err != nil {
		return fmt.Errorf("take the cable to the node away: %w", err)
	}
	return nil
}
