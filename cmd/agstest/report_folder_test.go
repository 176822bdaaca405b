package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A folder of many runs, or of a plan, is no run: what it is and what to do with it is said.
func TestFoldersThatAreNoRunAreNamed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	assert.Empty(t, folderInstead(root))
	for _, name := range []string{"20261123T093000Z-staging-load-a", "20261124T093000Z-staging-load-b"} {
		folder := filepath.Join(root, name)
		require.NoError(t, os.Mkdir(folder, 0o755))
		day := name[:8]
		stored := `{"schema":"agstest.load/1.0","run":{"id":"` + name + `","start":"` + day[:4] + "-" + day[4:6] + "-" + day[6:] + `T09:30:00Z"},"verdict":"pass","operations":{}}`
		require.NoError(t, os.WriteFile(filepath.Join(folder, "load.json"), []byte(stored), 0o644))
	}
	_, err := new(program).readRun(root)
	assert.EqualError(t, err, "reading the run "+root+": it holds none of conformance.json, load.json and comparison.json; it is a folder of 2 runs: name one of them, such as the newest, "+
		filepath.Join(root, "20261124T093000Z-staging-load-b")+"; agstest site "+root+" makes pages of all")
	require.NoError(t, os.WriteFile(filepath.Join(root, "plan.json"), []byte("{}"), 0o644))
	_, err = new(program).readRun(root)
	assert.ErrorContains(t, err, "it is the folder of a plan, with the runs of each environment in folders below it: agstest matrix "+root+" makes its page again")
}

// TestReportRendersWhatTheRunRendered: what flags of the run said of its files is in its record, so that they can be
// made again, byte by byte.
func TestReportRendersWhatTheRunRendered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("keys.yaml"), []byte("REF-01: AGS-123\n"), 0o600))
	conform := []string{"conform", "--only", "REF-01", "--generate", "0", "--sequences", "0", "--retry", "0", "--strict"}
	written(t, []int{exitPass}, append(conform, "--out", at("old"))...)
	written(t, []int{exitFail}, append(conform, "--mock-fault", "refresh-201", "--test-keys", at("keys.yaml"), "--out", at("new"))...)
	written(t, []int{exitFail}, "compare", at("old"), at("new"), "--strict", "--out", at("change"))
	for _, name := range []string{"new", "change"} {
		written(t, []int{exitPass}, "report", at(name), "--out", at(name+"-again"))
		files, err := os.ReadDir(at(name))
		require.NoError(t, err)
		require.Greater(t, len(files), 3)
		for _, file := range files {
			if strings.HasPrefix(file.Name(), ".") { // the mark of the run's folder
				continue
			}
			before, err := os.ReadFile(filepath.Join(at(name), file.Name()))
			require.NoError(t, err)
			again, err := os.ReadFile(filepath.Join(at(name+"-again"), file.Name()))
			require.NoError(t, err)
			assert.Equal(t, string(before), string(again), file.Name())
		}
	}
	junit, err := os.ReadFile(at("new-again/junit.xml"))
	require.NoError(t, err)
	assert.Contains(t, string(junit), `name="test_key" value="AGS-123"`)
}
