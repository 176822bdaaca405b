package ociimage

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// elfFile is the head of a 64-bit program, with one program header of the kind given.
func elfFile(machine, kind uint16, header uint32) []byte {
	b := make([]byte, 64+56)
	copy(b, "\x7fELF\x02\x01\x01")
	for at, value := range map[int]uint16{16: kind, 18: machine, 52: 64, 54: 56, 56: 1, 58: 64} {
		binary.LittleEndian.PutUint16(b[at:], value)
	}
	binary.LittleEndian.PutUint32(b[20:], 1)
	binary.LittleEndian.PutUint64(b[32:], 64)
	binary.LittleEndian.PutUint32(b[64:], header)
	return b
}

const (
	amd64, arm64     = 62, 183
	executable       = 2
	loaded, loadedBy = 1, 3
)

func sample(t *testing.T) Image {
	t.Helper()
	name, err := ReadName("agstest:1.2.0", "x")
	require.NoError(t, err)
	return Image{Name: name, Platform: Platform{"linux", "amd64"}, Program: elfFile(amd64, executable, loaded), Roots: []byte("roots\n")}
}

// entries reads a tar back.
func entries(t *testing.T, archive []byte) (names []string, content map[string][]byte, headers map[string]*tar.Header) {
	t.Helper()
	content, headers = map[string][]byte{}, map[string]*tar.Header{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, content, headers
		}
		require.NoError(t, err)
		names, headers[h.Name] = append(names, h.Name), h
		content[h.Name], err = io.ReadAll(r)
		require.NoError(t, err)
		assert.Zero(t, h.ModTime.Unix(), h.Name)
		assert.Zero(t, h.Uid+h.Gid, h.Name)
		assert.Empty(t, h.Uname+h.Gname, h.Name)
	}
}

// TestImageReadBack follows the archive from its index to each file of the image, as a container runtime does.
func TestImageReadBack(t *testing.T) {
	t.Parallel()
	image := sample(t)
	var b bytes.Buffer
	digest, err := image.Write(&b)
	require.NoError(t, err)
	names, content, _ := entries(t, b.Bytes())
	blobOf := func(d descriptor) []byte {
		t.Helper()
		text := content["blobs/sha256/"+d.Digest[len("sha256:"):]]
		sum := sha256.Sum256(text)
		require.Equal(t, d.Digest, "sha256:"+hex.EncodeToString(sum[:]))
		require.Equal(t, d.Size, len(text))
		return text
	}
	assert.Equal(t, []string{"oci-layout", "index.json", "manifest.json", "blobs/", "blobs/sha256/"}, names[:5])
	assert.Len(t, names, 8)
	assert.Equal(t, `{"imageLayoutVersion":"1.0.0"}`, string(content["oci-layout"]))

	var list index
	require.NoError(t, json.Unmarshal(content["index.json"], &list))
	require.Len(t, list.Manifests, 1)
	assert.Equal(t, digest, list.Manifests[0].Digest)
	assert.Equal(t, "application/vnd.oci.image.manifest.v1+json", list.Manifests[0].MediaType)
	assert.Equal(t, map[string]string{"io.containerd.image.name": "docker.io/library/agstest:1.2.0", "org.opencontainers.image.ref.name": "1.2.0"}, list.Manifests[0].Annotations)

	var m manifest
	require.NoError(t, json.Unmarshal(blobOf(list.Manifests[0]), &m))
	assert.Equal(t, 2, m.SchemaVersion)
	assert.Equal(t, "application/vnd.oci.image.config.v1+json", m.Config.MediaType)
	require.Len(t, m.Layers, 1)
	assert.Equal(t, "application/vnd.oci.image.layer.v1.tar", m.Layers[0].MediaType)
	assert.JSONEq(t, `{"created":"1970-01-01T00:00:00Z","architecture":"amd64","os":"linux",
		"config":{"User":"65532:65532","Env":["PATH=/"],"Entrypoint":["/agstest"],"WorkingDir":"/"},
		"rootfs":{"type":"layers","diff_ids":["`+m.Layers[0].Digest+`"]}}`, string(blobOf(m.Config)))
	assert.JSONEq(t, `[{"Config":"blobs/sha256/`+m.Config.Digest[7:]+`","RepoTags":["agstest:1.2.0"],"Layers":["blobs/sha256/`+m.Layers[0].Digest[7:]+`"]}]`, string(content["manifest.json"]))

	names, content, headers := entries(t, blobOf(m.Layers[0]))
	assert.Equal(t, []string{"agstest", "etc/", "etc/passwd", "etc/group", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt", "tmp/"}, names)
	assert.Equal(t, image.Program, content["agstest"])
	assert.Equal(t, int64(0o755), headers["agstest"].Mode)
	assert.Equal(t, "roots\n", string(content["etc/ssl/certs/ca-certificates.crt"]))
	assert.Equal(t, int64(0o1777), headers["tmp/"].Mode)
	assert.Equal(t, "nobody:x:65532:65532:nobody:/:/sbin/nologin\n", string(content["etc/passwd"]))
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	var first, second, other bytes.Buffer
	one, err := sample(t).Write(&first)
	require.NoError(t, err)
	two, err := sample(t).Write(&second)
	require.NoError(t, err)
	assert.Equal(t, one, two)
	assert.Equal(t, first.Bytes(), second.Bytes())
	changed := sample(t)
	changed.Roots = nil
	three, err := changed.Write(&other)
	require.NoError(t, err)
	assert.NotEqual(t, one, three, "the digest tells other content")
}

type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestAFullDiskIsToldWhereverItHappens(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	_, err := sample(t).Write(&whole)
	require.NoError(t, err)
	for left := 0; left < whole.Len(); left += 500 {
		_, err := sample(t).Write(&full{left})
		require.ErrorIs(t, err, io.ErrShortWrite, "%d bytes", left)
	}
}

func TestReadName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, version, name, full string }{
		{"agstest", "v1.2.0", "agstest:v1.2.0", "docker.io/library/agstest:v1.2.0"},
		{"agstest", "1.2+changes", "agstest:1.2-changes", "docker.io/library/agstest:1.2-changes"},
		{"qa/agstest:2", "x", "qa/agstest:2", "docker.io/qa/agstest:2"},
		{"registry.test:5000/qa/agstest", "3", "registry.test:5000/qa/agstest:3", "registry.test:5000/qa/agstest:3"},
		{"localhost/agstest:1", "x", "localhost/agstest:1", "localhost/agstest:1"},
	} {
		n, err := ReadName(test.text, test.version)
		require.NoError(t, err, test.text)
		assert.Equal(t, test.name, n.String())
		assert.Equal(t, test.full, n.Full())
	}
	for _, text := range []string{"", "Agstest:1", "agstest:", "agstest:a b", "agstest@sha256:00", "/agstest:1", "a//b:1"} {
		_, err := ReadName(text, "1")
		require.Error(t, err, text)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
	}
}

