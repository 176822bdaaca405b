package main

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// built is agstest as a release is built, for this machine.
func built(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: images are for Linux")
	}
	path := filepath.Join(t.TempDir(), "agstest")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", path, "./cmd/agstest")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// other is the same program with the head of one for another processor: nobody runs it here.
func other(t *testing.T, program string) string {
	t.Helper()
	text, err := os.ReadFile(program)
	require.NoError(t, err)
	text[18] = map[bool]byte{true: 0xB7, false: 0x3E}[runtime.GOARCH == "amd64"] // e_machine: AArch64, x86-64
	path := program + "-other"
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// unpack unpacks an archive below a folder.
func unpack(t *testing.T, r io.Reader, folder string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o755))
	for archive := tar.NewReader(r); ; {
		entry, err := archive.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(entry.Name), entry.Name)
		path := filepath.Join(folder, filepath.FromSlash(entry.Name))
		if entry.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(path, 0o755))
			require.NoError(t, os.Chmod(path, entry.FileInfo().Mode()))
			continue
		}
		text, err := io.ReadAll(archive)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, entry.FileInfo().Mode().Perm()))
	}
}

// TestImageIsReadUnpackedAndRun: the library reads the archive back as a valid index of two platforms; the one of this
// machine is unpacked and checks its own mock, as a user without rights; and the same input gives the same bytes.
func TestImageIsReadUnpackedAndRun(t *testing.T) {
	program, dir := built(t), t.TempDir()
	licences := filepath.Join(dir, "licences.txt")
	require.NoError(t, os.WriteFile(licences, []byte("MIT\n"), 0o600))
	roots := filepath.Join(dir, "roots.pem")
	require.NoError(t, os.WriteFile(roots, certificate(t), 0o600))
	o := order{output: filepath.Join(dir, "image.tar"), name: "registry.example.com/qa/agstest:1.2.3", revision: "abc", created: 1_700_000_000, roots: roots, licences: licences, binaries: []string{program, other(t, program)}}
	digest, err := o.write()
	require.NoError(t, err)
	archive, err := os.ReadFile(o.output)
	require.NoError(t, err)
	again, err := o.write()
	require.NoError(t, err)
	assert.Equal(t, digest, again)
	second, err := os.ReadFile(o.output)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(archive, second), "the same input gives the same bytes")

	unpack(t, bytes.NewReader(archive), filepath.Join(dir, "layout"))
	path, err := layout.FromPath(filepath.Join(dir, "layout"))
	require.NoError(t, err)
	outer, err := path.ImageIndex()
	require.NoError(t, err)
	outside, err := outer.IndexManifest()
	require.NoError(t, err)
	require.Len(t, outside.Manifests, 1)
	assert.Equal(t, digest, outside.Manifests[0].Digest.String())
	assert.Equal(t, "registry.example.com/qa/agstest:1.2.3", outside.Manifests[0].Annotations["io.containerd.image.name"])
	list, err := outer.ImageIndex(outside.Manifests[0].Digest)
	require.NoError(t, err)
	require.NoError(t, validate.Index(list))
	inside, err := list.IndexManifest()
	require.NoError(t, err)
	platforms, folder := []string{}, filepath.Join(dir, "root")
	for _, entry := range inside.Manifests {
		platforms = append(platforms, entry.Platform.String())
		image, err := list.Image(entry.Digest)
		require.NoError(t, err)
		config, err := image.ConfigFile()
		require.NoError(t, err)
		assert.Equal(t, entry.Platform.Architecture, config.Architecture)
		assert.Equal(t, []any{"65532:65532", []string{"/agstest"}, "1.2.3", "abc", "MIT"}, []any{config.Config.User, config.Config.Entrypoint,
			config.Config.Labels["org.opencontainers.image.version"], config.Config.Labels["org.opencontainers.image.revision"], config.Config.Labels["org.opencontainers.image.licenses"]})
		if entry.Platform.Equals(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}) {
			files := mutate.Extract(image)
			unpack(t, files, folder)
			require.NoError(t, files.Close())
		}
	}
	assert.ElementsMatch(t, []string{"linux/amd64", "linux/arm64"}, platforms)
	pem, err := os.ReadFile(filepath.Join(folder, "etc/ssl/certs/ca-certificates.crt"))
	require.NoError(t, err)
	assert.Contains(t, string(pem), "BEGIN CERTIFICATE")

	require.NoError(t, os.Chmod(dir, 0o755))
	for _, arguments := range [][]string{{"version"}, {"conform", "--only", "REF-01", "--out", "/tmp/run"}} {
		command, confined := confined(t, folder, arguments)
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s (confined: %v)", out, confined)
		if arguments[0] == "conform" {
			assert.Contains(t, string(out), "Verdict: PASS")
		}
	}
}

