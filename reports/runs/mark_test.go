package runs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// TestOnlyRunsOfOursAreDeleted: whatever a folder is called, whatever the index says and wherever links lead.
func TestOnlyRunsOfOursAreDeleted(t *testing.T) {
	base := t.TempDir()
	root, outside := filepath.Join(base, "out"), filepath.Join(base, "outside")
	old := time.Now().Add(-1000 * time.Hour)
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write(filepath.Join(outside, "precious"), "x")
	write(filepath.Join(root, "photos.partial", "holiday"), "x")
	write(filepath.Join(root, "notes", "conformance.json"), `{"schema":"agstest.conformance/1.0","verdict":"pass","run":{"kind":"conform","start":"2020-01-01T00:00:00Z"}}`)
	write(filepath.Join(root, "taken", "conformance.json"), `{"schema":"agstest.conformance/1.0","verdict":"pass","run":{"id":"abcdef","kind":"conform","start":"2020-01-01T00:00:00Z"}}`)
	write(filepath.Join(root, "indexed", "precious"), "x")
	require.NoError(t, os.Symlink(outside, filepath.Join(root, "link.partial")))
	require.NoError(t, os.Symlink(outside, filepath.Join(root, "linked")))
	run := reports.Run{ID: "feedbeef0001", Kind: "conform", Environment: "e", Start: old}
	f, err := NewFolder(root, run)
	require.NoError(t, err)
	require.NoError(t, f.Write(reports.ConformanceFile, func(w io.Writer) error {
		return reports.WriteJSON(w, &reports.Conformance{Schema: reports.ConformanceSchema, Verdict: reports.Pass, Run: run})
	}))
	require.NoError(t, os.Symlink(outside, filepath.Join(f.Path(), "link")))
	ran, err := f.Finish()
	require.NoError(t, err)
	index := filepath.Join(root, indexFile)
	text, err := os.ReadFile(index)
	require.NoError(t, err)
	for _, name := range []string{"indexed", "linked", "../outside", "photos.partial"} {
		text = append(text, fmt.Sprintf(`{"folder":%q,"environment":"e","kind":"conform","start":"2020-01-01T00:00:00Z","verdict":"pass"}`+"\n", name)...)
	}
	write(index, string(text))

	options := PruneOptions{OlderThan: time.Hour, Now: time.Now().Add(100 * time.Hour), DryRun: true}
	would, _, err := Prune(root, options)
	require.NoError(t, err)
	require.Len(t, would, 1)
	assert.DirExists(t, ran)
	options.DryRun = false
	gone, left, err := Prune(root, options)
	require.NoError(t, err)
	require.Len(t, gone, 1)
	assert.Equal(t, filepath.Base(ran), gone[0].Folder)
	assert.NoDirExists(t, ran)
	assert.NotEmpty(t, left)
	for _, path := range []string{"out/photos.partial/holiday", "out/notes/conformance.json", "out/taken/conformance.json", "out/indexed/precious", "outside/precious"} {
		assert.FileExists(t, filepath.Join(base, path))
	}
}

func TestFolderWithARunThatHasNoIDIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine")
	require.NoError(t, os.Mkdir(path, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(path, "conformance.json"), []byte(`{"schema":"agstest.conformance/1.0","verdict":"pass"}`), 0o600))
	_, err := NewFolderAt(path, reports.Run{ID: "1"})
	assert.ErrorContains(t, err, "holds no run of agstest, so it is left alone")
}
