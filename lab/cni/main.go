// Command cni is the pod network of the lab: one agent per node, run as a DaemonSet.
//
// It does the least that makes pods reach each other: the node's own pod range goes into a CNI
// configuration for the standard plugins, every other node's range becomes a route to that node, and
// what leaves the pod network leaves under the node's address. It does not enforce NetworkPolicy.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"
	interval       = 3 * time.Second
	grace          = 10 // failed looks in a row before they are worth more than one line
)

type node struct {
	Name    string
	Address string // the node's own IPv4 address
	PodCIDR string
}

func main() {
	log.SetFlags(0)
	self := os.Getenv("NODE_NAME")
	api, err := newClient()
	if err != nil {
		log.Fatal(err)
	}
	network := &network{self: self, podSubnet: os.Getenv("POD_SUBNET")}
	failures := 0
	for {
		nodes, err := api.nodes()
		if err == nil {
			err = network.apply(nodes)
		}
		switch {
		case err == nil:
			failures = 0
		case failures%grace == 0:
			log.Printf("try %d: %v", failures+1, err)
			failures++
		default:
			failures++
		}
		time.Sleep(interval)
	}
}

type client struct {
	http *http.Client
	url  string
}

// newClient talks to the API server as every pod can: with the address from the environment and the
// credentials of its service account. CONTROL_PLANE_ENDPOINT (set by kind) replaces the address, because the service
// address works only once kube-proxy has been there.
func newClient() (*client, error) {
	authority, err := os.ReadFile(serviceAccount + "/ca.crt")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("no certificate in %s/ca.crt", serviceAccount)
	}
	address := os.Getenv("CONTROL_PLANE_ENDPOINT")
	if address == "" {
		address = net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return &client{
		http: &http.Client{Transport: transport, Timeout: 10 * time.Second},
		url:  "https://" + address,
	}, nil
}

// nodes lists the cluster's nodes. The token is read each time: the kubelet renews it.
func (c *client) nodes() ([]node, error) {
	token, err := os.ReadFile(serviceAccount + "/token")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodGet, c.url+"/api/v1/nodes?resourceVersion=0", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("listing nodes: %s", response.Status)
	}
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ PodCIDR string }
			Status   struct {
				Addresses []struct{ Type, Address string }
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, err
	}
	var nodes []node
	for _, item := range list.Items {
		found := node{Name: item.Metadata.Name, PodCIDR: item.Spec.PodCIDR}
		for _, address := range item.Status.Addresses {
			if ip := net.ParseIP(address.Address); address.Type == "InternalIP" && ip.To4() != nil {
				found.Address = address.Address
			}
		}
		nodes = append(nodes, found)
	}
	return nodes, nil
}
