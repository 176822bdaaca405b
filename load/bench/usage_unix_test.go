//go:build unix

package bench

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

// spent is the CPU time that this process has used so far.
func spent() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// mostResident is the memory that a process which has ended held at most, in bytes.
func mostResident(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) * 1024 // kilobytes on Linux and the BSDs
}
