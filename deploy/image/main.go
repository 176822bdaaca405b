// Command image writes the container image of a release: an archive in the OCI image layout with one image for each
// binary that it is given, in an index that registries and clusters choose from. It is a module of its own, so that
// what writes images is no part of agstest.
//
//	go run . -output agstest-image.tar -name agstest:1.2.3 -revision COMMIT -created 0 -roots ca-certificates.crt agstest-linux-amd64 agstest-linux-arm64
//
// The same input gives the same bytes. The digest of the index is printed.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user and group of the process: without rights, and not in the way of a rule that forbids root.
const user = "65532:65532"

// order lists the parts of an image.
type order struct {
	output, name, revision, roots, licences string
	created                                 int64 // seconds since 1970
	binaries                                []string
}

func main() {
	var o order
	flag.StringVar(&o.output, "output", "", "the archive to write")
	flag.StringVar(&o.name, "name", "", "name and tag of the image")
	flag.StringVar(&o.revision, "revision", "", "the commit that it was built from")
	flag.StringVar(&o.roots, "roots", "/etc/ssl/certs/ca-certificates.crt", "CA roots in PEM that TLS trusts")
	flag.StringVar(&o.licences, "licences", "", "a text with the licences of what is built in")
	flag.Int64Var(&o.created, "created", 0, "time of the image, in seconds since 1970")
	flag.Parse()
	o.binaries = flag.Args()
	digest, err := o.write()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	fmt.Println(digest)
}

// write writes the archive and gives the digest of the index.
func (o order) write() (string, error) {
	if o.output == "" || len(o.binaries) == 0 {
		return "", errors.New("-output and at least one binary are needed")
	}
	reference, err := name.NewTag(o.name)
	if err != nil {
		return "", fmt.Errorf("-name: %w", err)
	}
	if !strings.HasSuffix(o.name, ":"+reference.TagStr()) {
		return "", fmt.Errorf("-name must be a name with a tag, such as registry.example.com/qa/agstest:1.2.3, not %q",
			o.name)
	}
	roots, err := os.ReadFile(o.roots)
	if err != nil {
		return "", err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(roots) {
		return "", fmt.Errorf("%s holds no certificate", o.roots)
	}
	list := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	seen := map[string]bool{}
	for _, binary := range o.binaries {
		platform, image, err := o.image(binary, roots, reference.TagStr())
		if err != nil {
			return "", err
		}
		if seen[platform.String()] {
			return "", fmt.Errorf("%s is a second binary for %s", binary, platform)
		}
		seen[platform.String()] = true
		list = mutate.AppendManifests(list,
			mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	digest, err := list.Digest()
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(filepath.Dir(o.output), ".image-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return "", err
	}
	// The names by which containerd and others know what they load.
	if err := path.AppendIndex(list, layout.WithAnnotations(map[string]string{
		"io.containerd.image.name":          strings.TrimPrefix(reference.Name(), "index."),
		"org.opencontainers.image.ref.name": reference.TagStr(),
	})); err != nil {
		return "", err
	}
	return digest.String(), pack(folder, o.output)
}

// image is the image of one binary, and the platform that it is for.
func (o order) image(path string, roots []byte, version string) (*v1.Platform, v1.Image, error) {
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	architecture, err := architectureOf(path, program)
	if err != nil {
		return nil, nil, err
	}
	licences := []byte{}
	if o.licences != "" {
		if licences, err = os.ReadFile(o.licences); err != nil {
			return nil, nil, err
		}
	}
	files, err := files(program, roots, licences)
	if err != nil {
		return nil, nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files)),
			nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, nil, err
	}
	created := v1.Time{Time: time.Unix(o.created, 0).UTC()}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: created,
		CreatedBy: "agstest, CA roots, licences"}}); err != nil {
		return nil, nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", architecture, created
	config.Config = v1.Config{
		User: user, Entrypoint: []string{"/agstest"}, WorkingDir: "/", Env: []string{"PATH=/"},
		Labels: map[string]string{
			"org.opencontainers.image.title": "agstest", "org.opencontainers.image.licenses": "MIT",
			"org.opencontainers.image.version": version, "org.opencontainers.image.revision": o.revision,
			"org.opencontainers.image.description": "Checks and loads an Authentication Gateway Service, and reports what it " +
				"found.",
		},
	}
	image, err = mutate.ConfigFile(image, config)
	return &v1.Platform{OS: "linux", Architecture: architecture}, image, err
}

// architectureOf refuses what would not run in an image without any file beside it.
func architectureOf(path string, program []byte) (string, error) {
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return "", fmt.Errorf("%s is no program for Linux: %w", path, err)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is no static program: build it with CGO_ENABLED=0", path)
		}
	}
	switch file.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	}
	return "", fmt.Errorf("%s is for %v, neither amd64 nor arm64", path, file.Machine)
}

// files is the file system of an image.
func files(program, roots, licences []byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		mode int64
		text []byte
	}{
		{"agstest", 0o755, program},
		{"etc/", 0o755, nil}, {"etc/passwd", 0o644, []byte("nobody:x:65532:65532:nobody:/:/sbin/nologin\n")},
		{"etc/group", 0o644, []byte("nobody:x:65532:\n")},
		{"etc/ssl/", 0o755, nil}, {"etc/ssl/certs/", 0o755, nil}, {"etc/ssl/certs/ca-certificates.crt", 0o644, roots},
		{"licences.txt", 0o644, licences}, {"tmp/", 0o1777, nil},
	} {
		kind := byte(tar.TypeReg)
		if strings.HasSuffix(f.name, "/") {
			kind = tar.TypeDir
		}
		if err := w.WriteHeader(&tar.Header{Name: f.name, Typeflag: kind, Mode: f.mode, Size: int64(len(f.text)),
			ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.text); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}

// pack makes an archive of a folder, in the order of names and without times, whole or not at all.
func pack(folder, output string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(output), ".image-*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	w := tar.NewWriter(file)
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return w.WriteHeader(&tar.Header{Name: filepath.ToSlash(relative) + "/", Typeflag: tar.TypeDir, Mode: 0o755,
				ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR})
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(relative), Typeflag: tar.TypeReg, Mode: 0o644,
			Size: int64(len(text)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Chmod(file.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(file.Name(), output)
	}
	return err
}
