// Package matrix shows the answers of several environments to the same questions, side by side: requirements, load and
// the form of answers, by environment. It reads stored runs, knows nothing of how they came about, and writes JSON,
// HTML, Markdown and JUnit.
package matrix

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/runs"
)

// Schema names the version of the JSON form of Matrix. The number before the dot changes when a reader would break.
const Schema = "agstest.matrix/1.0"

// File is the name of the file that holds a matrix; all others are rendered from it.
const File = "matrix.json"

// Column is one environment, as input of Build.
type Column struct {
	Name  string
	Parts []Part
}

// Part is one run in an environment, or the attempt at one.
type Part struct {
	Command string // conform, load, gate, ab, capacity
	Folder  string // of the run, relative to the matrix's folder; empty: there is none to link to
	Exit    int    // exit code; −1: not known, the verdict of the run counts
	Problem string // why there is no run, in a sentence; empty where there is one
	Run     *runs.Stored
	Against *runs.Stored // an earlier run of the same environment; nil: none
}

// Matrix is all of it. Cells stand in the order of Environments.
type Matrix struct {
	Schema       string          `json:"schema"`
	Name         string          `json:"name"`
	Release      string          `json:"release,omitempty"`
	Against      string          `json:"against,omitempty"` // the runs compared with, in words
	Tool         reports.Tool    `json:"tool"`
	Start        time.Time       `json:"start"`
	End          time.Time       `json:"end"`
	Verdict      reports.Verdict `json:"verdict"`
	Reason       string          `json:"reason"`
	Environments []Environment   `json:"environments"`
	Notes        []string        `json:"notes,omitempty"` // whole sentences, such as which runs were left out
	// Causes are the faults, each once with all requirements that it broke, the widest first.
	Causes       []Cause       `json:"causes"`
	Requirements []Requirement `json:"requirements"` // in catalogue order
	Load         []Operation   `json:"load,omitempty"`
	Shape        []Shape       `json:"shape,omitempty"` // what one environment has and another has not
	// Home is the page of a site that its page leads back to; empty: it stands alone.
	Home string `json:"-"`
}

// Environment is a column.
type Environment struct {
	Name    string          `json:"name"`
	URL     string          `json:"url,omitempty"`
	Release string          `json:"release,omitempty"`
	Service string          `json:"service,omitempty"`
	Verdict reports.Verdict `json:"verdict"` // the gravest of its runs
	Runs    []Run           `json:"runs"`
	// Judged of Asked requirements of its conformance run were judged; 0 of 0: there is no such run.
	Judged int `json:"judged"`
	Asked  int `json:"asked"`
}

// Run is one run of an environment.
type Run struct {
	Command string          `json:"command"`
	ID      string          `json:"id,omitempty"`
	Folder  string          `json:"folder,omitempty"`
	Page    string          `json:"page,omitempty"` // to open first, relative to the matrix
	Exit    *int            `json:"exit,omitempty"`
	Verdict reports.Verdict `json:"verdict"`
	Reason  string          `json:"reason,omitempty"`
	Start   time.Time       `json:"start,omitzero"`
	End     time.Time       `json:"end,omitzero"`

	// LoadVerdict and LoadReason are those of the load of a gate.
	LoadVerdict reports.Verdict `json:"loadVerdict,omitempty"`
	LoadReason  string          `json:"loadReason,omitempty"`
}

// Change is the change of a requirement since an earlier run of the same environment.
type Change string

// The changes. Where nothing is said, the verdict is the same, or there is no earlier run.
const (
	newFailure      Change = "new-failure"
	mended          Change = "mended"
	newlyCovered    Change = "newly-covered"
	noLongerCovered Change = "no-longer-covered"
)

