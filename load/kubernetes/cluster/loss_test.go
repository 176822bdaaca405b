//go:build linux

package cluster

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestKilledShard kills the process of one shard, as the kernel does where memory is short.
func TestKilledShard(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(15))
	for _, p := range run.sending(t, s, 40) {
		if p.index() == "1" {
			killPod(t, p)
		}
	}
	run.ending(t, 4, 2*time.Minute)
	partial(t, run, 2, "2/3")
	nothingLeft(t, ns)
}

// killPod kills the process of a shard. Its host name is that of the Job with its index.
func killPod(t *testing.T, p pod) {
	t.Helper()
	killed, host := 0, "agstest-"+p.Metadata.Labels["app.kubernetes.io/instance"]+"-"+p.index()
	for _, n := range lab.Nodes {
		for _, pid := range n.processes() {
			variables, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
			if bytes.Contains(variables, []byte("HOSTNAME="+host+"\x00")) {
				require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
				killed++
			}
		}
	}
	require.Equal(t, 1, killed, "processes of %s", p.Metadata.Name)
}

// partial says that a run speaks of so many of three shards only, names the lost one, and passes nothing.
func partial(t *testing.T, run *load, shards int64, lost string) {
	t.Helper()
	r := read(t, run.folder)
	t.Log(r.Reason)
	require.Equal(t, "inconclusive", r.Verdict)
	require.Contains(t, r.Reason, "partial: "+strconv.FormatInt(shards, 10)+" of 3 shards")
	require.NotContains(t, r.Reason, "forward", "what a kubelet says of a port is nothing for a verdict")
	require.Contains(t, run.stderr(), "shard "+lost)
	require.Less(t, r.Total.Sent, r.Plan.Hits)
	require.Positive(t, r.Total.Sent)
}

// TestEvictedShard drains one shard: it has the time to hand over what it has, and that is in the report.
func TestEvictedShard(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(15))
	for _, p := range run.sending(t, s, 80) {
		if p.index() == "2" {
			evict(t, ns, p)
		}
	}
	run.ending(t, 4, 2*time.Minute)
	r := read(t, run.folder)
	t.Log(r.Reason)
	require.Equal(t, "inconclusive", r.Verdict)
	require.Contains(t, run.stderr(), "shard 3/3")
	// Two shards have sent their 200 hits each, and the third some before it went.
	require.Greater(t, r.Total.Sent, int64(400))
	require.Less(t, r.Total.Sent, int64(600))
	nothingLeft(t, ns)
}

// evict asks for a pod to go, as draining its node does.
func evict(t *testing.T, namespace string, p pod) {
	t.Helper()
	status, err := lab.Call(http.MethodPost, "/api/v1/namespaces/"+namespace+"/pods/"+p.Metadata.Name+"/eviction", map[string]any{
		"apiVersion": "policy/v1", "kind": "Eviction", "metadata": map[string]string{"name": p.Metadata.Name, "namespace": namespace}}, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
}

// TestLostNode takes the power from a node. The Job would never end; the coordinator goes by its own clock.
func TestLostNode(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(15))
	onLost := int64(0)
	for _, p := range run.sending(t, s, 40) {
		if p.Spec.NodeName == "n2" {
			onLost++
		}
	}
	require.Positive(t, onLost)
	require.NoError(t, lab.Nodes[1].Kill())
	began := time.Now()
	code := run.exit(t, 3*time.Minute)
	t.Logf("the coordinator ended %s after the node was lost", time.Since(began).Round(100*time.Millisecond))
	require.NoError(t, lab.Nodes[1].Start())
	require.Equal(t, 4, code)
	partial(t, run, 3-onLost, "")
	require.Contains(t, run.stderr(), "n2")
	nothingLeft(t, ns)
}

// TestShardWithoutMemory gives a shard less than it needs: the kernel ends it, and the sentence says so.
func TestShardWithoutMemory(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), []string{"--workload", "refresh", "--rate", "30/s", "--duration", "5s", "--clients", "300", "--seed", "7", "--max-lag", "1s"}, "--memory", "12Mi", "--ready-within", "40s")
	run.ending(t, 3, time.Minute)
	t.Log(run.stderr())
	require.Regexp(t, `shard [123]/3 on node n[12] has failed before the start: .*memory`, run.stderr())
	nothingLeft(t, ns)
}
