//go:build linux

package cluster

import (
	"context"
	"os"
	"path/filepath"
)

func buildAgstest(ctx context.Context, cache string, p *Parts) error {
	folder := filepath.Join(cache, "agstest")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	pause := filepath.Join(folder, "pause")
	if _, err := run(ctx, "", []string{"CGO_ENABLED=0", "GOWORK=off"}, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", pause, "./pause"); err != nil {
		return err
	}
	if _, err := run(ctx, "", nil, os.Getenv("MKIMAGE"), PauseImage, pause, pause+".tar"); err != nil {
		return err
	}
	p.Images = append(p.Images, pause+".tar")
	return nil
}
