//go:build !unix

package load

import "time"

func cpuTime() time.Duration { return 0 }
func mostOpenFiles() int     { return 1 << 20 }
