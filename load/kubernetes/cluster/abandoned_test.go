//go:build linux

package cluster

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestInterrupt is Ctrl-C while the load runs: all shards stop, what they have comes home, and nothing stays in the namespace.
func TestInterrupt(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), 60)
	run.sending(t, s, 40)
	require.NoError(t, run.command.Process.Signal(syscall.SIGINT))
	run.ending(t, 130, time.Minute)
	nothingLeft(t, ns)
	after := s.answered.Load()
	require.Never(t, func() bool { return s.answered.Load() > after }, 2*time.Second, 100*time.Millisecond, "a shard goes on sending")
}

// TestAbandonedRun kills the coordinator; another one brings the run home.
func TestAbandonedRun(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), 15)
	found := run.sending(t, s, 40)
	require.NoError(t, run.command.Process.Kill())
	<-run.ended
	id := found[0].Metadata.Labels["app.kubernetes.io/instance"]
	require.NotEmpty(t, id)
	folder := filepath.Join(t.TempDir(), "run")
	collect := agstest(t, lab.Parts.Coordinator, append(s.variables, "KUBECONFIG="+administratorFile()), "kubernetes", "collect", id, "--namespace", ns, "--out", folder)
	collect.ending(t, 0, 2*time.Minute)
	whole := read(t, folder)
	require.Equal(t, id, whole.Run.ID)
	require.Equal(t, "pass", whole.Verdict)
	require.Equal(t, int64(600), whole.Total.Sent)
	require.Equal(t, int64(600), whole.Total.Right)
	nothingLeft(t, ns)
}
