package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/runs"
)

// TestPlacesWhereNoRunCanGo: the refusal comes before anything is sent, is one sentence, and leaves what is there as it
// was.
func TestPlacesWhereNoRunCanGo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		out     string
		says    string
	}{
		{"read-only folder", makeReadOnly, "run", ": read-only file system|: permission denied"},
		{"folder below a read-only one", makeReadOnly, "a/b/run", ": read-only file system|: permission denied"},
		{"folder with other things in it", func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "run"), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "run", "thesis.txt"), []byte("years of work"), 0o600))
		}, "run", "run is not empty and holds no run of agstest, so it is left alone: name another folder"},
		{"file", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "run"), []byte("years of work"), 0o600))
		}, "run", "run, where the run should go, is not a folder: name another one"},
		{"file above", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("years of work"), 0o600))
		}, "file/run", "file/run, where the run should go: not a directory"},
	} {
		for _, command := range [][]string{shortConform, {"load", "--workload", "refresh", "--rate", "20/s", "--duration", "1s"}, {"ab", "--aa", "--rate", "20/s"}} {
			t.Run(test.name+" "+command[0], func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				test.prepare(t, dir)
				before := everyFile(t, dir)
				c := newChild(t, dir, append(command, "--out", test.out)...).start()
				assert.Equal(t, exitUsage, c.code())
				assert.Regexp(t, `\Aagstest: .*(`+test.says+`)\n\z`, c.stderr.String())
				assert.Empty(t, c.stdout.String())
				assert.Equal(t, before, everyFile(t, dir))
			})
		}
	}
}

// everyFile is the content of every file in a folder, by path.
func everyFile(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files[path] = ""
		if entry.Type().IsRegular() {
			text, err := os.ReadFile(path)
			files[path] = string(text)
			return err
		}
		return nil
	}))
	return files
}

func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("into one folder", func(t *testing.T) {
		t.Parallel()
		if runtime.GOOS == "windows" {
			t.Skip("folders cannot be held here; the later run replaces the earlier one, whole")
		}
		dir := t.TempDir()
		first := newChild(t, dir, "load", "--workload", "refresh", "--rate", "20/s", "--duration", "60s", "--max-lag", "5s", "--out", "run").start()
		first.says("load: mock at ")
		second := newChild(t, dir, append(shortConform, "--out", "run")...).start()
		assert.Equal(t, exitUsage, second.code())
		assert.Regexp(t, `\Aagstest: another run is on its way to run \(at present in run\.[0-9a-f]{12}\.partial\): wait until it has ended, or name another folder\n\z`, second.stderr.String())
		first.until("a recorded second", func() bool { return first.recorded() != "" })
		require.NoError(t, first.Process.Signal(os.Interrupt))
		assert.Equal(t, exitInterrupted, first.code(), first.stderr.String())
		stored, err := runs.Read(filepath.Join(dir, "run"))
		require.NoError(t, err)
		assert.Nil(t, stored.Conformance)
		require.NotNil(t, stored.Load, "the refused run did nothing to the one under way")
		third := newChild(t, dir, append(shortConform, "--out", "run")...).start()
		assert.Equal(t, exitPass, third.code(), third.stdout.String()+third.stderr.String())
	})
	t.Run("below the folder of runs", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		var children []*child
		for range 4 {
			children = append(children, newChild(t, dir, shortConform...).start())
		}
		for _, c := range children {
			assert.Equal(t, exitPass, c.code(), c.stderr.String())
			_, path, found := strings.Cut(c.stdout.String(), "\nReport: ")
			require.True(t, found)
			stored, err := runs.Read(filepath.Join(dir, filepath.Dir(path)))
			require.NoError(t, err)
			assert.Equal(t, reports.Pass, stored.Verdict())
		}
		entries, err := runs.List(filepath.Join(dir, "out"))
		require.NoError(t, err)
		assert.Len(t, entries, 4)
		index, err := os.ReadFile(filepath.Join(dir, "out", "index.ndjson"))
		require.NoError(t, err)
		assert.Equal(t, 4, strings.Count(string(index), "\n"))
	})
}