// Cell is one requirement in one environment.
type Cell struct {
	Verdict reports.Verdict `json:"verdict"` // empty: no conformance run
	Was     reports.Verdict `json:"was,omitempty"`
	Change  Change          `json:"change,omitempty"`
	// Sometimes says that it fails now and then: "fails sometimes (1 of 3)"; empty: always, never, or tried once.
	Sometimes string `json:"sometimes,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Link      string `json:"link,omitempty"` // the evidence, relative to the matrix
}

// Requirement is a row.
type Requirement struct {
	ID      string `json:"id"`
	Level   string `json:"level"`
	Text    string `json:"text"`
	Differs bool   `json:"differs"` // not every environment that looked found the same
	Cells   []Cell `json:"cells"`
}

// Cause is one expectation that answers did not meet.
type Cause struct {
	ID           string          `json:"id,omitempty"` // as the reports of the runs name it
	Verdict      reports.Verdict `json:"verdict"`
	Operation    string          `json:"operation,omitempty"`
	Expected     string          `json:"expected"`
	Got          string          `json:"got"`
	Requirements []string        `json:"requirements"`
	Environments []string        `json:"environments"`
	Link         string          `json:"link,omitempty"` // evidence in the first of them
}

// Build puts columns side by side. Names must be unique; against says in words what Part.Against is, empty where
// nothing is.
func Build(name, release, against string, tool reports.Tool, columns []Column) *Matrix {
	m := &Matrix{Schema: Schema, Name: name, Release: release, Against: against, Tool: tool, Causes: []Cause{},
		Requirements: []Requirement{}}
	for _, column := range columns {
		m.Environments = append(m.Environments, m.environment(column))
	}
	m.requirements(columns)
	m.causes(columns)
	m.load(columns)
	m.shape(columns)
	m.judge()
	return m
}

func (m *Matrix) environment(c Column) Environment {
	e := Environment{Name: c.Name, Runs: []Run{}}
	for _, part := range c.Parts {
		run := Run{Command: part.Command, Folder: part.Folder, Verdict: verdictOfExit(part.Exit), Reason: part.Problem}
		if part.Exit >= 0 {
			run.Exit = &part.Exit
		}
		if part.Run != nil {
			asked := part.Run.Run()
			run.ID, run.Start, run.End = asked.ID, asked.Start, asked.End
			if found := part.Run.Verdict(); part.Exit < 0 || part.Exit == 0 && found != reports.Pass ||
				part.Exit == 4 && (found == reports.Error || found == reports.NotEnough) {
				run.Verdict = found
			}
			if run.Reason == "" {
				run.Reason = reasonOf(part.Run)
			}
			if l := part.Run.Load; l != nil && part.Run.Conformance != nil {
				run.LoadVerdict, run.LoadReason = l.Verdict, l.Reason
			}
			if part.Folder != "" {
				run.Page = part.Folder + "/" + pageOf(part.Run)
			}
			e.URL, e.Release, e.Service = orElse(e.URL, asked.URL), orElse(e.Release, asked.Release), orElse(e.Service,
				asked.Service)
			m.span(asked)
		}
		e.Verdict = reports.Graver(e.Verdict, run.Verdict)
		e.Runs = append(e.Runs, run)
	}
	e.Verdict = cmp.Or(e.Verdict, reports.NotExercised)
	if conformance := c.conformance(); conformance != nil {
		for _, requirement := range conformance.Requirements {
			e.Asked++
			if judged(requirement.Verdict) {
				e.Judged++
			}
		}
	}
	return e
}

// span widens the time that the matrix covers.
func (m *Matrix) span(run reports.Run) {
	if m.Start.IsZero() || run.Start.Before(m.Start) {
		m.Start = run.Start
	}
	if run.End.After(m.End) {
		m.End = run.End
	}
}

func (c Column) conformance() *reports.Conformance {
	for _, part := range c.Parts {
		if part.Run != nil && part.Run.Conformance != nil {
			return part.Run.Conformance
		}
	}
	return nil
}

func (c Column) loads() *reports.Load {
	for _, part := range c.Parts {
		if part.Run != nil && part.Run.Load != nil {
			return part.Run.Load
		}
	}
	return nil
}

// judge gives the whole the gravest verdict of its environments.
func (m *Matrix) judge() {
	names := map[reports.Verdict][]string{}
	for _, e := range m.Environments {
		m.Verdict = reports.Graver(m.Verdict, e.Verdict)
		names[e.Verdict] = append(names[e.Verdict], e.Name)
	}
	m.Verdict = cmp.Or(m.Verdict, reports.NotExercised)
	var said []string
	for _, verdict := range reports.Verdicts {
		if here := names[verdict]; len(here) > 0 {
			said = append(said, fmt.Sprintf("%s in %s", verdict.Word(), enumerated(here)))
		}
	}
	m.Reason = strings.Join(said, "; ")
	if m.Reason == "" {
		m.Reason = "there is no environment"
	}
}

// judged tells that a requirement was looked at in a run.
func judged(v reports.Verdict) bool {
	switch v {
	case "", reports.Skipped, reports.NotExercised, reports.Error:
		return false
	}
	return true
}

// verdictOfExit returns the meaning of an exit code, as README lists them.
func verdictOfExit(code int) reports.Verdict {
	switch code {
	case 0:
		return reports.Pass
	case 1:
		return reports.Fail
	case 4:
		return reports.Inconclusive
	case 5:
		return reports.Invalid
	}
	return reports.Error
}

func reasonOf(s *runs.Stored) string {
	if s.Comparison != nil {
		return s.Comparison.Reason
	}
	return s.Parts.Reason()
}

// pageOf is the page of a run to open first.
func pageOf(s *runs.Stored) string {
	switch {
	case s.Comparison != nil:
		return "compare.html"
	case s.Conformance != nil && s.Load != nil:
		return "gate.html"
	case s.Load != nil:
		return "load.html"
	}
	return "conformance.html"
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// enumerated joins names for a sentence: at most six of them.
func enumerated(names []string) string { return figures.Some(names, 6, ", ") }
