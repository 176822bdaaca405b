//go:build kubernetes

package kubernetes

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMain looks for goroutines that are left. One of the library ends by itself, a second after a connection that
// could not be closed well.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Connection).shutdown"))
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "%s; -update writes it anew", path)
}

func TestManifest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file    string
		options Options
	}{
		{"plain.yaml", Options{Image: "registry.test/agstest:1"}},
		{"everything.yaml", Options{
			Namespace: "load", Image: "registry.test/agstest:1", PullPolicy: "Always", PullSecret: "registry", ServiceAccount: "runner",
			NodeSelector: map[string]string{"pool": "load"}, Tolerations: []string{"dedicated=load:NoSchedule", "spot"}, PriorityClass: "high",
			CPU: "2", CPULimit: "2", Memory: "1Gi", Spread: SpreadRequired, TTL: 10 * time.Minute, SecretRef: "ags-credentials", ResultsVolume: "results",
		}},
		{"keep.yaml", Options{Image: "registry.test/agstest:1", Keep: true, TTL: time.Minute}},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			text, err := Manifest(test.options, sampleWork)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "hunter2")
			assert.NotContains(t, string(text), "token-of-the-run")
			golden(t, filepath.Join("testdata", test.file), text)
		})
	}
}

// The rules that are shipped are those that the engine needs.
func TestRules(t *testing.T) {
	t.Parallel()
	text, err := Rules(Options{})
	require.NoError(t, err)
	golden(t, filepath.Join("..", "..", "deploy", "kubernetes", "rbac.yaml"), text)
	text, err = Rules(Options{Namespace: "load", SecretRef: "ags-credentials"})
	require.NoError(t, err)
	golden(t, filepath.Join("testdata", "rules.yaml"), text)
	text, err = Rules(Options{Namespace: "load", WithoutForward: true})
	require.NoError(t, err)
	assert.NotContains(t, string(text), "portforward")
	assert.Contains(t, string(text), "pods/log")
}
