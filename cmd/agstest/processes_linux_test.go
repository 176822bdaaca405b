package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
)

// TestNoSecretIsInAProcessList: what ps shows of a run is what the user typed, the run starts no other process, and its
// environment variables are for root alone.
func TestNoSecretIsInAProcessList(t *testing.T) {
	t.Parallel()
	file := mockFile(t)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), `operator: {secret: "`)
	require.True(t, found)
	secret, _, _ := strings.Cut(rest, `"`)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), secret, "${SECRET_OF_THE_OPERATOR}", 1)), 0o600))
	c := newChild(t, t.TempDir(), "load", "--env", file, "--workload", "refresh", "--rate", "20/s", "--duration", "60s", "--clients", "20")
	c.Env = append(c.Env, "SECRET_OF_THE_OPERATOR="+secret)
	c.start()
	c.says("load: mock at ")
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.Process.Pid))
	require.NoError(t, err)
	assert.Equal(t, "agstest\x00load\x00--env\x00"+file+"\x00--workload\x00refresh\x00--rate\x0020/s\x00--duration\x0060s\x00--clients\x0020\x00", string(line))
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", c.Process.Pid))
	require.NoError(t, err)
	require.NotEmpty(t, children)
	for _, path := range children {
		if text, err := os.ReadFile(path); err == nil { // a thread that has gone has no children
			assert.Empty(t, string(text))
		}
	}
	c.stop()

	e, err := environment.Read(file, func(string) (string, bool) { return secret, true })
	require.NoError(t, err)
	assert.Equal(t, []string{"SECRET_OF_THE_OPERATOR"}, e.SecretVariables())
}

func TestCommandOfSwapGetsNoSecret(t *testing.T) {
	t.Setenv("SECRET_OF_THE_OPERATOR", "a-secret-of-thirty-two-characters")
	t.Setenv("NAME_OF_THE_CLUSTER", "north")
	seen := filepath.Join(t.TempDir(), "seen")
	script := filepath.Join(t.TempDir(), "swap.sh")
	require.NoError(t, os.WriteFile(script, []byte("env > "+seen+"\n"), 0o600))
	p := &program{stderr: io.Discard, withheld: []string{"SECRET_OF_THE_OPERATOR"}}
	require.NoError(t, p.swapper("sh "+script)(t.Context()))
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	assert.Contains(t, string(text), "NAME_OF_THE_CLUSTER=north\n")
	assert.NotContains(t, string(text), "a-secret-of-thirty-two-characters")
}
