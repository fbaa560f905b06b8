package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
)

const (
	configuration = "/etc/cni/net.d/10-kcompanion-lab.conflist"
	chain         = "KCOMPANION-LAB-MASQ"
	// A routing protocol number of our own, so that only our routes are ever removed.
	protocol = "77"
)

type network struct {
	self      string
	podSubnet string
	routes    map[string]string // pod range to the node's address, as set by us
	ready     bool
}

// apply brings this node in line with the list of nodes; it may be called as often as one likes.
func (n *network) apply(nodes []node) error {
	wanted := map[string]string{}
	own := ""
	for _, other := range nodes {
		switch {
		case other.Name == n.self:
			own = other.PodCIDR
		case other.PodCIDR != "" && other.Address != "":
			wanted[other.PodCIDR] = other.Address
		}
	}
	if own == "" {
		return fmt.Errorf("node %s has no podCIDR yet", n.self)
	}
	failed := n.setRoutes(wanted)
	if n.ready {
		return failed
	}
	// Masquerading goes first: the configuration is what makes the node Ready.
	if err := masquerade(n.podSubnet); err != nil {
		return err
	}
	if err := writeConfiguration(own); err != nil {
		return err
	}
	n.ready = true
	log.Printf("node %s: pods get addresses from %s", n.self, own)
	return failed
}

// setRoutes replaces what changed and removes what no node has any more, also what an earlier run
// of this agent left in the kernel.
func (n *network) setRoutes(wanted map[string]string) error {
	if n.routes == nil {
		present, err := existingRoutes()
		if err != nil {
			return err
		}
		n.routes = present
	}
	var failed error // one node that cannot be reached must not keep the others out
	for pods, address := range wanted {
		if n.routes[pods] == address {
			continue
		}
		if _, err := command("ip", "route", "replace", pods, "via", address, "proto", protocol); err != nil {
			failed = err
			continue
		}
		n.routes[pods] = address
		log.Printf("route: %s via %s", pods, address)
	}
	for pods := range n.routes {
		if _, stays := wanted[pods]; stays {
			continue
		}
		if _, err := command("ip", "route", "del", pods, "proto", protocol); err != nil {
			failed = err
			continue
		}
		delete(n.routes, pods)
		log.Printf("route: %s removed", pods)
	}
	return failed
}

func existingRoutes() (map[string]string, error) {
	output, err := command("ip", "-4", "route", "show", "proto", protocol)
	if err != nil {
		return nil, err
	}
	routes := map[string]string{}
	for _, line := range strings.Split(output, "\n") {
		if words := strings.Fields(line); len(words) >= 3 && words[1] == "via" {
			routes[words[0]] = words[2]
		}
	}
	return routes, nil
}

// masquerade gives traffic from pods to anything but pods the node's address.
func masquerade(podSubnet string) error {
	if _, err := command("iptables", "-w", "-t", "nat", "-N", chain); err != nil {
		if _, err := command("iptables", "-w", "-t", "nat", "-F", chain); err != nil {
			return err
		}
	}
	rules := [][]string{
		{"-d", podSubnet, "-j", "RETURN"},
		{"-d", "224.0.0.0/4", "-j", "RETURN"},
		{"-j", "MASQUERADE"},
	}
	for _, rule := range rules {
		if _, err := command("iptables", append([]string{"-w", "-t", "nat", "-A", chain}, rule...)...); err != nil {
			return err
		}
	}
	jump := []string{"POSTROUTING", "-s", podSubnet, "-j", chain}
	if _, err := command("iptables", append([]string{"-w", "-t", "nat", "-C"}, jump...)...); err == nil {
		return nil
	}
	_, err := command("iptables", append([]string{"-w", "-t", "nat", "-A"}, jump...)...)
	return err
}

// writeConfiguration is atomic, because the container runtime watches the folder.
func writeConfiguration(podCIDR string) error {
	plugins := map[string]any{
		"cniVersion": "1.0.0",
		"name":       "kcompanion-lab",
		"plugins": []any{
			map[string]any{
				"type":   "ptp",
				"ipMasq": false,
				"mtu":    1500,
				"ipam": map[string]any{
					"type":    "host-local",
					"dataDir": "/run/cni-ipam-state",
					"ranges":  []any{[]any{map[string]string{"subnet": podCIDR}}},
					"routes":  []any{map[string]string{"dst": "0.0.0.0/0"}},
				},
			},
			map[string]any{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	}
	data, err := json.MarshalIndent(plugins, "", "  ")
	if err != nil {
		return err
	}
	if present, err := os.ReadFile(configuration); err == nil && bytes.Equal(present, data) {
		return nil
	}
	if err := os.WriteFile(configuration+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(configuration+".new", configuration)
}

func command(name string, arguments ...string) (string, error) {
	output, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, bytes.TrimSpace(output))
	}
	return string(output), nil
}
