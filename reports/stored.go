package reports

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"agstest/internal/userfile"
)

// The names of the files that hold what a run found; everything else in a run's folder is rendered from them.
const (
	ConformanceFile = "conformance.json"
	LoadFile        = "load.json"
	ComparisonFile  = "comparison.json"
)

// Stored is a run as it was read back. At least one of its parts is there.
type Stored struct {
	Folder      string // where it was read from
	Conformance *Conformance
	Load        *Load
	Comparison  *Comparison
}

// ReadStored reads a run from its folder, or from one of the JSON files in it. A folder without any of them is an error, and so is one of
// them that cannot be read: half a gate is not a gate.
func ReadStored(path string) (Stored, error) {
	stored := Stored{Folder: path}
	info, err := os.Stat(path)
	if err != nil {
		var named *fs.PathError
		if errors.As(err, &named) {
			err = named.Err
		}
		return stored, fmt.Errorf("reading the run %s: %w; agstest history list shows the runs that are stored", path, err)
	}
	if !info.IsDir() {
		stored.Folder = filepath.Dir(path)
		return stored, stored.readFile(path)
	}
	found := false
	for _, name := range []string{ConformanceFile, LoadFile, ComparisonFile} {
		err := stored.readFile(filepath.Join(path, name))
		switch {
		case err == nil:
			found = true
		case !errors.Is(err, fs.ErrNotExist):
			return stored, err
		}
	}
	if !found {
		return stored, fmt.Errorf("reading the run %s: it holds none of %s, %s and %s", path, ConformanceFile, LoadFile, ComparisonFile)
	}
	return stored, nil
}

// readFile reads one file by the schema that it names itself.
func (s *Stored) readFile(path string) error {
	// What --json writes is stored by shells too, and PowerShell makes UTF-16 of it.
	text, err := userfile.Open(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	// A damaged file is told by the reader below, in its own words.
	_ = json.NewDecoder(io.LimitReader(text, MaxStored)).Decode(&head)
	text.Close()
	file, err := userfile.Open(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	defer file.Close()
	kind, _, _ := parseSchema(head.Schema)
	if kind == "" {
		kind = map[string]string{LoadFile: "agstest.load", ComparisonFile: "agstest.comparison"}[filepath.Base(path)]
	}
	switch kind {
	case "agstest.load":
		s.Load, err = ReadLoad(file)
	case "agstest.comparison":
		s.Comparison, err = ReadComparison(file)
	default:
		s.Conformance, err = ReadConformance(file)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// Run is the question that the run asked: of its load part where it has one, else of its conformance part.
func (s Stored) Run() Run {
	switch {
	case s.Comparison != nil:
		return s.Comparison.Run
	case s.Load != nil && s.Conformance != nil:
		// A gate: it starts with its first part and ends with its last.
		run := s.Load.Run
		run.Kind = "gate"
		if first := s.Conformance.Run; !first.Start.IsZero() && first.Start.Before(run.Start) {
			run.Start = first.Start
		}
		run.Partial = cmp.Or(run.Partial, s.Conformance.Run.Partial)
		return run
	case s.Load != nil:
		return s.Load.Run
	case s.Conformance != nil:
		return s.Conformance.Run
	}
	return Run{}
}

// Verdict is the worse one of its parts.
func (s Stored) Verdict() Verdict {
	if s.Comparison != nil {
		return s.Comparison.Verdict
	}
	var verdict Verdict
	if s.Conformance != nil {
		verdict = s.Conformance.Verdict
	}
	if s.Load != nil {
		verdict = Graver(verdict, s.Load.Verdict)
	}
	return verdict
}
