package runs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"agstest/internal/userfile"
	"agstest/internal/wholefile"
	"agstest/reports"
)

// indexFile lists the runs of a folder, one line of JSON each, so that a history of thousands of runs is listed without
// opening them. It copies the folders' own data and may be deleted at any time.
const indexFile = "index.ndjson"

// appendToIndex adds one line in one write, which no other writer can come between.
func appendToIndex(root string, entry reports.Entry) error {
	line, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("adding the run to the index: %w", err)
	}
	path := filepath.Join(root, indexFile)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("adding the run to the index %s: %w", path, userfile.WithoutPath(err))
	}
	_, err = file.Write(append(line, '\n'))
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("adding the run to the index %s: %w", path, userfile.WithoutPath(err))
	}
	return nil
}

// readIndex returns the last line of each folder. It skips damaged lines, such as the last one of a killed process: the
// folder itself is read instead.
func readIndex(root string) map[string]reports.Entry {
	known := map[string]reports.Entry{}
	data, err := os.ReadFile(filepath.Join(root, indexFile))
	if err != nil {
		return known
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		var entry reports.Entry
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Folder != "" {
			known[entry.Folder] = entry
		}
	}
	return known
}

// List lists the runs below root, the oldest first. It reads runs that are not in the index from their folders, leaves
// out those that have gone, and skips folders that hold no run. A root that does not exist has no runs.
func List(root string) ([]reports.Entry, error) { return list(root, readIndex(root)) }

func list(root string, known map[string]reports.Entry) ([]reports.Entry, error) {
	folders, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the runs in %s: %w", root, userfile.WithoutPath(err))
	}
	baselines, err := readBaselines(root)
	if err != nil {
		return nil, err
	}
	var entries []reports.Entry
	for _, folder := range folders {
		name := folder.Name()
		if !folder.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		entry, indexed := known[name]
		if !indexed || outdated(entry, filepath.Join(root, name)) {
			stored, err := Read(filepath.Join(root, name))
			info, unseen := folder.Info()
			switch {
			case err == nil:
				entry = listed(name, stored)
			case strings.HasSuffix(name, partialSuffix) && unseen == nil:
				// Killed before its first report was written; its record may still be made into one.
				entry = reports.Entry{Folder: name, Start: info.ModTime().UTC(),
					Partial: "the run has not ended, or was killed; agstest report makes a report of what it recorded"}
			default:
				continue
			}
		}
		for pin, baseline := range baselines {
			if baseline.Folder == name {
				entry.Pins = append(entry.Pins, pin)
			}
		}
		slices.Sort(entry.Pins)
		entries = append(entries, entry)
	}
	slices.SortStableFunc(entries, func(a, b reports.Entry) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.Folder, b.Folder)
	})
	return entries, nil
}

// RebuildIndex writes the index of root anew from the folders themselves.
func RebuildIndex(root string) error {
	entries, err := list(root, nil)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	for _, entry := range entries {
		if strings.HasSuffix(entry.Folder, partialSuffix) {
			continue
		}
		line, err := json.Marshal(entry)
		if err != nil {
			return fmt.Errorf("rebuilding the index: %w", err)
		}
		lines.Write(append(line, '\n'))
	}
	return writeWhole(filepath.Join(root, indexFile), lines.Bytes())
}

// writeWhole puts a file in place in one step.
func writeWhole(path string, data []byte) error {
	if err := wholefile.Write(path, 0o600, wholefile.Text(data)); err != nil {
		return fmt.Errorf("writing %s: %w", path, userfile.WithoutPath(err))
	}
	return nil
}

// listed is the entry of a stored run in a folder of this name, which tells whether the run has ended.
func listed(folder string, stored Stored) reports.Entry {
	entry := EntryOf(folder, stored)
	entry.Sizes = sizesOf(stored.Folder)
	if strings.HasSuffix(folder, partialSuffix) && entry.Partial == "" {
		entry.Partial = "the run has not ended, or was killed"
	}
	return entry
}

// outdated tells that an entry of the index is not that of the run in its folder: another one was put there. Entries of
// earlier versions know no hosts, without which the figures of two services are one trend.
func outdated(entry reports.Entry, folder string) bool {
	return entry.Question != "" && entry.Host == "" || entry.Sizes != "" && entry.Sizes != sizesOf(folder)
}

// sizesOf are the sizes of the files that hold a run.
func sizesOf(folder string) string {
	var sizes []string
	for _, name := range []string{reports.ConformanceFile, reports.LoadFile, reports.ComparisonFile} {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil {
			sizes = append(sizes, fmt.Sprint(name, " ", info.Size()))
		}
	}
	return strings.Join(sizes, ", ")
}
