// Package cluster runs a real Kubernetes for the tests of agstest load --on kubernetes: etcd, API server, controller
// manager, scheduler and two nodes with kubelet and containerd, on one machine, as processes of one test binary. They
// live in mount, network, process and cgroup namespaces of their own; when the test ends, however it ends, the kernel
// ends all of them and nothing is left on the machine.
//
// It needs Linux, root and control groups; README.md has its cost.
package cluster
