//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tunables are the settings of the kernel that a kubelet writes. The cluster gets files of its own for them.
var tunables = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// privateFolders are empty folders of the cluster's own inside it: containerd, kubelet and the network plugins write
// there whatever they are told.
var privateFolders = []string{"/run", "/var/lib", "/var/log"}

// machine is the state of the machine that a cluster could have changed.
type machine struct {
	tunables   map[string]string
	interfaces []string
	mounts     []string
	entries    []string // of the folders in which such programs often leave files
}

func look() (machine, error) {
	m := machine{tunables: map[string]string{}}
	var errs error
	for name := range tunables {
		value, err := os.ReadFile("/proc/sys/" + name)
		m.tunables[name], errs = string(value), errors.Join(errs, err)
	}
	interfaces, err := net.Interfaces()
	errs = errors.Join(errs, err)
	for _, i := range interfaces {
		m.interfaces = append(m.interfaces, i.Name)
	}
	mounts, err := mountTable()
	errs = errors.Join(errs, err)
	for _, mount := range mounts {
		m.mounts = append(m.mounts, mount.point+" "+mount.kind)
	}
	for _, folder := range []string{"/run", "/var/lib", "/var/log", "/etc", "/opt", "/usr/libexec"} {
		entries, err := os.ReadDir(folder)
		if !errors.Is(err, fs.ErrNotExist) {
			errs = errors.Join(errs, err)
		}
		for _, e := range entries {
			m.entries = append(m.entries, filepath.Join(folder, e.Name()))
		}
	}
	return m, errs
}

// same says how the machine differs afterwards. Folder is the folder of the cluster.
func (m machine) same(after machine, folder string) error {
	var different []error
	for name, value := range m.tunables {
		if after.tunables[name] != value {
			different = append(different, fmt.Errorf("the kernel's %s was %q and is %q", name, strings.TrimSpace(value),
				strings.TrimSpace(after.tunables[name])))
		}
	}
	for _, list := range []struct {
		what          string
		before, after []string
	}{{"network interface", m.interfaces, after.interfaces}, {"mount", m.mounts, after.mounts}, {"file or folder",
		m.entries, after.entries}} {
		for _, entry := range list.after {
			if !slices.Contains(list.before, entry) && kubernetesLike(entry, folder) {
				different = append(different, fmt.Errorf("the cluster left the %s %s", list.what, entry))
			}
		}
	}
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		program, err := os.Readlink(link)
		working, _ := os.Readlink(filepath.Join(filepath.Dir(link), "cwd"))
		if err == nil && (strings.HasPrefix(program, folder+"/") || strings.HasPrefix(working, folder+"/")) {
			different = append(different, fmt.Errorf("the cluster left the process %s (%s)",
				filepath.Base(filepath.Dir(link)), program))
		}
	}
	return errors.Join(different...)
}

// kubernetesLike tells files that a cluster leaves from files that others make on the same machine at the same time.
func kubernetesLike(entry, folder string) bool {
	if strings.Contains(entry, folder) {
		return true
	}
	for _, word := range []string{"kube", "containerd", "cni", "runc", "etcd", "pods", "containers", "br1", "br2",
		"veth", "overlay", "cgroup", "shm"} {
		if strings.Contains(entry, word) {
			return true
		}
	}
	return false
}
