//go:build linux

package cluster

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestInterrupt is Ctrl-C while the load runs: all shards stop, what they have comes home, and nothing stays in the
// namespace.
func TestInterrupt(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(60))
	run.sending(t, s, 40)
	require.NoError(t, run.command.Process.Signal(syscall.SIGINT))
	run.ending(t, 130, time.Minute)
	nothingLeft(t, ns)
	s.staysSilent(t, 2*time.Second)
}

// TestAbandonedRun kills the coordinator; another one brings the run home.
func TestAbandonedRun(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(15))
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

// TestAbandonedRunEndsByItself kills the coordinator, and nobody comes: the shards do their load, wait for as long as
// they were told, and the cluster removes what is left.
func TestAbandonedRunEndsByItself(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(5), "--linger", "5s", "--ttl", "3s")
	run.sending(t, s, 20)
	require.NoError(t, run.command.Process.Kill())
	<-run.ended
	nothingLeft(t, ns)
}

// TestAppliedByHand applies what agstest prints with kubectl, adds the Secret, lets the Job run, and has the load
// started.
func TestAppliedByHand(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	variables := append(s.variables, "KUBECONFIG="+administratorFile())
	printed := agstest(t, lab.Parts.Coordinator, variables, append([]string{"kubernetes", "manifest", "--env", s.environment, "--shards", "3", "--image", AgstestImage,
		"--namespace", ns, "--cpu", "200m", "--memory", "256Mi"}, question(5)...)...)
	printed.ending(t, 0, time.Minute)
	run := regexp.MustCompile(`for the run ([0-9a-f]+)\.`).FindStringSubmatch(printed.stdout())
	require.Len(t, run, 2)
	for _, line := range [][]string{
		{"create", "secret", "generic", "agstest-" + run[1], "--namespace", ns, "--from-literal=OPERATOR_SECRET=" + operatorSecret,
			"--from-literal=OPERATOR_KEY=" + operatorKey, "--from-literal=control-token=" + rand.Text()},
		{"apply", "-f", "-"},
		{"patch", "job", "agstest-" + run[1], "--namespace", ns, "--type=merge", "--patch", `{"spec":{"suspend":false}}`},
	} {
		_, err := lab.Kubectl(printed.stdout(), line...)
		require.NoError(t, err)
	}
	folder := filepath.Join(t.TempDir(), "run")
	start := agstest(t, lab.Parts.Coordinator, variables, "kubernetes", "start", run[1], "--namespace", ns, "--out", folder)
	start.ending(t, 0, 2*time.Minute)
	whole := read(t, folder)
	require.Equal(t, int64(200), whole.Total.Right)
	require.Equal(t, "pass", whole.Verdict)
	// What was applied by hand does not belong to the Job, and stays; agstest has no right to remove a Secret.
	for _, kind := range []string{"configmap", "secret"} {
		_, err := lab.Kubectl("", "delete", kind, "agstest-"+run[1], "--namespace", ns)
		require.NoError(t, err)
	}
	nothingLeft(t, ns)
}

// TestResultsURL has the shards put their results to an address too, and hold them there.
func TestResultsURL(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	var mutex sync.Mutex // guards what follows
	stored := map[string]int{}
	listener, err := net.Listen("tcp", Address+":0")
	require.NoError(t, err)
	store := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPut {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mutex.Lock()
		defer mutex.Unlock()
		stored[r.URL.String()] = len(text)
	})}
	served := make(chan error, 1)
	go func() { served <- store.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, store.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	address := filepath.Join(t.TempDir(), "address")
	require.NoError(t, os.WriteFile(address, []byte("http://"+listener.Addr().String()+"/results/{index}?signature=not-for-everybody\n"), 0o600))
	run := onCluster(t, s, ns, administratorFile(), question(5), "--results-url", address)
	run.ending(t, 0, 2*time.Minute)
	require.Equal(t, int64(200), read(t, run.folder).Total.Right)
	require.NotContains(t, run.stderr()+run.stdout(), "not-for-everybody")
	mutex.Lock()
	defer mutex.Unlock()
	require.Len(t, stored, 3)
	for i := range 3 {
		require.Greater(t, stored[fmt.Sprintf("/results/%d?signature=not-for-everybody", i)], 1000)
	}
	nothingLeft(t, ns)
}
