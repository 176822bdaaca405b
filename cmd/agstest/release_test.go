package main

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReleasesAreReproducible builds the release binary from two folders: the bytes are the same, and within the budget for its size.
func TestReleasesAreReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("two builds take a while; left out with -short")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	recipe, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	for _, part := range []string{"CGO_ENABLED=0", "-trimpath", "-buildvcs=false", "-s -w -buildid="} {
		require.Contains(t, string(recipe), part, "make release builds as this test does")
	}
	elsewhere := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(elsewhere, "source"), onlySource(root)))

	build := func(folder, name string) [32]byte {
		target := filepath.Join(elsewhere, name)
		command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.version=test -X main.commit=test", "-o", target, "./cmd/agstest")
		command.Dir = folder
		command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
		binary, err := os.ReadFile(target)
		require.NoError(t, err)
		assert.Less(t, len(binary), 25<<20, "bytes of the binary")
		assert.False(t, bytes.Contains(binary, []byte(folder)), "the binary names the folder it was built in")
		return sha256.Sum256(binary)
	}
	assert.Equal(t, build(root, "first"), build(filepath.Join(elsewhere, "source"), "second"))
}

// TestOnlyListedLibrariesAreBuiltIn compares the modules in the binary with the list in README: whoever adds one gives its reason there.
func TestOnlyListedLibrariesAreBuiltIn(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".").Output()
	require.NoError(t, err)
	modules := map[string]bool{}
	for module := range strings.FieldsSeq(string(out)) {
		modules[module] = true
	}
	assert.Greater(t, len(modules), 10)
	for module := range modules {
		assert.Contains(t, string(readme), "`"+module+"`", "a module is built in that README does not list")
	}
}
