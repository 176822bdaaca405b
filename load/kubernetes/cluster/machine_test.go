//go:build linux

package cluster

import (
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatIsLeftIsTold changes one thing after another of what a cluster could leave on a machine; each is noticed and
// named.
func TestWhatIsLeftIsTold(t *testing.T) {
	before, err := look()
	require.NoError(t, err)
	const folder = "/tmp/agstest-cluster-1"
	require.NoError(t, before.same(before, folder))
	for says, change := range map[string]func(*machine){
		`the kernel's kernel/panic was`:                          func(m *machine) { m.tunables["kernel/panic"] = "99" },
		"the cluster left the network interface veth-x":          func(m *machine) { m.interfaces = append(m.interfaces, "veth-x") },
		"the cluster left the mount " + folder + "/n1":           func(m *machine) { m.mounts = append(m.mounts, folder+"/n1 overlay") },
		"the cluster left the file or folder /etc/cni-x":         func(m *machine) { m.entries = append(m.entries, "/etc/cni-x") },
		"the cluster left the file or folder /var/lib/kubelet-x": func(m *machine) { m.entries = append(m.entries, "/var/lib/kubelet-x") },
	} {
		after := machine{tunables: maps.Clone(before.tunables), interfaces: slices.Clone(before.interfaces), mounts: slices.Clone(before.mounts), entries: slices.Clone(before.entries)}
		change(&after)
		require.ErrorContains(t, before.same(after, folder), says)
	}
	working, err := os.Getwd()
	require.NoError(t, err)
	require.ErrorContains(t, before.same(before, filepath.Dir(working)), "the cluster left the process")
}

// TestWithoutRootNothingIsGreen starts these tests as a user without rights: they say loudly that nothing ran, and fail
// where they are required.
func TestWithoutRootNothingIsGreen(t *testing.T) {
	folder, err := os.MkdirTemp("", "agstest-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755))
	from, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer from.Close()
	program := filepath.Join(folder, "tests")
	to, err := os.OpenFile(program, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, errors.Join(err, to.Close()))
	for _, test := range []struct {
		arguments []string
		code      int
		says      string
	}{
		{nil, 0, "SKIPPED, NOTHING WAS TESTED: a cluster needs root"},
		{[]string{"-required"}, 1, "cluster: a cluster needs root"},
	} {
		c := exec.Command(program, test.arguments...)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		said, _ := c.CombinedOutput()
		require.Contains(t, string(said), test.says)
		require.Equal(t, test.code, c.ProcessState.ExitCode())
		require.NotContains(t, string(said), "PASS")
	}
}

// TestCacheHoldsWholeFoldersOnly has a build fail: nothing of it stays, and the next one is made again; a whole one is
// made once.
func TestCacheHoldsWholeFoldersOnly(t *testing.T) {
	cache, made := t.TempDir(), 0
	build := func(fails bool) func(string) error {
		return func(folder string) error {
			made++
			if err := os.WriteFile(filepath.Join(folder, "program"), []byte("x"), 0o755); err != nil || !fails {
				return err
			}
			return errors.New("it does not compile")
		}
	}
	_, err := kept(cache, "thing", []string{"a"}, build(true))
	require.EqualError(t, err, "it does not compile")
	entries, err := os.ReadDir(cache)
	require.NoError(t, err)
	require.Empty(t, entries)
	for range 2 {
		folder, err := kept(cache, "thing", []string{"a"}, build(false))
		require.NoError(t, err)
		require.FileExists(t, filepath.Join(folder, "program"))
	}
	require.Equal(t, 2, made)
	_, err = kept(cache, "thing", []string{"b"}, build(false))
	require.NoError(t, err)
	require.Equal(t, 3, made, "another key is another folder")
}
