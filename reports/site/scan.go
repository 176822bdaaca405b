package site

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"agstest/internal/userfile"
	"agstest/reports"
	"agstest/reports/matrix"
)

// deepest is how far below the folder of runs a run may lie: folders of plans hold ENVIRONMENT/COMMAND.
const deepest = 3

// maxFolders bounds the work in a folder that does not hold runs.
const maxFolders = 200_000

// place is a folder with a stored run, and the stamp of its files.
type place struct{ folder, stamp string }

// scan finds the runs below root, and the matrices of plans. Links are not followed, and nothing is opened.
func scan(root *os.Root) (found []place, matrices []place, err error) {
	seen := 0
	var walk func(folder string, depth int) error
	walk = func(folder string, depth int) error {
		entries, err := fs.ReadDir(root.FS(), folder)
		if err != nil {
			if depth == 0 {
				return userfile.WithoutPath(err)
			}
			return nil // it has gone meanwhile, or is not ours to read
		}
		if seen++; seen > maxFolders {
			return fmt.Errorf("it holds more than %d folders: is it a folder of runs?", maxFolders)
		}
		here := contentsOf(entries)
		if here.site {
			return nil
		}
		if here.matrix != "" && folder != "." {
			matrices = append(matrices, place{folder, here.matrix})
		}
		if here.run != "" && folder != "." {
			found = append(found, place{folder, here.run})
			return nil
		}
		if depth < deepest {
			for _, name := range here.below {
				if err := walk(path.Join(folder, name), depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err = walk(".", 0)
	slices.SortFunc(found, func(a, b place) int { return cmp.Compare(a.folder, b.folder) })
	return found, matrices, err
}

// contents lists the files of a folder.
type contents struct {
	site        bool     // a site lies there
	run, matrix string   // the stamps of their files; empty: there is none
	below       []string // folders
}

func contentsOf(entries []fs.DirEntry) (c contents) {
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case name == markFile:
			return contents{site: true}
		case entry.IsDir() && !strings.HasPrefix(name, "."):
			c.below = append(c.below, name)
		case !entry.Type().IsRegular():
		case name == matrix.File:
			c.matrix = stampOf(entry)
		case name == reports.ConformanceFile, name == reports.LoadFile, name == reports.ComparisonFile:
			c.run += stampOf(entry)
		}
	}
	return c
}

// stampOf is another one when a file was written again; empty: it cannot be looked at.
func stampOf(file fs.DirEntry) string {
	info, err := file.Info()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d;", file.Name()[:1], info.Size(), info.ModTime().UnixNano())
}

// pins are the names under which folders are kept as baselines.
func pins(root *os.Root) map[string][]string {
	names := map[string][]string{}
	file, err := openPlain(root, "baselines.json")
	if err != nil {
		return names
	}
	defer file.Close()
	var baselines map[string]struct {
		Folder string `json:"folder"`
	}
	if json.NewDecoder(io.LimitReader(file, maxMember)).Decode(&baselines) == nil {
		for name, baseline := range baselines {
			names[baseline.Folder] = append(names[baseline.Folder], name)
		}
	}
	for _, list := range names {
		slices.Sort(list)
	}
	return names
}

// openPlain opens a file below root that is no link, no pipe and no folder.
func openPlain(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no plain file")
	}
	return root.Open(name)
}
