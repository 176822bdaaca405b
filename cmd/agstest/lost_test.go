package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInitWritesAnewOrNotAtAll: what is written over stays until the new file is whole, so that a full disk loses
// nothing: the old file is not opened, as its second name shows.
func TestInitWritesAnewOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staging.yaml")
	require.NoError(t, os.WriteFile(path, []byte("url: https://mine.example.com\n"), 0o600))
	require.NoError(t, os.Link(path, path+".second"))
	code, _, stderr := call(t, nil, "init", path, "--force")
	require.Equal(t, exitPass, code, stderr)
	old, err := os.ReadFile(path + ".second")
	require.NoError(t, err)
	assert.Equal(t, "url: https://mine.example.com\n", string(old))
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(written), "url: https://api.staging.example.com")
}

// TestOwnMockFile: the environment file of a mock takes the place of nothing but that of an earlier one.
func TestOwnMockFile(t *testing.T) {
	dir := t.TempDir()
	for content, refused := range map[string]bool{
		"": false,
		"# The embedded mock. Its secrets are made up at each start and of use nowhere else.\nname: mock\n": false,
		"# The embedded mocking bird\n":   true,
		"#":                               true,
		"url: https://mine.example.com\n": true,
	} {
		path := filepath.Join(dir, "mine.yaml")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		err := ownMockFile(path)
		if refused {
			assert.EqualError(t, err, path+" is there already and no mock wrote it, so it is left alone: name another "+
				"file with --environment", content)
			continue
		}
		assert.NoError(t, err, content)
	}
	assert.NoError(t, ownMockFile(filepath.Join(dir, "not-there.yaml")))
	assert.NoError(t, ownMockFile(os.DevNull))
	assert.NoError(t, ownMockFile(filepath.Join(dir, "no-folder", "mock.yaml")))
}
