package runs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"agstest/internal/userfile"
	"agstest/reports"
)

// A mark lies in each folder of a run from its first moment: an empty file whose name tells the run. A folder without
// such a proof is never deleted.
const markPrefix = ".agstest-run-"

// putMark marks a folder that was just made. Where it cannot, the folder goes.
func putMark(folder string, run reports.Run) error {
	file, err := os.OpenFile(filepath.Join(folder, markPrefix+short(run.ID)), os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		_ = os.Remove(folder)
		return fmt.Errorf("writing into the folder %s of the run: %w", folder, userfile.WithoutPath(err))
	}
	return nil
}

// ours returns nil for a folder that is provably that of a run: a real folder, no link, and either its mark says so or,
// for runs of versions that left none, its stored run has an id that its name ends with. If both are there, the ids of
// the mark and of the stored run must agree. Links that lead out of root are not read.
func ours(root *os.Root, name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`) {
		return errors.New("its name leads elsewhere")
	}
	info, err := root.Lstat(name)
	if err != nil {
		return userfile.WithoutPath(err)
	}
	if !info.IsDir() {
		return errors.New("it is no folder")
	}
	stored := ""
	for _, file := range []string{reports.ConformanceFile, reports.LoadFile, reports.ComparisonFile} {
		var head struct {
			Schema string `json:"schema"`
			Run    struct {
				ID string `json:"id"`
			} `json:"run"`
		}
		if decodeIn(root, filepath.Join(name, file), &head) == nil && strings.HasPrefix(head.Schema, "agstest.") &&
			head.Run.ID != "" {
			stored = head.Run.ID
		}
	}
	switch {
	case markIn(root, name):
		return nil
	case stored == "":
		return errors.New("it has neither the mark of a run nor a stored run with an id")
	case !strings.Contains(strings.TrimSuffix(name, partialSuffix), short(stored)):
		return errors.New("it has no mark of a run, and its name is not that of the run that is stored in it")
	}
	return nil
}

// decodeIn reads a JSON file below root.
func decodeIn(root *os.Root, path string, into any) error {
	info, err := root.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is no file")
	}
	file, err := root.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return json.NewDecoder(io.LimitReader(file, reports.MaxStored)).Decode(into)
}

// markIn tells whether a folder below root has the mark.
func markIn(root *os.Root, name string) bool {
	folder, err := root.Open(name)
	if err != nil {
		return false
	}
	defer folder.Close()
	entries, err := folder.ReadDir(-1)
	return err == nil && slices.ContainsFunc(entries, func(entry os.DirEntry) bool {
		return entry.Type().IsRegular() && strings.HasPrefix(entry.Name(), markPrefix)
	})
}

// hasMark tells whether a folder has the mark.
func hasMark(folder string) bool {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return false
	}
	defer root.Close()
	return markIn(root, ".")
}
