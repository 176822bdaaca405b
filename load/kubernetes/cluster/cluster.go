//go:build linux

package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Cluster is a running Kubernetes with two nodes, n1 and n2. Its methods are for one test at a time.
type Cluster struct {
	Parts   Parts
	Nodes   []*Node
	Started time.Duration // from nothing to two ready nodes

	folder    string
	authority *authority
	client    *http.Client // as the cluster's administrator
	etcd      *component
	api       *component
	others    []*component
}

const (
	server = "https://127.0.0.1:6443"
	store  = "http://127.0.0.1:2379"
)

// controllers are those that runs need; all of them would cost five seconds more.
const controllers = "job-controller,persistentvolume-binder-controller,garbage-collector-controller,namespace-controller,serviceaccount-controller,root-ca-certificate-publisher-controller," +
	"ttl-after-finished-controller,pod-garbage-collector-controller,node-lifecycle-controller,taint-eviction-controller,resourcequota-controller"

// start brings everything up and returns when both nodes are ready.
func start(folder string, parts Parts) (*Cluster, error) {
	began := time.Now()
	c := &Cluster{Parts: parts, folder: folder}
	keys := filepath.Join(folder, "keys")
	var err error
	if c.authority, err = newAuthority(keys); err != nil {
		return nil, err
	}
	a := c.authority
	if err := errors.Join(
		a.server("apiserver", "kube-apiserver", "127.0.0.1", Address, "10.96.0.1", "localhost",
			"kubernetes.default.svc"),
		a.client("apiserver-kubelet", server, "kube-apiserver-kubelet-client", "system:masters"),
		a.client("admin", server, "admin", "system:masters"),
		a.client("controller-manager", server, "system:kube-controller-manager"),
		a.client("scheduler", server, "system:kube-scheduler"),
	); err != nil {
		return nil, err
	}
	key := func(name string) string { return filepath.Join(keys, name) }
	if c.client, err = administrator(keys); err != nil {
		return nil, err
	}
	c.etcd = c.hyper("etcd",
		"--name=e", "--data-dir="+filepath.Join(folder, "etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+store, "--advertise-client-urls="+store,
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=e=http://127.0.0.1:2380")
	c.api = c.hyper("kube-apiserver",
		"--etcd-servers="+store, "--etcd-compaction-interval=0", // so that Ever finds every version of every object
		"--bind-address=127.0.0.1", "--secure-port=6443", "--advertise-address="+Address, "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/24",
		"--tls-cert-file="+key("apiserver.crt"), "--tls-private-key-file="+key("apiserver.key"),
		"--client-ca-file="+key("ca.crt"), "--anonymous-auth=false",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+key("sa.pub"),
		"--service-account-signing-key-file="+key("sa.key"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=false",
		"--kubelet-client-certificate="+key("apiserver-kubelet.crt"), "--kubelet-client-key="+key("apiserver-kubelet.key"),
		"--kubelet-certificate-authority="+key("ca.crt"), "--kubelet-preferred-address-types=InternalIP", "--v=1")
	as := func(user string) []string {
		config := key(user + ".kubeconfig")
		return []string{"--kubeconfig=" + config, "--authentication-kubeconfig=" + config,
			"--authorization-kubeconfig=" + config, "--leader-elect=false", "--bind-address=127.0.0.1", "--v=1"}
	}
	c.others = []*component{
		c.hyper("kube-controller-manager", append(as("controller-manager"), "--use-service-account-credentials=true",
			"--service-account-private-key-file="+key("sa.key"), "--root-ca-file="+key("ca.crt"),
			"--node-monitor-period=1s", "--node-monitor-grace-period=10s", "--controllers="+controllers)...),
		c.hyper("kube-scheduler", as("scheduler")...),
	}
	for i := range 2 {
		n, err := c.newNode(i + 1)
		if err != nil {
			return nil, err
		}
		c.Nodes = append(c.Nodes, n)
	}
	if err := c.etcd.start(); err != nil {
		return nil, err
	}
	for _, n := range c.Nodes {
		if err := n.runtime.start(); err != nil {
			return nil, err
		}
	}
	if err := c.StartAPI(); err != nil {
		return nil, err
	}
	for _, o := range c.others {
		if err := o.start(); err != nil {
			return nil, err
		}
	}
	for _, n := range c.Nodes {
		if err := errors.Join(n.load(parts.Images), n.kubelet.start()); err != nil {
			return nil, err
		}
	}
	for _, n := range c.Nodes {
		if err := n.untilReady(); err != nil {
			return nil, err
		}
	}
	c.Started = time.Since(began)
	return c, nil
}

// hyper is a program of Kubernetes or etcd.
func (c *Cluster) hyper(name string, arguments ...string) *component {
	return &component{name: name, program: c.Parts.Hyper, called: name, arguments: arguments,
		logs: filepath.Join(c.folder, "logs")}
}

// StartAPI starts the API server and waits until it answers.
func (c *Cluster) StartAPI() error {
	if err := c.api.start(); err != nil {
		return err
	}
	return c.api.until("an API server that is ready", 3*time.Minute,
		func() bool { status, _ := c.Call(http.MethodGet, "/readyz", nil, nil); return status == http.StatusOK })
}

// KillAPI kills the API server, as a crash would.
func (c *Cluster) KillAPI() { c.api.kill() }

// stop ends every process of the cluster. The kernel would end any that stay, with the namespaces.
func (c *Cluster) stop() error {
	var errs error
	for _, n := range c.Nodes {
		errs = errors.Join(errs, n.Kill())
	}
	for _, o := range append(c.others, c.api, c.etcd) {
		o.kill()
	}
	return errs
}

func administrator(keys string) (*http.Client, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(keys, "admin.crt"), filepath.Join(keys, "admin.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(keys, "ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s/ca.crt holds no certificate", keys)
	}
	return &http.Client{Timeout: 20 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots,
			Certificates: []tls.Certificate{pair}}}}, nil
}
