//go:build linux

package cluster

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSecretsStayInTheSecret looks at every version of every object that was written to the cluster's store during a
// run, at the processes of the shards, at what they and the coordinator said, and at the run's folder: the secrets of
// the environment are in the Secret and nowhere else.
func TestSecretsStayInTheSecret(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	before, err := lab.Revision()
	require.NoError(t, err)
	run := onCluster(t, s, ns, administratorFile(), question(8), "--keep")
	found := run.sending(t, s, 40)
	processes := 0
	for _, n := range lab.Nodes {
		for _, pid := range n.processes() {
			for _, file := range []string{"cmdline", "environ"} {
				text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), file))
				if err != nil {
					continue // it has ended
				}
				processes++
				requireNoSecret(t, "the "+file+" of a process of "+n.Name, text)
			}
		}
	}
	require.GreaterOrEqual(t, processes, 6)
	run.ending(t, 0, 2*time.Minute)
	for _, p := range found {
		said, err := lab.Kubectl("", "logs", "--namespace", ns, p.Metadata.Name)
		require.NoError(t, err)
		requireNoSecret(t, "the output of "+p.Metadata.Name, []byte(said))
	}
	requireNoSecret(t, "stderr", []byte(run.stderr()))
	requireNoSecret(t, "stdout", []byte(run.stdout()))
	require.NoError(t, filepath.WalkDir(run.folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		requireNoSecret(t, path, text)
		return err
	}))

	ever, err := lab.Ever(before)
	require.NoError(t, err)
	kinds := map[string]int{}
	secrets := 0
	for _, o := range ever {
		if !strings.Contains(o.Key, "/"+ns+"/") {
			continue
		}
		kinds[strings.Split(o.Key, "/")[2]]++
		if strings.HasPrefix(o.Key, "/registry/secrets/") {
			if bytes.Contains(o.Value, []byte(operatorSecret)) {
				secrets++
			}
			continue
		}
		requireNoSecret(t, o.Key, o.Value)
	}
	t.Logf("versions of objects looked at: %v", kinds)
	require.Equal(t, 1, secrets, "versions of a Secret that hold the secret: it is immutable")
	for _, kind := range []string{"jobs", "pods", "configmaps", "events"} {
		require.Positive(t, kinds[kind], kind)
	}
	clean := agstest(t, lab.Parts.Coordinator, []string{"KUBECONFIG=" + administratorFile()}, "kubernetes", "clean", found[0].Metadata.Labels["app.kubernetes.io/instance"], "--namespace", ns)
	clean.ending(t, 0, time.Minute)
	nothingLeft(t, ns)
}

// TestExistingSecret uses a Secret that somebody else looks after: a run makes none of its own.
func TestExistingSecret(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	_, err := lab.Kubectl("", "create", "secret", "generic", "staging", "--namespace", ns, "--from-literal=OPERATOR_SECRET="+operatorSecret, "--from-literal=OPERATOR_KEY="+operatorKey)
	require.NoError(t, err)
	before, err := lab.Revision()
	require.NoError(t, err)
	run := onCluster(t, s, ns, administratorFile(), question(5), "--secret-ref", "staging")
	run.ending(t, 0, 2*time.Minute)
	require.Equal(t, int64(200), read(t, run.folder).Total.Right)
	ever, err := lab.Ever(before)
	require.NoError(t, err)
	require.NotEmpty(t, ever)
	for _, o := range ever {
		require.NotContains(t, o.Key, "/registry/secrets/"+ns+"/")
		requireNoSecret(t, o.Key, o.Value)
	}
	_, err = lab.Kubectl("", "delete", "secret", "staging", "--namespace", ns)
	require.NoError(t, err)
	nothingLeft(t, ns)
}

// requireNoSecret fails where text holds a secret of the environment, as it is or in base64.
func requireNoSecret(t *testing.T, what string, text []byte) {
	t.Helper()
	require.NotContains(t, string(text), operatorSecret, what)
	require.NotContains(t, string(text), base64.StdEncoding.EncodeToString([]byte(operatorSecret)), what)
}
