package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cpuLimit is the file in which the kernel counts how often the CPU limit of this process's control group held it back;
// empty: there is none, as outside Linux. The kernel documents control groups of version 2 in admin-guide/cgroup-v2,
// those of version 1 in scheduler/sched-bwc.
type cpuLimit string

// throttling is the processor time that a CPU limit took since the control group was made, summed up over the
// processors.
type throttling struct {
	time  time.Duration
	times int64
}

// findCPULimit finds it: membership is /proc/self/cgroup and root where the control groups are mounted. A container may
// see its own group at the root whatever membership says.
func findCPULimit(membership, root string) cpuLimit {
	text, err := os.ReadFile(membership)
	if err != nil {
		return ""
	}
	var places []string
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[1] == "":
			places = append(places, filepath.Join(root, parts[2]), root)
		case slices.Contains(strings.Split(parts[1], ","), "cpu"):
			for _, controller := range []string{parts[1], "cpu"} {
				places = append(places, filepath.Join(root, controller, parts[2]), filepath.Join(root, controller))
			}
		}
	}
	for _, place := range places {
		limit := cpuLimit(filepath.Join(place, "cpu.stat"))
		if _, counted := limit.read(); counted {
			return limit
		}
	}
	return ""
}

func (l cpuLimit) throttled() throttling {
	t, _ := l.read()
	return t
}

func (l cpuLimit) read() (t throttling, counted bool) {
	if l == "" {
		return t, false
	}
	text, err := os.ReadFile(string(l))
	if err != nil {
		return t, false
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "nr_throttled":
			t.times, counted = n, true
		case "throttled_usec": // version 2
			t.time = time.Duration(n) * time.Microsecond
		case "throttled_time": // version 1
			t.time = time.Duration(n)
		}
	}
	return t, counted
}
