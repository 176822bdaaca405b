package runs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"agstest/internal/userfile"
	"agstest/reports"
)

const baselinesFile = "baselines.json"

// baseline is a run that is kept under a name, such as the last release.
type baseline struct {
	Folder string    `json:"folder"` // its name below the folder of runs
	ID     string    `json:"id"`
	Pinned time.Time `json:"pinned"`
}

// readBaselines reads the pinned runs of root by name. None are pinned where the file is missing.
func readBaselines(root string) (map[string]baseline, error) {
	path := filepath.Join(root, baselinesFile)
	data, err := userfile.Read(path, reports.MaxStored)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]baseline{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the baselines %s: %w", path, userfile.WithoutPath(err))
	}
	baselines := map[string]baseline{}
	if err := json.Unmarshal(data, &baselines); err != nil {
		return nil, fmt.Errorf("reading the baselines %s: %w; mend the file, or delete it and pin again", path, err)
	}
	return baselines, nil
}

// Pin keeps a run of root under a name: it is not pruned, and a comparison can ask for it by that name. A name that is
// in use moves to the new run. Run is the name of a folder below root, or an id.
func Pin(root, name, run string, now time.Time) (reports.Entry, error) {
	if name == "" || name != reports.Slug(name) {
		return reports.Entry{}, fmt.Errorf(
			"pinning a run as %q: a name has small letters, digits and single dashes only, such as %q", name,
			reports.Slug(cmp.Or(name, "release-1")))
	}
	entry, err := Find(root, run)
	if err != nil {
		return reports.Entry{}, err
	}
	if strings.HasSuffix(entry.Folder, partialSuffix) {
		return reports.Entry{}, fmt.Errorf("pinning %s: the run has not ended, so it cannot be a baseline",
			entry.Folder)
	}
	err = changeBaselines(root, func(baselines map[string]baseline) error {
		baselines[name] = baseline{Folder: entry.Folder, ID: entry.ID, Pinned: now.UTC()}
		return nil
	})
	return entry, err
}

// Unpin forgets a name. The run stays until it is pruned.
func Unpin(root, name string) error {
	return changeBaselines(root, func(baselines map[string]baseline) error {
		if _, pinned := baselines[name]; !pinned {
			return fmt.Errorf("unpinning %q: no run in %s has that name; pinned are: %s", name, root,
				cmp.Or(strings.Join(slices.Sorted(maps.Keys(baselines)), ", "), "none"))
		}
		delete(baselines, name)
		return nil
	})
}

// Find looks a run up by the name of a baseline, the name of its folder, or its id or the beginning of it, if only one
// run has it.
func Find(root, name string) (reports.Entry, error) {
	entries, err := List(root)
	if err != nil {
		return reports.Entry{}, err
	}
	baselines, err := readBaselines(root)
	if err != nil {
		return reports.Entry{}, err
	}
	folder := name
	if baseline, pinned := baselines[name]; pinned {
		folder = baseline.Folder
	} else {
		folder = filepath.Base(filepath.Clean(name))
	}
	var found []reports.Entry
	for _, entry := range entries {
		if entry.Folder == folder {
			return entry, nil
		}
		if name != "" && strings.HasPrefix(entry.ID, name) {
			found = append(found, entry)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return reports.Entry{}, fmt.Errorf("looking for the run %q in %s: there is none of that folder, id or baseline "+
			"name; list them with: agstest history list --dir %s", name, root, root)
	}
	return reports.Entry{}, fmt.Errorf(
		"looking for the run %q in %s: %d runs have an id that begins so; give more of it", name, root, len(found))
}

// changeBaselines reads, changes and writes the file while no other process does.
func changeBaselines(root string, change func(map[string]baseline) error) error {
	release, err := lock(filepath.Join(root, baselinesFile+".lock"))
	if err != nil {
		return err
	}
	defer release()
	baselines, err := readBaselines(root)
	if err != nil {
		return err
	}
	if err := change(baselines); err != nil {
		return err
	}
	var data bytes.Buffer
	if err := reports.WriteJSON(&data, baselines); err != nil {
		return err
	}
	return writeWhole(filepath.Join(root, baselinesFile), data.Bytes())
}

// lock takes a file that only one process can make. It is held while a small file is read and written; one that is
// older than half a minute was left by a process that died, and is taken over.
func lock(path string) (release func(), err error) {
	for range 500 {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_ = file.Close()
			return func() { _ = os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("taking the lock %s: %w", path, userfile.WithoutPath(err))
		}
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > 30*time.Second {
			_ = os.Remove(path)
			continue
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, fmt.Errorf("taking the lock %s: another process holds it; if none does, delete the file", path)
}
