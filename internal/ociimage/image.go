// Package ociimage writes a container image of one static program, without a daemon and without a registry: an archive
// in the OCI image layout, which "ctr images import", "kind load image-archive", "docker load" and tools for registries
// read. The same input gives the same bytes.
//
// The formats: https://github.com/opencontainers/image-spec (image-layout.md, manifest.md, config.md), and Docker's
// manifest.json beside them for versions of Docker that do not read the layout.
package ociimage

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// Image is the content of an image.
type Image struct {
	Name     Name     // under which it is loaded
	Platform Platform // of the program
	Program  []byte   // becomes /agstest and the entry point
	Roots    []byte   // certificates in PEM that TLS trusts; empty: none
}

// User and group of the process: without rights, and not in the way of a rule that forbids root.
const nobody = 65532

const (
	program = "agstest"
	roots   = "etc/ssl/certs/ca-certificates.crt" // where Go looks first on Linux
)

// descriptor points to a blob: https://github.com/opencontainers/image-spec/blob/main/descriptor.md
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type configuration struct {
	Created      string  `json:"created"`
	Architecture string  `json:"architecture"`
	OS           string  `json:"os"`
	Config       process `json:"config"`
	RootFS       rootFS  `json:"rootfs"`
}

type process struct {
	User       string
	Env        []string
	Entrypoint []string
	WorkingDir string
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

// dockerImage is the entry of manifest.json.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// Write writes the archive and tells the digest of the image. A tool that compresses the layer on its way gives it
// another.
func (i Image) Write(w io.Writer) (digest string, err error) {
	layer, err := i.layer()
	if err != nil {
		return "", err
	}
	config, err := json.Marshal(configuration{
		Created: "1970-01-01T00:00:00Z", Architecture: i.Platform.Architecture, OS: i.Platform.OS,
		Config: process{
			User: strconv.Itoa(nobody) + ":" + strconv.Itoa(nobody), Env: []string{"PATH=/"},
			Entrypoint: []string{"/" + program}, WorkingDir: "/",
		},
		// a layer that is not compressed is its own difference
		RootFS: rootFS{Type: "layers", DiffIDs: []string{digestOf(layer)}},
	})
	if err != nil {
		return "", err
	}
	image, err := json.Marshal(manifest{
		SchemaVersion: 2, MediaType: "application/vnd.oci.image.manifest.v1+json",
		Config: describe("application/vnd.oci.image.config.v1+json", config),
		Layers: []descriptor{describe("application/vnd.oci.image.layer.v1.tar", layer)},
	})
	if err != nil {
		return "", err
	}
	entry := describe("application/vnd.oci.image.manifest.v1+json", image)
	entry.Annotations = map[string]string{"io.containerd.image.name": i.Name.Full(),
		"org.opencontainers.image.ref.name": i.Name.Tag}
	list, err := json.Marshal(index{SchemaVersion: 2, MediaType: "application/vnd.oci.image.index.v1+json",
		Manifests: []descriptor{entry}})
	if err != nil {
		return "", err
	}
	docker, err := json.Marshal([]dockerImage{{Config: blob(config), RepoTags: []string{i.Name.String()},
		Layers: []string{blob(layer)}}})
	if err != nil {
		return "", err
	}
	a := newArchive(w)
	a.file("oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`))
	a.file("index.json", 0o644, list)
	a.file("manifest.json", 0o644, docker)
	a.folder("blobs/", 0o755)
	a.folder("blobs/sha256/", 0o755)
	for _, content := range [][]byte{image, config, layer} {
		a.file(blob(content), 0o644, content)
	}
	return entry.Digest, a.close()
}

// layer is the file system of the image.
func (i Image) layer() ([]byte, error) {
	var b bytes.Buffer
	a := newArchive(&b)
	a.file(program, 0o755, i.Program)
	a.folder("etc/", 0o755)
	a.file("etc/passwd", 0o644, []byte("nobody:x:65532:65532:nobody:/:/sbin/nologin\n"))
	a.file("etc/group", 0o644, []byte("nobody:x:65532:\n"))
	if len(i.Roots) > 0 {
		a.folder("etc/ssl/", 0o755)
		a.folder("etc/ssl/certs/", 0o755)
		a.file(roots, 0o644, i.Roots)
	}
	a.folder("tmp/", 0o1777)
	return b.Bytes(), a.close()
}

// archive is a tar whose entries differ in nothing but name, mode and content. The first error stays.
type archive struct {
	tar *tar.Writer
	err error
}

func newArchive(w io.Writer) *archive { return &archive{tar: tar.NewWriter(w)} }

func (a *archive) entry(h tar.Header) {
	h.ModTime, h.Format = time.Unix(0, 0), tar.FormatUSTAR
	if a.err == nil {
		a.err = a.tar.WriteHeader(&h)
	}
}

func (a *archive) folder(name string, mode int64) {
	a.entry(tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode})
}

func (a *archive) file(name string, mode int64, content []byte) {
	a.entry(tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content))})
	if a.err == nil {
		_, a.err = a.tar.Write(content)
	}
}

func (a *archive) close() error {
	if a.err == nil {
		a.err = a.tar.Close()
	}
	return a.err
}

func describe(mediaType string, content []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: digestOf(content), Size: len(content)}
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func blob(content []byte) string { return "blobs/sha256/" + digestOf(content)[len("sha256:"):] }
