//go:build linux

package cluster

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMissingImage wants an image that no node has and no registry gives.
func TestMissingImage(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(5), "--image", "127.0.0.1:1/agstest:none")
	run.ending(t, 3, time.Minute)
	require.Contains(t, run.stderr(), "127.0.0.1:1/agstest:none")
	require.Zero(t, s.answered.Load(), "requests")
	nothingLeft(t, ns)
}

// TestImageOfSomethingElse starts pods that run and are no shards.
func TestImageOfSomethingElse(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(5), "--image", PauseImage, "--ready-within", "10s")
	run.ending(t, 3, time.Minute)
	require.Regexp(t, `shard [123]/3 on node n[12] could not be reached within 10s`, run.stderr())
	require.Zero(t, s.answered.Load(), "requests")
	nothingLeft(t, ns)
}

// TestNowhereToRun asks for nodes that there are none of.
func TestNowhereToRun(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(5), "--node-selector", "pool=none", "--placed-within", "3s")
	run.ending(t, 3, time.Minute)
	require.Contains(t, run.stderr(), "shard ")
	require.Contains(t, run.stderr(), "node")
	require.Zero(t, s.answered.Load(), "requests")
	nothingLeft(t, ns)
}

// TestClocksThatAreNotKnownWellEnough wants them more exactly than anything can tell.
func TestClocksThatAreNotKnownWellEnough(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(5), "--max-clock-error", "1us")
	run.ending(t, 3, time.Minute)
	require.Regexp(t, `the clock of shard [123]/3 on node n[12] is known to ± `, run.stderr())
	require.NotContains(t, run.stderr(), "shards send from")
	nothingLeft(t, ns)
}

// TestQuota wants more than the namespace may have.
func TestQuota(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	status, err := lab.Call(http.MethodPost, "/api/v1/namespaces/"+ns+"/resourcequotas", map[string]any{
		"metadata": map[string]string{"name": "small"}, "spec": map[string]any{"hard": map[string]string{"pods": "2"}}}, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
	eventually(t, time.Minute, "a quota with a status", func() bool {
		var q struct {
			Status struct{ Hard map[string]string }
		}
		_, err := lab.Call(http.MethodGet, "/api/v1/namespaces/"+ns+"/resourcequotas/small", nil, &q)
		return err == nil && q.Status.Hard["pods"] == "2"
	})
	run := onCluster(t, s, ns, administratorFile(), question(5))
	run.ending(t, 3, 2*time.Minute)
	require.Contains(t, run.stderr(), "small")
	require.Zero(t, s.answered.Load(), "requests")
	nothingLeft(t, ns)
}

// TestLeastRights works with what the shipped rbac.yaml gives and nothing else, as the service account in it: a run,
// and to collect one.
func TestLeastRights(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	shipped, err := os.ReadFile(rbacFile)
	require.NoError(t, err)
	_, err = lab.Kubectl(strings.ReplaceAll(string(shipped), "namespace: agstest", "namespace: "+ns), "apply", "-f", "-")
	require.NoError(t, err)
	kubeconfig := accountOf(t, ns, "agstest")
	run := onCluster(t, s, ns, kubeconfig, question(5))
	run.ending(t, 0, 2*time.Minute)
	require.Equal(t, int64(200), read(t, run.folder).Total.Right)
	nothingLeft(t, ns)

	check := agstest(t, lab.Parts.Coordinator, []string{"KUBECONFIG=" + kubeconfig}, "kubernetes", "check", "--namespace", ns, "--image", AgstestImage)
	check.ending(t, 0, time.Minute)
	elsewhere := agstest(t, lab.Parts.Coordinator, []string{"KUBECONFIG=" + kubeconfig}, "kubernetes", "check", "--namespace", "default", "--image", AgstestImage)
	elsewhere.ending(t, 3, time.Minute)
}

// TestNoRights is somebody to whom nobody has given any: the sentence has the rule that is missing.
func TestNoRights(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, accountOf(t, ns, "default"), question(5))
	run.ending(t, 3, time.Minute)
	for _, part := range []string{"apiGroups:", "batch", "jobs", "pods/portforward", "verbs:", "create"} {
		require.Contains(t, run.stderr(), part)
	}
	require.Zero(t, s.answered.Load(), "requests")
	nothingLeft(t, ns)
}

// rbacFile is what is shipped for whoever gives out rights.
var rbacFile = filepath.Join("..", "..", "..", "deploy", "kubernetes", "rbac.yaml")

// accountOf is the kubeconfig of a service account of a namespace.
func accountOf(t *testing.T, namespace, account string) string {
	t.Helper()
	token, err := lab.Kubectl("", "create", "token", account, "--namespace", namespace)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: cluster, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: user, user: {token: %q}}]
contexts: [{name: context, context: {cluster: cluster, user: user}}]
current-context: context
`, server, filepath.Join(lab.authority.folder, "ca.crt"), strings.TrimSpace(token)), 0o600))
	return file
}

// TestThrottledShard has a limit of processor time far below what a shard needs; the report names it.
func TestThrottledShard(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	// A shard's forty hits a second take some 30 ms of a processor, and it may have 15.
	busy := []string{"--workload", "refresh", "--rate", "120/s", "--duration", "8s", "--seed", "7", "--max-lag", "1ms"}
	run := onCluster(t, s, ns, administratorFile(), busy, "--cpu", "15m", "--cpu-limit", "15m")
	code := run.exit(t, 3*time.Minute)
	require.Equal(t, 5, code)
	require.Equal(t, "invalid", read(t, run.folder).Verdict)
	for _, shard := range []string{"1/3", "2/3", "3/3"} {
		require.Contains(t, run.stdout(), "shard "+shard+": the CPU limit of its container held the generator back")
	}
	nothingLeft(t, ns)
}
