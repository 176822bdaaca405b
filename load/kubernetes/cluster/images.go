//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"agstest/internal/ociimage"
)

// The images that the nodes hold.
const (
	PauseImage   = "agstest.test/pause:1"
	AgstestImage = "agstest.test/agstest:1"
)

// stamp is the version of both programs: shards and coordinator refuse one another where it differs.
const stamp = "-s -w -X main.version=cluster-test"

// buildAgstest builds the tree of this module twice, as it is shipped for the pods and with the tag kubernetes for the
// coordinator, and writes the images: that of agstest with agstest image.
func buildAgstest(ctx context.Context, cache string, p *Parts) error {
	folder := filepath.Join(cache, "agstest")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	p.Agstest, p.Coordinator = filepath.Join(folder, "agstest"), filepath.Join(folder, "agstest-kubernetes")
	pause := filepath.Join(folder, "pause")
	static := []string{"CGO_ENABLED=0", "GOWORK=off"}
	root := filepath.Join("..", "..", "..")
	for _, build := range []struct {
		in, tags, flags, output, source string
	}{
		{root, "", stamp, p.Agstest, "./cmd/agstest"},
		{root, "kubernetes", stamp, p.Coordinator, "./cmd/agstest"},
		{"", "", "-s -w", pause, "./pause"},
	} {
		if _, err := run(ctx, build.in, static, "go", "build", "-trimpath", "-buildvcs=false", "-tags", build.tags,
			"-ldflags", build.flags, "-o", build.output, build.source); err != nil {
			return err
		}
	}
	p.Images = []string{p.Agstest + ".tar", pause + ".tar"}
	if _, err := run(ctx, "", nil, p.Agstest, "image", "--output", p.Images[0], "--name", AgstestImage, "--platform",
		"linux/"+runtime.GOARCH); err != nil {
		return err
	}
	return writePause(p.Images[1], pause)
}

// writePause writes the image of the process that holds a pod's namespaces. agstest image refuses to write it, since
// the process is not agstest.
func writePause(path, program string) error {
	image := ociimage.Image{Platform: ociimage.Platform{OS: "linux", Architecture: runtime.GOARCH}}
	var err error
	if image.Name, err = ociimage.ReadName(PauseImage, ""); err != nil {
		return err
	}
	if image.Program, err = os.ReadFile(program); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err = image.Write(f); err != nil {
		err = fmt.Errorf("writing the image %s: %w", PauseImage, err)
	}
	return errors.Join(err, f.Close())
}
