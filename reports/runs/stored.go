package runs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"agstest/internal/userfile"
	"agstest/reports"
	"agstest/reports/compare"
)

// Stored is a run as it was read back. At least one of its parts is there, or it is a comparison.
type Stored struct {
	reports.Parts
	Comparison *compare.Comparison
}

// ErrNoRun is the error for a folder that is not that of a run.
var ErrNoRun = errors.New("it holds none of " + reports.ConformanceFile + ", " + reports.LoadFile + " and " +
	reports.ComparisonFile)

// Read reads a run from its folder, or from one of the JSON files in it. A folder without any of them is an error, and
// so is one of them that cannot be read. Half a gate is not a gate: where the file of its other part is gone, that
// which is there is marked partial, and could not be told unless it failed.
func Read(path string) (Stored, error) {
	return ReadWith(path, func(string) (*reports.Load, error) { return nil, nil })
}

// ReadWith reads a run as Read does, and takes its load from elsewhere in its folder where load.json is not there or
// cannot be read; nil: it is not there either.
func ReadWith(path string, elsewhere func(folder string) (*reports.Load, error)) (Stored, error) {
	stored := Stored{Parts: reports.Parts{Folder: path}}
	info, err := os.Stat(path)
	if err != nil {
		if left := unfinished(path); errors.Is(err, fs.ErrNotExist) && left != "" {
			return stored, fmt.Errorf("reading the run %s: it goes on, or was killed: what it has so far is in %s",
				path, left)
		}
		return stored, fmt.Errorf("reading the run %s: %w; agstest history list shows the runs that are stored", path,
			userfile.WithoutPath(err))
	}
	if !info.IsDir() {
		stored.Folder = filepath.Dir(path)
		return stored, stored.readFile(path)
	}
	found := false
	for _, name := range []string{reports.ConformanceFile, reports.LoadFile, reports.ComparisonFile} {
		err := stored.readFile(filepath.Join(path, name))
		if err != nil && name == reports.LoadFile {
			switch l, elsewhereErr := elsewhere(path); {
			case elsewhereErr != nil:
				return stored, elsewhereErr
			case l != nil:
				stored.Load, err = l, nil
			}
		}
		switch {
		case err == nil:
			found = true
		case !errors.Is(err, fs.ErrNotExist):
			return stored, err
		}
	}
	if !found {
		return stored, fmt.Errorf("reading the run %s: %w", path, ErrNoRun)
	}
	stored.markHalf()
	return stored, nil
}

// markHalf marks the part of a gate whose other part is gone.
func (s *Stored) markHalf() {
	switch c, l := s.Conformance, s.Load; {
	case c != nil && l == nil && c.Run.Kind == "gate":
		c.Run.Partial = cmp.Or(c.Run.Partial, "the load of this gate is not there: no "+reports.LoadFile)
		if c.Verdict.Outcome() != reports.OutcomeFailed {
			c.Verdict, c.Reason = reports.Error, c.Run.Partial
		}
	case l != nil && c == nil && l.Run.Kind == "gate":
		l.Run.Partial = cmp.Or(l.Run.Partial, "the conformance of this gate is not there: no "+reports.ConformanceFile)
		if l.Verdict.Outcome() != reports.OutcomeFailed {
			l.Verdict, l.Reason = reports.Error, l.Run.Partial
		}
	}
}

// unfinished is the newest folder of a run that is to have a path and has not ended; empty: there is none.
func unfinished(path string) string {
	path = filepath.Clean(path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	newest, when := "", time.Time{}
	for _, entry := range entries {
		id, ours := strings.CutPrefix(entry.Name(), filepath.Base(path)+".")
		id, partial := strings.CutSuffix("."+id, partialSuffix)
		if !ours || !partial || strings.Count(id, ".") > 1 || !entry.IsDir() {
			continue
		}
		if info, err := entry.Info(); err == nil && (newest == "" || info.ModTime().After(when)) {
			newest, when = filepath.Join(filepath.Dir(path), entry.Name()), info.ModTime()
		}
	}
	return newest
}

// readFile reads one file by the schema that it names itself.
func (s *Stored) readFile(path string) error {
	// Shells store the output of --json too, and PowerShell makes UTF-16 of it.
	text, err := userfile.Open(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	schema := schemaIn(io.LimitReader(text, reports.MaxStored))
	text.Close()
	file, err := userfile.Open(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	defer file.Close()
	kind, _, _ := reports.ParseSchema(schema)
	if kind == "" {
		kind = map[string]string{reports.LoadFile: "agstest.load",
			reports.ComparisonFile: "agstest.comparison"}[filepath.Base(path)]
	}
	switch kind {
	case "agstest.load":
		s.Load, err = reports.ReadLoad(file)
	case "agstest.comparison":
		s.Comparison, err = compare.ReadComparison(file)
	default:
		s.Conformance, err = reports.ReadConformance(file)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// schemaIn reads the member "schema" of a stored run and no further: it stands first in what agstest writes. Empty:
// there is none, or the file is damaged before it, which whoever reads the whole tells in its own words.
func schemaIn(text io.Reader) (schema string) {
	decoder := json.NewDecoder(text)
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return ""
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return ""
		}
		if name == "schema" {
			_ = decoder.Decode(&schema)
			return schema
		}
		var other json.RawMessage
		if decoder.Decode(&other) != nil {
			return ""
		}
	}
	return ""
}

// Run is the question that the run asked: of its load part where it has one, else of its conformance part.
func (s Stored) Run() reports.Run {
	if s.Comparison != nil {
		return s.Comparison.Run
	}
	return s.Parts.Run()
}

// Verdict is the worse one of its parts.
func (s Stored) Verdict() reports.Verdict {
	if s.Comparison != nil {
		return s.Comparison.Verdict
	}
	return s.Parts.Verdict()
}
