//go:build linux

package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// namespace makes a namespace for one test that enforces the strictest profile of the Pod Security Standards, and waits
// until pods can be made in it.
func namespace(t *testing.T) string {
	t.Helper()
	name := "t-" + strings.ToLower(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(strings.TrimPrefix(t.Name(), "Test"), "-"))
	name = strings.TrimRight(name[:min(len(name), 50)], "-")
	status, err := lab.Call(http.MethodPost, "/api/v1/namespaces", map[string]any{"metadata": map[string]any{
		"name": name, "labels": map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
	eventually(t, time.Minute, "a default service account in "+name, func() bool {
		status, _ := lab.Call(http.MethodGet, "/api/v1/namespaces/"+name+"/serviceaccounts/default", nil, nil)
		return status == http.StatusOK
	})
	t.Cleanup(func() {
		status, err := lab.Call(http.MethodDelete, "/api/v1/namespaces/"+name, nil, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	})
	return name
}

// eventually waits for what somebody else brings about.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(100 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "%s has not come within %s", what, within)
	}
}

// program is agstest at work, in its own process.
type program struct {
	folder  string // --out
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended

	mutex sync.Mutex // guards what follows
	out   bytes.Buffer
	said  bytes.Buffer // stderr
}

// agstest starts the program with variables on top of the environment's.
func agstest(t *testing.T, path string, variables []string, arguments ...string) *program {
	t.Helper()
	p := &program{command: exec.Command(path, arguments...), ended: make(chan struct{})}
	p.command.Dir = t.TempDir()
	p.command.Env = append(os.Environ(), variables...)
	p.command.Stdout, p.command.Stderr = lockedWriter{&p.mutex, &p.out}, lockedWriter{&p.mutex, &p.said}
	require.NoError(t, p.command.Start())
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("agstest %q\nstdout:\n%s\nstderr:\n%s", arguments, p.stdout(), p.stderr())
		}
	})
	return p
}

type lockedWriter struct {
	mutex *sync.Mutex
	to    *bytes.Buffer
}

func (w lockedWriter) Write(b []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.to.Write(b)
}

func (p *program) stdout() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.out.String()
}

func (p *program) stderr() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.said.String()
}

// exit waits for the program and gives its exit code.
func (p *program) exit(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		require.Fail(t, fmt.Sprintf("agstest has not ended within %s", within))
	}
	return p.command.ProcessState.ExitCode()
}

// ending is exit, with the wanted code.
func (p *program) ending(t *testing.T, code int, within time.Duration) {
	t.Helper()
	got := p.exit(t, within)
	require.Equal(t, code, got, "exit code")
}

// load is a run of agstest load on the cluster's shards.
type load struct {
	*program
	namespace string
}

// question is what every run of these tests asks, on the cluster or here: 40 hits a second of two kinds. The bound on
// the lag is wide since two processors carry the service, the cluster and all generators at the same time.
func question(seconds int) []string {
	return []string{"--workload", "mixed", "--mix", "signon=1,refresh=3", "--rate", "40/s", "--duration", fmt.Sprintf("%ds", seconds), "--seed", "7", "--max-lag", "1s"}
}

// onCluster starts a run of three shards, as a user of a kubeconfig.
func onCluster(t *testing.T, s *service, namespace, kubeconfig string, question []string, more ...string) *load {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "run")
	arguments := append([]string{"load", "--env", s.environment, "--on", "kubernetes", "--shards", "3", "--image", AgstestImage, "--namespace", namespace, "--cpu", "200m", "--memory", "256Mi", "--out", folder}, question...)
	l := &load{namespace: namespace, program: agstest(t, lab.Parts.Coordinator, append(s.variables, "KUBECONFIG="+kubeconfig), append(arguments, more...)...)}
	l.folder = folder
	return l
}

// administratorFile is a kubeconfig that may do everything.
func administratorFile() string { return filepath.Join(lab.authority.folder, "admin.kubeconfig") }

// pod is what a test wants to know of a shard's pod.
type pod struct {
	Metadata struct {
		Name              string
		Labels            map[string]string
		Annotations       map[string]string
		DeletionTimestamp *time.Time
	}
	Spec   struct{ NodeName string }
	Status struct {
		Phase             string
		ContainerStatuses []struct {
			ContainerID string
			State       struct {
				Running *struct{ StartedAt time.Time }
			}
		}
	}
}

func (p pod) index() string {
	return p.Metadata.Annotations["batch.kubernetes.io/job-completion-index"]
}

func pods(t *testing.T, namespace string) []pod {
	t.Helper()
	var list struct{ Items []pod }
	status, err := lab.Call(http.MethodGet, "/api/v1/namespaces/"+namespace+"/pods", nil, &list)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	return list.Items
}

// sending waits until the load itself runs: the service answers more than the set-up of the clients has asked of it. It
// returns the pods.
func (l *load) sending(t *testing.T, s *service, more int64) []pod {
	t.Helper()
	eventually(t, 2*time.Minute, "a load that sends", func() bool {
		select {
		case <-l.ended:
			require.Fail(t, "agstest ended before it sent anything")
		default:
		}
		return strings.Contains(l.stderr(), "shards send from")
	})
	before := s.answered.Load()
	eventually(t, time.Minute, fmt.Sprintf("%d hits", more), func() bool { return s.answered.Load() >= before+more })
	found := pods(t, l.namespace)
	require.Len(t, found, 3)
	return found
}

// report is what a test wants to know of load.json.
type report struct {
	Run struct {
		ID string
	}
	Verdict    string
	Reason     string
	Valid      bool
	Plan       struct{ Hits int64 }
	Operations map[string]figures
	Total      figures
	Wrong      []struct {
		Operation, Kind string
		Times           int64
	}
}

type figures struct {
	Asked, Sent, Right, Wrong int64
	Statuses                  map[string]int64
	Response                  map[string]int64
}

// read gives the report of a run.
func read(t *testing.T, folder string) report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "load.json"))
	require.NoError(t, err)
	var r report
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

// nothingLeft says that a namespace holds nothing of any run any more, or soon.
func nothingLeft(t *testing.T, namespace string) {
	t.Helper()
	var left []string
	eventually(t, time.Minute, "a namespace without anything of a run", func() bool {
		left = nil
		for kind, path := range map[string]string{"job": "/apis/batch/v1/namespaces/" + namespace + "/jobs", "pod": "/api/v1/namespaces/" + namespace + "/pods",
			"secret": "/api/v1/namespaces/" + namespace + "/secrets", "configmap": "/api/v1/namespaces/" + namespace + "/configmaps"} {
			var list struct {
				Items []struct{ Metadata struct{ Name string } }
			}
			status, err := lab.Call(http.MethodGet, path, nil, &list)
			require.NoError(t, errors.Join(err, notOK(status)))
			for _, i := range list.Items {
				if i.Metadata.Name != "kube-root-ca.crt" {
					left = append(left, kind+" "+i.Metadata.Name)
				}
			}
		}
		return len(left) == 0
	})
}

func notOK(status int) error {
	if status != http.StatusOK {
		return fmt.Errorf("status %d", status)
	}
	return nil
}
