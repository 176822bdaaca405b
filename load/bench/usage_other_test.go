//go:build !unix

package bench

import (
	"os"
	"time"
)

// spent is the CPU time that this process has used so far: 0, as it is not looked for on this system.
func spent() time.Duration { return 0 }

// mostResident is the memory that a process which has ended held at most: 0, as it is not looked for on this system.
func mostResident(*os.ProcessState) int64 { return 0 }
