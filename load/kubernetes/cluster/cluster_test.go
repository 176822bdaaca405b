//go:build linux

package cluster

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

// lab is the one cluster of all tests of this package.
var lab *Cluster

func TestMain(m *testing.M) {
	required := flag.Bool("required", false, "fail where the machine cannot run a cluster, rather than skip")
	logs := flag.String("logs", "", "folder for what the components of the cluster said")
	flag.Parse()
	os.Exit(Run(Options{Required: *required, Logs: *logs}, func(c *Cluster) int {
		fmt.Printf("cluster: two nodes ready after %s\n", c.Started.Round(10*time.Millisecond))
		lab = c
		return m.Run()
	}))
}
