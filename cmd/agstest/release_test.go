package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReleasesAreReproducible builds the release binary from two folders: the bytes are the same, and within the budget
// for its size. Where the tests are built for Kubernetes, it is that flavour's.
func TestReleasesAreReproducible(t *testing.T) {
	t.Parallel()
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

	budget := 32 << 20
	if flavour == "kubernetes" {
		budget = 55 << 20
	}
	build := func(folder, name string) [32]byte {
		target := filepath.Join(elsewhere, name)
		require.NoError(t, buildProgram(filepath.Join(folder, "cmd", "agstest"), target, "-X main.version=test -X main.commit=test", "GOOS=linux", "GOARCH=amd64"))
		binary, err := os.ReadFile(target)
		require.NoError(t, err)
		assert.Less(t, len(binary), budget, "bytes of the binary")
		assert.False(t, bytes.Contains(binary, []byte(folder)), "the binary names the folder it was built in")
		return sha256.Sum256(binary)
	}
	assert.Equal(t, build(root, "first"), build(filepath.Join(elsewhere, "source"), "second"))
}

// buildProgram builds agstest from the source in folder as a release is built, with more flags for the linker and more
// variables.
func buildProgram(folder, target, stamp string, variables ...string) error {
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", flavour,
		"-ldflags", "-s -w -buildid= "+stamp, "-o", target, ".")
	build.Dir = folder
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0"), variables...)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// TestOnlyListedLibrariesAreBuiltIn compares the modules in the binary with the list in README: whoever adds one gives
// its reason there. The flavour with the engine for Kubernetes has a list of its own, licencesOfKubernetes; of what it
// holds beyond the other only the modules that our code imports stand in README.
func TestOnlyListedLibrariesAreBuiltIn(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	lean := builtIn(t, "")
	assert.Greater(t, len(lean), 10)
	for module := range lean {
		assert.False(t, strings.HasPrefix(module, "k8s.io/"), "%s is built into the flavour without Kubernetes", module)
		assert.True(t, strings.Contains(string(readme), "`"+module+"`"), "%s is built in and README does not list it", module)
	}
	if flavour == "" {
		return
	}
	direct, err := exec.Command("go", "list", "-m", "-f", "{{if not .Indirect}}{{.Path}}{{end}}", "all").Output()
	require.NoError(t, err)
	full := builtIn(t, flavour)
	assert.Greater(t, len(full), len(lean)+20)
	for module := range full {
		if !lean[module] {
			assert.NotEmpty(t, licences[module], "%s is built in and licencesOfKubernetes does not list it", module)
		}
	}
	for module := range strings.FieldsSeq(string(direct)) {
		if full[module] && !lean[module] {
			assert.True(t, strings.Contains(string(readme), "`"+module+"`"), "%s is built in and README does not list it", module)
		}
	}
}

// builtIn are the modules of others that the binary holds with the build tags.
func builtIn(t *testing.T, tags string) map[string]bool {
	t.Helper()
	out, err := exec.Command("go", "list", "-tags", tags, "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".").Output()
	require.NoError(t, err)
	modules := map[string]bool{}
	for module := range strings.FieldsSeq(string(out)) {
		modules[module] = true
	}
	return modules
}
