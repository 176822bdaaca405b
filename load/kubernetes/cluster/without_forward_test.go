//go:build linux

package cluster

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// whoForwardsNothing is the kubeconfig of an account that has what agstest kubernetes rbac --without-forward prints and
// nothing else.
func whoForwardsNothing(t *testing.T, namespace string) string {
	t.Helper()
	rules := agstest(t, lab.Parts.Coordinator, nil, "kubernetes", "rbac", "--namespace", namespace, "--without-forward")
	rules.ending(t, 0, time.Minute)
	_, err := lab.Kubectl(rules.stdout(), "apply", "-f", "-")
	require.NoError(t, err)
	return accountOf(t, namespace, "agstest")
}

// early is a start half a minute after the load was made.
var early = []string{"--without-forward", "--ready-within", "25s", "--shard-progress"}

// TestLoadWithoutForward is a whole run of somebody who may not forward a port; with one such load less is asked of the
// cluster.
func TestLoadWithoutForward(t *testing.T) {
	s := serve(t, delay)
	ns := namespace(t)
	kubeconfig := whoForwardsNothing(t, ns)
	refused := onCluster(t, s, ns, kubeconfig, question(5))
	refused.ending(t, 3, time.Minute)
	require.Contains(t, refused.stderr(), "a load that has --without-forward needs no pods/portforward")

	run := onCluster(t, s, ns, kubeconfig, question(10), early...)
	require.Len(t, run.sending(t, s, 20), 3)
	run.ending(t, 0, 2*time.Minute)
	whole := read(t, run.folder)
	require.Equal(t, "pass", whole.Verdict)
	require.True(t, whole.Valid)
	require.Equal(t, int64(400), whole.Plan.Hits)
	require.Equal(t, int64(400), whole.Total.Right)
	require.NotContains(t, run.stderr(), "warning")
	nothingLeft(t, ns)
}

func TestClocksWithoutForward(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(5), append(early, "--max-clock-error", "1us")...)
	run.ending(t, 3, time.Minute)
	require.Regexp(t, `the clock of shard [123]/3 on node n[12] is known to ± [0-9.]+ms only, .*; nothing was sent`, run.stderr())
	nothingLeft(t, ns)
}

// TestInterruptWithoutForward is Ctrl-C: all shards stop, and what they have comes home with their outputs although
// their pods go.
func TestInterruptWithoutForward(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(60), early...)
	run.sending(t, s, 80)
	require.NoError(t, run.command.Process.Signal(syscall.SIGINT))
	run.ending(t, 130, time.Minute)
	parts, err := filepath.Glob(filepath.Join(run.folder, "shards", "*"))
	require.NoError(t, err)
	require.Len(t, parts, 3, "%s", run.stderr())
	require.Greater(t, read(t, run.folder).Total.Sent, int64(60))
	nothingLeft(t, ns)
	s.staysSilent(t, 2*time.Second)
}

func TestInterruptBeforeTheStartWithoutForward(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(60), early...)
	eventually(t, time.Minute, "a shard that waits", func() bool { return strings.Contains(run.stderr(), "setting up") })
	require.NoError(t, run.command.Process.Signal(syscall.SIGINT))
	run.ending(t, 130, time.Minute)
	nothingLeft(t, ns)
	s.staysSilent(t, 35*time.Second) // past the instant of the start
}

func TestEvictedShardWithoutForward(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(15), early...)
	for _, p := range run.sending(t, s, 80) {
		if p.index() == "2" {
			evict(t, ns, p)
		}
	}
	run.ending(t, 4, 2*time.Minute)
	r := read(t, run.folder)
	t.Log(r.Reason)
	require.Equal(t, "inconclusive", r.Verdict)
	require.Greater(t, r.Total.Sent, int64(400), "what the third had sent is in it")
	require.Less(t, r.Total.Sent, int64(600))
	nothingLeft(t, ns)
}

func TestLostNodeWithoutForward(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(15), early...)
	onLost := int64(0)
	for _, p := range run.sending(t, s, 40) {
		if p.Spec.NodeName == "n2" {
			onLost++
		}
	}
	require.NoError(t, lab.Nodes[1].Kill())
	code := run.exit(t, 4*time.Minute)
	require.NoError(t, lab.Nodes[1].Start())
	require.Equal(t, 4, code)
	partial(t, run, 3-onLost, "")
	nothingLeft(t, ns)
}

