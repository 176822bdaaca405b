//go:build linux

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Node is one node: a kubelet and a containerd with a state, a socket, a control group and a network of their own.
type Node struct {
	Name string

	cluster *Cluster
	folder  string
	socket  string
	runtime *component
	kubelet *component
}

func (c *Cluster) newNode(number int) (*Node, error) {
	n := &Node{Name: fmt.Sprintf("n%d", number), cluster: c}
	n.folder = filepath.Join(c.folder, n.Name)
	n.socket = filepath.Join(n.folder, "containerd.sock")
	a := c.authority
	if err := errors.Join(
		a.client(n.Name, server, "system:node:"+n.Name, "system:nodes"),
		a.server(n.Name+"-serving", n.Name, "127.0.0.1", Address, n.Name),
	); err != nil {
		return nil, err
	}
	for _, folder := range []string{"network", "kubelet"} {
		if err := os.MkdirAll(filepath.Join(n.folder, folder), 0o755); err != nil {
			return nil, err
		}
	}
	mounts, err := mountTable()
	if err != nil {
		return nil, err
	}
	for _, m := range mounts {
		if m.kind == "cgroup" {
			if err := os.Mkdir(filepath.Join(m.point, n.Name), 0o755); err != nil {
				return nil, err
			}
		}
	}
	for file, content := range map[string]string{
		"containerd.toml":       n.runtimeConfiguration(),
		"network/pods.conflist": n.networkConfiguration(number),
		"kubelet.yaml":          n.kubeletConfiguration(number),
	} {
		if err := os.WriteFile(filepath.Join(n.folder, file), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	logs := filepath.Join(c.folder, "logs")
	variables := []string{"PATH=" + c.Parts.Runtime + ":" + os.Getenv("PATH")}
	if c.Parts.Libraries != "" {
		variables = append(variables, "LD_LIBRARY_PATH="+c.Parts.Libraries)
	}
	n.runtime = &component{name: n.Name + "-containerd", program: filepath.Join(c.Parts.Runtime, "containerd"),
		logs: logs, variables: variables,
		arguments: []string{"--config", filepath.Join(n.folder, "containerd.toml")}}
	n.kubelet = &component{name: n.Name + "-kubelet", program: c.Parts.Hyper, called: "kubelet", logs: logs,
		arguments: []string{
			"--config=" + filepath.Join(n.folder, "kubelet.yaml"), "--kubeconfig=" +
				filepath.Join(a.folder, n.Name+".kubeconfig"),
			"--hostname-override=" + n.Name, "--node-ip=" + Address,
			"--root-dir=" + filepath.Join(n.folder, "kubelet"), "--cert-dir=" + filepath.Join(n.folder, "kubelet", "pki"),
			"--v=2"}}
	return n, nil
}

// load brings images into the node, as it has no registry.
func (n *Node) load(images []string) error {
	ctr := func(arguments ...string) *exec.Cmd {
		return exec.Command(filepath.Join(n.cluster.Parts.Runtime, "ctr"),
			append([]string{"--address", n.socket, "--namespace", "k8s.io"}, arguments...)...)
	}
	err := n.runtime.until("a containerd that answers", time.Minute, func() bool { return ctr("version").Run() == nil })
	for _, image := range images {
		if err != nil {
			return err
		}
		said, importErr := ctr("images", "import", image).CombinedOutput()
		if importErr != nil {
			err = fmt.Errorf("loading the image %s into %s: %w\n%s", image, n.Name, importErr, said)
		}
	}
	return err
}

// untilReady waits until the API server holds the node for ready.
func (n *Node) untilReady() error {
	return n.kubelet.until("a node that is ready", 3*time.Minute, func() bool { return n.Condition("Ready") == "True" })
}

// Condition returns the value of a condition of the node as the API server knows it, such as Ready: True, False,
// Unknown, or empty.
func (n *Node) Condition(kind string) string {
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if status, _ := n.cluster.Call(http.MethodGet, "/api/v1/nodes/"+n.Name, nil, &node); status != http.StatusOK {
		return ""
	}
	for _, c := range node.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return ""
}

// Kill ends the node as a power cut would: kubelet, containerd and every process of its pods at once.
func (n *Node) Kill() error {
	n.kubelet.kill()
	n.runtime.kill()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := n.processes()
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the processes %v of the node %s do not end", left, n.Name)
		}
	}
}

// Start starts a node again that was killed, and waits until it is ready.
func (n *Node) Start() error {
	if err := n.runtime.start(); err != nil {
		return err
	}
	if err := n.load(nil); err != nil {
		return err
	}
	if err := n.kubelet.start(); err != nil {
		return err
	}
	return n.untilReady()
}

// processes returns the processes of the node's pods and of the shims that hold them.
func (n *Node) processes() []int {
	var found []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == 1 {
			continue
		}
		groups, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cgroup"))
		command, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		state, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		_, after, _ := strings.Cut(string(state), ") ")
		if strings.HasPrefix(after, "Z") {
			continue
		}
		ofPod := strings.Contains(string(groups), ":/"+n.Name+"/")
		shim := strings.Contains(string(command), "containerd-shim") && strings.Contains(string(command), n.socket)
		if ofPod || shim {
			found = append(found, pid)
		}
	}
	return found
}

func (n *Node) runtimeConfiguration() string {
	return fmt.Sprintf(`version = 2
root = "%[1]s/root"
state = "%[1]s/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "%[2]s"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "%[3]s"
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%[4]s"
    conf_dir = "%[1]s/network"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "%[5]s"
        SystemdCgroup = false
`, n.folder, n.socket, PauseImage, n.cluster.Parts.Plugins, n.cluster.Parts.Runc)
}

// networkConfiguration gives pods a bridge with the node at its other end; without masquerading no packet filter is
// needed.
func (n *Node) networkConfiguration(number int) string {
	text, _ := json.Marshal(map[string]any{
		"cniVersion": "1.0.0", "name": "pods-" + n.Name,
		"plugins": []any{map[string]any{
			"type": "bridge", "bridge": fmt.Sprintf("br%d", number), "isGateway": true, "ipMasq": false,
			"ipam": map[string]any{
				"type": "host-local", "dataDir": filepath.Join(n.folder, "addresses"),
				"ranges": []any{[]any{map[string]any{"subnet": fmt.Sprintf("10.244.%d.0/24", number)}}},
				"routes": []any{map[string]any{"dst": "0.0.0.0/0"}},
			},
		}},
	})
	return string(text)
}

// kubeletConfiguration differs from the defaults so that two kubelets fit on one machine, change nothing on it, and
// notice things soon.
func (n *Node) kubeletConfiguration(number int) string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[4]s
port: %[5]d
readOnlyPort: 0
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[2]s/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: %[2]s/%[3]s-serving.crt
tlsPrivateKeyFile: %[2]s/%[3]s-serving.key
containerRuntimeEndpoint: unix://%[1]s/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /%[3]s
cgroupsPerQOS: true
enforceNodeAllocatable: [pods]
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
podLogsDir: %[1]s/logs
volumePluginDir: %[1]s/kubelet/volume-plugins
registerNode: true
clusterDomain: cluster.local
resolvConf: ""
nodeStatusUpdateFrequency: 2s
nodeLeaseDurationSeconds: 8
evictionHard: {memory.available: 50Mi, nodefs.available: "1%%", imagefs.available: "1%%"}
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
shutdownGracePeriod: 0s
`, n.folder, n.cluster.authority.folder, n.Name, Address, 10250+number*10)
}
