package reports

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
	"time"
)

// indexFile lists the runs of a folder, one line of JSON each, so that a history of thousands of runs is listed without opening them.
// It is a copy of what the folders say: it may be deleted at any time.
const indexFile = "index.ndjson"

// Entry is one run in a list of runs.
type Entry struct {
	Folder      string    `json:"folder"` // its name below the folder of runs
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`
	Environment string    `json:"environment"`
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Verdict     Verdict   `json:"verdict"`
	Partial     string    `json:"partial,omitempty"`
	// Question is the same for two runs whose figures may be compared; empty for runs without load.
	Question string                  `json:"question,omitempty"`
	Asked    string                  `json:"asked,omitempty"` // what the load asked, in words
	Response map[string]EntryFigures `json:"response,omitempty"`
	// Pins are the names under which the run is a baseline.
	Pins []string `json:"-"`
}

// EntryFigures are the response times of one operation, in nanoseconds, and its counts.
type EntryFigures struct {
	P50   int64 `json:"p50"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
	Right int64 `json:"right"`
	Wrong int64 `json:"wrong"`
}

func entryOf(folder string, stored Stored) Entry {
	run := stored.Run()
	entry := Entry{
		Folder: folder, ID: run.ID, Kind: run.Kind, Environment: run.Environment, Start: run.Start, End: run.End,
		Verdict: stored.Verdict(), Partial: run.Partial,
	}
	if stored.Load != nil {
		entry.Question = QuestionOf(stored.Load)
		entry.Asked = strings.TrimSuffix(stored.Load.Plan.Workload+", "+stored.Load.Plan.Schedule, ", ")
		entry.Response = map[string]EntryFigures{}
		for name, operation := range stored.Load.Operations {
			r := operation.Response
			entry.Response[name] = EntryFigures{P50: r.P50, P95: r.P95, P99: r.P99, Right: operation.Right, Wrong: operation.Wrong}
		}
	}
	if strings.HasSuffix(folder, partialSuffix) && entry.Partial == "" {
		entry.Partial = "the run has not ended, or was killed"
	}
	return entry
}

// appendToIndex adds one line in one write, which no other writer can come between.
func appendToIndex(root string, entry Entry) error {
	line, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("adding the run to the index: %w", err)
	}
	path := filepath.Join(root, indexFile)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("adding the run to the index %s: %w", path, withoutPath(err))
	}
	_, err = file.Write(append(line, '\n'))
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("adding the run to the index %s: %w", path, withoutPath(err))
	}
	return nil
}

// readIndex gives the last line of each folder. Lines that are damaged, such as the last one of a killed process, are passed over: the
// folder itself is asked instead.
func readIndex(root string) map[string]Entry {
	known := map[string]Entry{}
	data, err := os.ReadFile(filepath.Join(root, indexFile))
	if err != nil {
		return known
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		var entry Entry
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Folder != "" {
			known[entry.Folder] = entry
		}
	}
	return known
}

// List lists the runs below root, the oldest first. What the index does not know is read from its folder; what has gone is left out.
// Folders that hold no run are passed over. A root that is not there has no runs.
func List(root string) ([]Entry, error) { return list(root, readIndex(root)) }

func list(root string, known map[string]Entry) ([]Entry, error) {
	folders, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the runs in %s: %w", root, withoutPath(err))
	}
	baselines, err := Baselines(root)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, folder := range folders {
		name := folder.Name()
		if !folder.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		entry, indexed := known[name]
		if !indexed {
			stored, err := ReadStored(filepath.Join(root, name))
			info, unseen := folder.Info()
			switch {
			case err == nil:
				entry = entryOf(name, stored)
			case strings.HasSuffix(name, partialSuffix) && unseen == nil:
				// Killed before its first report was written; what it recorded may still be made into one.
				entry = Entry{Folder: name, Start: info.ModTime().UTC(), Partial: "the run has not ended, or was killed; agstest report makes a report of what it recorded"}
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
	slices.SortStableFunc(entries, func(a, b Entry) int {
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
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, withoutPath(err))
	}
	_, err = file.Write(data)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("writing %s: %w", path, withoutPath(err))
	}
	return nil
}