func TestAPIServerRestartWithoutForward(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(15), early...)
	run.sending(t, s, 40)
	lab.KillAPI()
	before := s.answered.Load()
	eventually(t, 30*time.Second, "120 hits without an API server", func() bool { return s.answered.Load() >= before+120 })
	require.NoError(t, lab.StartAPI())
	run.ending(t, 0, 2*time.Minute)
	require.Equal(t, int64(600), read(t, run.folder).Total.Right)
	nothingLeft(t, ns)
}

func TestAbandonedRunWithoutForward(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	kubeconfig := whoForwardsNothing(t, ns)
	run := onCluster(t, s, ns, kubeconfig, question(10), early...)
	found := run.sending(t, s, 40)
	require.NoError(t, run.command.Process.Kill())
	<-run.ended
	id := found[0].Metadata.Labels["app.kubernetes.io/instance"]
	folder := filepath.Join(t.TempDir(), "run")
	collect := agstest(t, lab.Parts.Coordinator, append(s.variables, "KUBECONFIG="+kubeconfig), "kubernetes", "collect", id, "--namespace", ns, "--out", folder)
	collect.ending(t, 0, 2*time.Minute)
	require.Equal(t, int64(400), read(t, folder).Total.Right)
	nothingLeft(t, ns)
}

// TestLargeResults brings home some MB a shard: through a forward, and where none may be, with the logs, and puts them
// to an address too.
func TestLargeResults(t *testing.T) {
	large := []string{"--workload", "refresh", "--rate", "1200/s", "--duration", "90s", "--seed", "7", "--max-lag", "5s", "--raw"}
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), large)
	require.Contains(t, []int{0, 5}, run.exit(t, 4*time.Minute), "how fast this machine is does not matter here")
	require.Equal(t, int64(108_000), read(t, run.folder).Total.Right)
	came := sizes(t, run.folder)
	require.Greater(t, came[0], int64(5<<19))

	var mutex sync.Mutex // guards what follows
	stored := map[string][]byte{}
	listener, err := net.Listen("tcp", Address+":0")
	require.NoError(t, err)
	store := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		mutex.Lock()
		defer mutex.Unlock()
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case r.Method == http.MethodPut:
			stored[r.URL.Path] = text
		default:
			_, _ = w.Write(stored[r.URL.Path])
		}
	})}
	served := make(chan error, 1)
	go func() { served <- store.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, store.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	address := filepath.Join(t.TempDir(), "address")
	require.NoError(t, os.WriteFile(address, []byte("http://"+listener.Addr().String()+"/{index}\n"), 0o600))
	run = onCluster(t, s, ns, administratorFile(), large, append(early, "--results-url", address)...)
	require.Contains(t, []int{0, 5}, run.exit(t, 4*time.Minute))
	require.Equal(t, int64(108_000), read(t, run.folder).Total.Right)
	require.Len(t, stored, 3)
	t.Logf("results: %v; without a forward %v", came, sizes(t, run.folder))
	nothingLeft(t, ns)
}

// sizes are those of the raw results of the shards of a run.
func sizes(t *testing.T, folder string) (all []int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "shards", "*", "results.gob"))
	require.NoError(t, err)
	for _, file := range files {
		about, err := os.Stat(file)
		require.NoError(t, err)
		all = append(all, about.Size())
	}
	return all
}

// TestResultsVolume keeps what shards record on a volume, from where it merges to the same.
func TestResultsVolume(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	folder := t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o777)) // the pods are of another user
	_, err := lab.Kubectl(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: results}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteMany]
  storageClassName: ""
  hostPath: {path: `+folder+`, type: Directory}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: results, namespace: `+ns+`}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: ""
  volumeName: results
  resources: {requests: {storage: 1Gi}}
`, "apply", "-f", "-")
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := lab.Kubectl("", "delete", "pv", "results", "--wait=false")
		require.NoError(t, err)
	})
	run := onCluster(t, s, ns, administratorFile(), question(5), append(early, "--results-volume", "results")...)
	run.ending(t, 0, 2*time.Minute)
	whole := read(t, run.folder)
	require.Equal(t, int64(200), whole.Total.Right)
	parts, err := filepath.Glob(filepath.Join(folder, "agstest-"+whole.Run.ID, "*", "run"))
	require.NoError(t, err)
	require.Len(t, parts, 3)
	again := filepath.Join(t.TempDir(), "again")
	agstest(t, lab.Parts.Agstest, nil, append([]string{"merge", "--out", again}, parts...)...).ending(t, 0, time.Minute)
	require.Equal(t, counts(whole), counts(read(t, again)))
	nothingLeft(t, ns)
}