func TestCheckProgram(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		program []byte
		want    string
	}{
		{"static", elfFile(amd64, executable, loaded), ""},
		{"dynamic", elfFile(amd64, executable, loadedBy), "bin/agstest needs the libraries of a system, which an image from scratch lacks; build it with CGO_ENABLED=0"},
		{"another machine", elfFile(arm64, executable, loaded), "bin/agstest is not for linux/amd64 (it is for AARCH64); give the --platform that it was built for"},
		{"an object file", elfFile(amd64, 1, loaded), "bin/agstest is no program for Linux; take the binary agstest-linux-amd64 of the release, or build one with CGO_ENABLED=0"},
		{"a script", []byte("#!/bin/sh\n"), "bin/agstest is no program for Linux; take the binary agstest-linux-amd64 of the release, or build one with CGO_ENABLED=0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := CheckProgram("bin/agstest", test.program, Platform{"linux", "amd64"})
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.want)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
	for _, text := range []string{"", "linux", "windows/amd64", "linux/386", "linux/amd64/v2"} {
		_, err := ReadPlatform(text)
		assert.EqualError(t, err, `the platform of an image must be linux/amd64 or linux/arm64, not "`+text+`"`)
	}
	p, err := ReadPlatform("linux/arm64")
	require.NoError(t, err)
	assert.Equal(t, "linux/arm64", p.String())
}

// A key that stands beside certificates does not get into an image, nor what is written around them.
func TestReadRootsKeepsCertificatesAlone(t *testing.T) {
	t.Parallel()
	const one = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	const key = "-----BEGIN PRIVATE KEY-----\nAAAB\n-----END PRIVATE KEY-----\n"
	roots, err := ReadRoots("ca.pem", []byte("# a comment\n"+one+key+"more\n"+one))
	require.NoError(t, err)
	assert.Equal(t, one+one, string(roots))
	_, err = ReadRoots("ca.pem", []byte(key))
	assert.EqualError(t, err, "ca.pem holds no certificate in PEM")
}
