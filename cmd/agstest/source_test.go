package main

import (
	"io/fs"
	"os"
	"strings"
)

// source is the tree of a repository without what is not needed to build: runs, builds, packages of npm and the
// history.
type source struct{ fs.FS }

func onlySource(root string) fs.FS { return source{os.DirFS(root)} }

// ReadDir leaves out folders that hold no source.
func (s source) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.FS, name)
	var kept []fs.DirEntry
	for _, entry := range entries {
		switch {
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "out" || entry.Name() == "bin" || entry.Name() == "dist"):
		case !entry.IsDir() && !entry.Type().IsRegular():
		default:
			kept = append(kept, entry)
		}
	}
	return kept, err
}
