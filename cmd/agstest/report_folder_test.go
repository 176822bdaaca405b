package main

import (
	"os"
	"path/filepath"
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
