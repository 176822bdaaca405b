//go:build linux

package cluster

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// scratchPrefix starts the names of everything that the cluster makes outside of its namespaces; the number of its
// process follows.
const scratchPrefix = "agstest-cluster-"

// group is one hierarchy of control groups (version 1), as mounted on this machine.
type group struct {
	mount   string // where it is mounted
	options string // for mounting it again
	own     string // the folder of the group this process is in
	made    string // the folder of the group of the cluster
	unified bool   // version 2, beside those of version 1, without a controller
}

type groups []group

// controlGroups finds the hierarchies. The kubelet wants the processor, memory, and number of processes at least.
func controlGroups() (groups, error) {
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, missing("this kernel has no control groups: %s", err)
	}
	own := map[string]string{} // by controllers as the kernel writes them, sorted
	for line := range strings.Lines(string(membership)) {
		if field := strings.SplitN(strings.TrimSpace(line), ":", 3); len(field) == 3 {
			own[sorted(field[1])] = field[2]
		}
	}
	mounts, err := mountTable()
	if err != nil {
		return nil, err
	}
	name := scratchPrefix + strconv.Itoa(os.Getpid())
	var found groups
	for _, m := range mounts {
		g := group{mount: m.point, unified: m.kind == "cgroup2"}
		switch m.kind {
		case "cgroup":
			// Among the options of a mount only those of the hierarchy itself count: not rw, but cpu,cpuacct or
			// none,name=systemd.
			hierarchy := slices.DeleteFunc(strings.Split(m.options, ","), func(o string) bool {
				return o == "rw" ||
					o == "ro"
			})
			g.own, g.options = own[sorted(strings.Join(hierarchy, ","))], strings.Join(hierarchy, ",")
			if strings.HasPrefix(g.options, "name=") {
				g.options = "none," + g.options
			}
		case "cgroup2":
			g.own = own[""]
		default:
			continue
		}
		relative, err := filepath.Rel(m.root, "/"+g.own)
		if err != nil || strings.HasPrefix(relative, "..") {
			return nil, missing("the control groups at %s show only a part that this process is not in", m.point)
		}
		g.own = filepath.Join(m.point, relative)
		g.made = filepath.Join(g.own, name)
		found = append(found, g)
	}
	for _, controller := range []string{"cpu", "cpuset", "memory", "pids"} {
		if !slices.ContainsFunc(found,
			func(g group) bool { return slices.Contains(strings.Split(g.options, ","), controller) }) {
			return nil, missing("this machine has no hierarchy of control groups version 1 for %s; the cluster was made on "+
				"such a machine and was not tried with version 2 alone", controller)
		}
	}
	return found, nil
}

func sorted(list string) string {
	parts := strings.Split(list, ",")
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// enter makes the groups and puts this process into them.
func (g groups) enter() error {
	for _, h := range g {
		if err := os.Mkdir(h.made, 0o755); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(h.made, "cpuset.cpus")); err == nil && !h.unified {
			// A new group of this kind has no processor and takes no process before it is given some.
			for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
				value, err := os.ReadFile(filepath.Join(h.own, file))
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(h.made, file), value, 0o644); err != nil {
					return err
				}
			}
			if err := os.WriteFile(filepath.Join(h.made, "cgroup.clone_children"), []byte("1"), 0o644); err != nil {
				return err
			}
		}
		if err := join(h.made); err != nil {
			return err
		}
	}
	return nil
}

// leave puts this process back where it was.
func (g groups) leave() error {
	var all error
	for _, h := range g {
		all = errors.Join(all, join(h.own))
	}
	return all
}

func join(folder string) error {
	return os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644)
}

// remove removes the groups of the cluster with all groups below them.
func (g groups) remove(within time.Duration) error {
	var made []string
	for _, h := range g {
		made = append(made, h.made)
	}
	return removeTrees(made, within)
}

// removeTrees removes groups with all groups below them. The kernel needs a moment after the last process has ended, so
// it tries for as long as within; a group that stays is an error that names it and its processes.
func removeTrees(folders []string, within time.Duration) error {
	deadline := time.Now().Add(within)
	for {
		var left error
		for _, f := range folders {
			left = errors.Join(left, removeTree(f))
		}
		if left == nil || time.Now().After(deadline) {
			return left
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func removeTree(folder string) error {
	var folders []string
	_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		}
		return nil
	})
	for _, f := range slices.Backward(folders) {
		if err := syscall.Rmdir(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			processes, _ := os.ReadFile(filepath.Join(f, "cgroup.procs"))
			return fmt.Errorf("the control group %s stays, with the processes %v: %w", f,
				strings.Fields(string(processes)), err)
		}
	}
	return nil
}

// used returns what everything in the groups took: the peak of memory in bytes, and processor time.
func (g groups) used() (memory int64, processor time.Duration) {
	number := func(h group, file string) int64 {
		text, _ := os.ReadFile(filepath.Join(h.made, file))
		n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n
	}
	for _, h := range g {
		memory = max(memory, number(h, "memory.max_usage_in_bytes"))
		processor = max(processor, time.Duration(number(h, "cpuacct.usage")))
	}
	return memory, processor
}

// removeStale removes what runs left behind that were killed before they could tidy up.
func (g groups) removeStale(within time.Duration) error {
	dead := func(pattern string) (paths []string) {
		found, _ := filepath.Glob(pattern)
		for _, path := range found {
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(path), scratchPrefix))
			if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
				paths = append(paths, path)
			}
		}
		return paths
	}
	var stale []string
	for _, h := range g {
		stale = append(stale, dead(filepath.Join(h.own, scratchPrefix+"*"))...)
	}
	errs := removeTrees(stale, within)
	for _, folder := range dead(filepath.Join(os.TempDir(), scratchPrefix+"*")) {
		errs = errors.Join(errs, os.RemoveAll(folder))
	}
	return errs
}

// mounted is one line of the table of mounts.
type mounted struct{ root, point, kind, options string }

func mountTable() ([]mounted, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []mounted
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// 36 35 98:0 /root /point rw,noatime master:1 - kind source options, with any number of fields before the dash
		before, after, _ := strings.Cut(lines.Text(), " - ")
		front, back := strings.Fields(before), strings.Fields(after)
		if len(front) < 6 || len(back) < 3 {
			return nil, fmt.Errorf("/proc/self/mountinfo has a line of another form: %s", lines.Text())
		}
		all = append(all, mounted{root: front[3], point: front[4], kind: back[0], options: back[2]})
	}
	return all, lines.Err()
}
