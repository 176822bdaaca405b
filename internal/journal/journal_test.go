package journal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestJournalOutlivesItsRun: what is noted and not settled is found again, the last first; what is settled leaves
// nothing behind.
func TestJournalOutlivesItsRun(t *testing.T) {
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "staging.yaml"), filepath.Join(dir, "out", "run")
	j, err := Begin(folder, file, false)
	require.NoError(t, err)
	for _, name := range []string{"a", "b", "c"} {
		_, err := j.Note("do "+name, map[string]string{"undo": name})
		require.NoError(t, err)
	}
	require.NoError(t, j.Settle(2))
	info, err := os.Stat(filepath.Join(folder, FileName))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it names accounts")
	// The run is killed here, in the middle of a line.
	text, err := os.ReadFile(filepath.Join(folder, FileName))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, FileName), append(text, `{"n":4,"do":"ha`...), 0o600))

	_, err = Begin(filepath.Join(dir, "out", "next"), file, false)
	var pending PendingError
	require.ErrorAs(t, err, &pending)
	assert.Equal(t, folder, pending.Folder)

	again, environment, err := Read(folder)
	require.NoError(t, err)
	assert.Equal(t, file, environment)
	open := again.Open()
	require.Len(t, open, 2)
	assert.Equal(t, []string{"do c", "do a"}, []string{open[0].Do, open[1].Do})
	require.NoError(t, again.Settle(open[0].Number))
	require.NoError(t, again.Close())
	assert.FileExists(t, Marker(file), "one is left")

	again, _, err = Read(folder)
	require.NoError(t, err)
	require.Len(t, again.Open(), 1)
	require.NoError(t, again.Settle(1))
	require.NoError(t, again.Close())
	assert.NoFileExists(t, Marker(file))
	assert.NoFileExists(t, filepath.Join(folder, FileName))
	_, _, err = Read(folder)
	assert.ErrorContains(t, err, "holds no journal of actions")
}

// TestRunThatBrokeOffIsNamed: who names the folder that a run was to have is told of the one that it left.
func TestRunThatBrokeOffIsNamed(t *testing.T) {
	dir := t.TempDir()
	wanted, left := filepath.Join(dir, "ak"), filepath.Join(dir, "ak.c4ec.partial")
	_, _, err := Read(wanted)
	require.ErrorContains(t, err, "agstest history list")
	j, err := Begin(left, filepath.Join(dir, "staging.yaml"), false)
	require.NoError(t, err)
	_, err = j.Note("suspend", "undo")
	require.NoError(t, err)
	_, _, err = Read(wanted)
	assert.ErrorContains(t, err, "broke off and left "+left+", which has something to put back: agstest restore "+left)
	require.NoError(t, j.Close())
}

// TestJournalThatIsPassedOver stays to be put back, and its mark is that of the later run.
func TestJournalThatIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "staging.yaml")
	first, err := Begin(filepath.Join(dir, "1"), file, false)
	require.NoError(t, err)
	_, err = first.Note("do", "undo")
	require.NoError(t, err)
	second, err := Begin(filepath.Join(dir, "2"), file, true)
	require.NoError(t, err)
	require.NoError(t, second.Close())
	assert.NoFileExists(t, Marker(file))
	again, _, err := Read(filepath.Join(dir, "1"))
	require.NoError(t, err)
	require.NoError(t, again.Settle(again.Open()[0].Number))
	require.NoError(t, again.Close())
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "3"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "3", FileName), []byte("no journal\n"), 0o600))
	_, _, err = Read(filepath.Join(dir, "3"))
	assert.ErrorContains(t, err, "is no journal of actions")
}

// TestMovedMark: the mark names the folder as it is called at last.
func TestMovedMark(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "staging.yaml")
	_, err := Begin(filepath.Join(dir, "1"), file, false)
	require.NoError(t, err)
	require.NoError(t, Moved(file, filepath.Join(dir, "another"), filepath.Join(dir, "x")))
	require.NoError(t, Moved(file, filepath.Join(dir, "1"), filepath.Join(dir, "2")))
	text, err := os.ReadFile(Marker(file))
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "2"), string(text))
}
