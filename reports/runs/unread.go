package runs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"agstest/reports"
)

// Unread says why runs below root are not among the listed ones: they are there, and a file of theirs cannot be read.
// Folders that hold no run are none.
func Unread(root string, listed []reports.Entry) []error {
	folders, err := os.ReadDir(root)
	if err != nil {
		return nil // List tells it
	}
	var found []error
	for _, folder := range folders {
		name := folder.Name()
		known := slices.ContainsFunc(listed, func(e reports.Entry) bool { return e.Folder == name })
		if known || !folder.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		if _, err := Read(filepath.Join(root, name)); err != nil && !errors.Is(err, ErrNoRun) {
			found = append(found, err)
		}
	}
	return found
}