// TestImageRefuses: what would not run, or would trust nobody, is refused with a sentence, and no file is left.
func TestImageRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	roots := at("roots.pem", string(certificate(t)))
	for want, o := range map[string]order{
		"at least one binary":     {output: at("o", "kept"), name: "agstest:1"},
		"-name must be":           {output: at("o", "kept"), name: "agstest", binaries: []string{"x"}},
		"holds no certificate":    {output: at("o", "kept"), name: "a/agstest:1", roots: at("empty.pem", "nothing"), binaries: []string{"x"}},
		"is no program for Linux": {output: at("o", "kept"), name: "a/agstest:1", roots: roots, binaries: []string{at("script", "#!/bin/sh\n")}},
		"is no static program":    {output: at("o", "kept"), name: "a/agstest:1", roots: roots, binaries: []string{"/bin/true"}},
	} {
		if strings.Contains(want, "static") && runtime.GOOS != "linux" {
			continue
		}
		_, err := o.write()
		assert.ErrorContains(t, err, want)
		text, err := os.ReadFile(o.output)
		require.NoError(t, err)
		assert.Equal(t, "kept", string(text))
	}
}

// TestWhatAgstestWritesIsRead: the library finds nothing wrong with the image that "agstest image" writes, which has no
// library for it.
func TestWhatAgstestWritesIsRead(t *testing.T) {
	program, dir := built(t), t.TempDir()
	roots, output := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "image.tar")
	require.NoError(t, os.WriteFile(roots, certificate(t), 0o600))
	out, err := exec.CommandContext(t.Context(), program, "image", "--output", output, "--ca", roots, "--name", "registry.example.com/qa/agstest:1", "--platform", "linux/"+runtime.GOARCH).CombinedOutput()
	require.NoError(t, err, string(out))
	archive, err := os.Open(output)
	require.NoError(t, err)
	defer archive.Close()
	unpack(t, archive, filepath.Join(dir, "layout"))
	path, err := layout.FromPath(filepath.Join(dir, "layout"))
	require.NoError(t, err)
	index, err := path.ImageIndex()
	require.NoError(t, err)
	require.NoError(t, validate.Index(index, validate.Fast)) // the library takes every layer for a compressed one, which these need not be
	tag, err := name.NewTag("registry.example.com/qa/agstest:1")
	require.NoError(t, err)
	docker, err := tarball.ImageFromPath(output, &tag) // Docker's own form, beside the layout
	require.NoError(t, err)
	require.NoError(t, validate.Image(docker, validate.Fast))
	folder := filepath.Join(dir, "root")
	files := mutate.Extract(docker)
	unpack(t, files, folder)
	require.NoError(t, files.Close())
	there, err := os.ReadFile(filepath.Join(folder, "agstest"))
	require.NoError(t, err)
	want, err := os.ReadFile(program)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, there))
	digest, err := docker.ConfigName()
	require.NoError(t, err)
	list, err := index.IndexManifest()
	require.NoError(t, err)
	image, err := index.Image(list.Manifests[0].Digest)
	require.NoError(t, err)
	same, err := image.ConfigName()
	require.NoError(t, err)
	assert.Equal(t, same, digest, "both forms are one image")
}
