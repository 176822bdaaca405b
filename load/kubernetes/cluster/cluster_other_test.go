//go:build !linux

package cluster

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain says that there is nothing to run here: namespaces and control groups are Linux's.
func TestMain(m *testing.M) {
	required := flag.Bool("required", false, "fail where the machine cannot run a cluster, rather than skip")
	_ = flag.String("logs", "", "folder for what the components of the cluster said")
	flag.Parse()
	fmt.Fprint(os.Stderr, "\nSKIPPED, NOTHING WAS TESTED: a cluster needs Linux\n\n")
	if *required {
		os.Exit(1)
	}
}
