package wholefile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "run.json")
	names := func() (found []string) {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, e := range entries {
			found = append(found, e.Name())
		}
		return found
	}
	require.NoError(t, Write(path, 0o600, Text([]byte("first"))))
	broken := errors.New("no more")
	err := Write(path, 0o644, func(file *os.File) error {
		_, _ = file.WriteString("half of the seco")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "first", string(text), "a reader sees the old file until the new one is whole")
		return broken
	})
	assert.ErrorIs(t, err, broken)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "first", string(text), "an error leaves the old file")
	assert.Equal(t, []string{"run.json"}, names(), "and nothing beside it")

	require.NoError(t, Write(path, 0o644, Text([]byte("second"))))
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "second", string(text))
	assert.Equal(t, []string{"run.json"}, names())
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.EqualValues(t, 0o644, info.Mode().Perm())
	}
	require.NoError(t, os.Mkdir(filepath.Join(folder, "taken"), 0o700))
	require.Error(t, Write(filepath.Join(folder, "taken"), 0o600, Text(nil)), "a folder stands there")
	require.Error(t, Write(filepath.Join(folder, "nowhere", "x"), 0o600, Text(nil)))
	assert.Equal(t, []string{"run.json", "taken"}, names())
}
