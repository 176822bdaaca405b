package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A small program of this module's name stands for agstest: what is written does not depend on what it does.
func TestImageCommand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	source := filepath.Join(folder, "source")
	for file, text := range map[string]string{"go.mod": "module agstest\n\ngo 1.26.0\n", "cmd/agstest/main.go": "package main\n\nfunc main() {}\n", "cmd/other/main.go": "package main\n\nfunc main() {}\n"} {
		path := filepath.Join(source, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	for _, name := range []string{"agstest", "other"} {
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(folder, name), "./cmd/"+name)
		build.Dir = source
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		out, err := build.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	binary, archive, roots := filepath.Join(folder, "agstest"), filepath.Join(folder, "agstest.tar"), filepath.Join(folder, "ca.pem")
	require.NoError(t, os.WriteFile(roots, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o600))

	write := func() (text []byte, stdout string) {
		code, stdout, stderr := call(t, nil, "image", "--output", archive, "--binary", binary, "--name", "registry.test/qa/agstest:1.0", "--ca", roots)
		require.Zero(t, code, stderr)
		text, err := os.ReadFile(archive)
		require.NoError(t, err)
		return text, stdout
	}
	first, stdout := write()
	assert.Regexp(t, "^"+archive+"\nregistry.test/qa/agstest:1.0 for linux/amd64\nsha256:[0-9a-f]{64}\n$", stdout)
	assert.Contains(t, string(first), "AAAA", "the roots are in")
	second, again := write()
	assert.Equal(t, first, second, "the same input gives the same bytes")
	assert.Equal(t, stdout, again)
	left, err := filepath.Glob(filepath.Join(folder, ".*"))
	require.NoError(t, err)
	assert.Empty(t, left, "no half file stays")

	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no output", nil, "agstest: agstest image needs --output FILE, the archive to write\n"},
		{"no program", []string{"--output", archive, "--binary", roots}, "agstest: " + roots + " is no program for Linux; take the binary agstest-linux-amd64 of the release, or build one with CGO_ENABLED=0\n"},
		{"another program", []string{"--output", archive, "--binary", filepath.Join(folder, "other")}, "agstest: " + filepath.Join(folder, "other") + " is not agstest\n"},
		{"another platform", []string{"--output", archive, "--binary", binary, "--platform", "linux/arm64"}, "agstest: " + binary + " is not for linux/arm64 (it is for X86_64); give the --platform that it was built for\n"},
		{"an unknown platform", []string{"--output", archive, "--platform", "windows/amd64"}, `agstest: the platform of an image must be linux/amd64 or linux/arm64, not "windows/amd64"` + "\n"},
		{"a name", []string{"--output", archive, "--name", "QA"}, `agstest: "QA" is no name of an image; write REPOSITORY:TAG in lower case, such as registry.example.com/qa/agstest:1.0` + "\n"},
		{"no roots in the file", []string{"--output", archive, "--binary", binary, "--ca", binary}, "agstest: cannot read the CA roots for the image, " + binary + ": line 1 holds a zero byte"},
		{"no folder", []string{"--output", filepath.Join(folder, "none", "a.tar"), "--binary", binary, "--ca", roots}, "agstest: cannot write the image: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, append([]string{"image"}, test.args...)...)
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
			text, err := os.ReadFile(archive)
			require.NoError(t, err)
			assert.Equal(t, first, text, "the archive that is there stays as it is")
		})
	}
	if runtime.GOARCH != "arm64" {
		code, _, stderr := call(t, nil, "image", "--output", archive, "--platform", "linux/arm64")
		assert.Equal(t, 2, code)
		assert.Contains(t, stderr, "give --binary agstest-linux-arm64 of the same release")
	}
}
