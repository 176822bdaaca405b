//go:build linux

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
)

// Address is the address of the nodes, on which a test may listen for the pods. Pods cannot reach the loopback of the
// nodes.
const Address = "10.200.0.1"

// initialise is the first process of the namespaces. It prepares them for a cluster, starts the tests and reaps the
// children of processes that end, as the kernel hands it every process without a parent.
func initialise(folder string) (int, error) {
	if err := furnish(folder); err != nil {
		return 0, fmt.Errorf("furnishing the namespaces: %w", err)
	}
	// os/exec would wait for one process and here any may end, so this one starts it without.
	c := again("inside", folder)
	pid, err := syscall.ForkExec(c.Path, c.Args, &syscall.ProcAttr{Env: c.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 0, err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			_ = syscall.Kill(pid, s.(syscall.Signal))
		}
	}()
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, err
		case ended == pid && status.Exited():
			return status.ExitStatus(), nil
		case ended == pid:
			return 128 + int(status.Signal()), nil
		}
	}
}

// furnish gives the namespaces their own /proc, control groups, folders, kernel settings and network.
func furnish(folder string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC,
		""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	mounts, err := mountTable()
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if m.kind != "cgroup" && m.kind != "cgroup2" {
			continue
		}
		if err := syscall.Unmount(m.point, syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting %s: %w", m.point, err)
		}
		if m.kind == "cgroup2" {
			continue // without a controller it is of no use, and the kubelet would look at it
		}
		// Mounted again, its root is the group that these namespaces began in.
		options := strings.TrimPrefix(strings.TrimPrefix(m.options, "rw"), ",")
		if strings.HasPrefix(options, "name=") {
			options = "none," + options
		}
		if err := syscall.Mount("cgroup", m.point, "cgroup", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC,
			options); err != nil {
			return fmt.Errorf("mounting %s: %w", m.point, err)
		}
	}
	for _, private := range privateFolders {
		if err := syscall.Mount("tmpfs", private, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV,
			"mode=0755"); err != nil {
			return fmt.Errorf("mounting an empty %s: %w", private, err)
		}
	}
	settings := filepath.Join(folder, "settings")
	if err := os.Mkdir(settings, 0o700); err != nil {
		return err
	}
	for name, value := range tunables {
		file := filepath.Join(settings, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(file, "/proc/sys/"+name, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("hiding the kernel's %s: %w", name, err)
		}
	}
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("starting the loopback interface: %w", err)
	}
	// A kubelet refuses a loopback address as its node's, and takes another one on the loopback interface.
	address, err := netlink.ParseAddr(Address + "/32")
	if err != nil {
		return err
	}
	return netlink.AddrAdd(loopback, address)
}

// withCluster starts the cluster, has the tests run, and ends it.
func withCluster(folder string, inside func(*Cluster) int) (int, error) {
	told, err := os.ReadFile(filepath.Join(folder, "parts.json"))
	if err != nil {
		return 0, err
	}
	var parts Parts
	if err := json.Unmarshal(told, &parts); err != nil {
		return 0, err
	}
	if err := os.Unsetenv(stageVariable); err != nil {
		return 0, err
	}
	c, err := start(folder, parts)
	if err != nil {
		return 0, fmt.Errorf("starting the cluster: %w", err)
	}
	code := inside(c)
	return code, c.stop()
}
