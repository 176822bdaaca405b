package steps_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain collects garbage less often: hundreds of whole runs leave much of it, and memory is plenty.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
