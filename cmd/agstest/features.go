package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/reports"
)

// featureDir is a folder of feature files that remembers where it is.
type featureDir struct {
	fs.FS
	path string
}

func featureFolder(path string) (fs.FS, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, failure.Usagef("cannot read the folder of feature files %s: %w", path, userfile.WithoutPath(err))
	}
	if !info.IsDir() {
		return nil, failure.Usagef("%s is a file; give the folder of feature files that it is in", path)
	}
	return featureDir{os.DirFS(path), path}, nil
}

// placeFeatures sets the path of each feature file of the user in the repository around the current folder (without
// one: below the current folder), so that a pipeline can point to its lines. Files elsewhere get no path, and neither
// do the built-in files.
func placeFeatures(c *reports.Conformance, features fs.FS) {
	dir, ok := features.(featureDir)
	if !ok {
		return
	}
	root, err := os.Getwd()
	if err != nil {
		return
	}
	root = repositoryAround(root)
	for i := range c.Features {
		name, own := strings.CutPrefix(c.Features[i].File, "own/")
		if !own {
			continue
		}
		place, err := filepath.Abs(filepath.Join(dir.path, filepath.FromSlash(name)))
		if err != nil {
			continue
		}
		if place, err = filepath.Rel(root, place); err == nil && filepath.IsLocal(place) {
			c.Features[i].Path = filepath.ToSlash(place)
		}
	}
}

// repositoryAround is the nearest folder around dir, itself included, that holds .git; without one, dir.
func repositoryAround(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}
