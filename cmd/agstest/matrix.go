package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/plan"
	"agstest/internal/wholefile"
	"agstest/reports"
	"agstest/reports/html"
	"agstest/reports/matrix"
	"agstest/reports/runs"
)

func (p *program) matrixCommand() *cobra.Command {
	var out, name, against string
	var asJSON bool
	c := &cobra.Command{
		Use:   "matrix RUN…",
		Short: "Put stored runs of several environments side by side.",
		Long: `Shows requirements, load and the form of answers by environment, as agstest run does at its end, from runs that are stored already: folders
of runs, ids, pinned names, or folders of whole plans. Runs of one environment share a column; the later one of two of a kind counts.
Ends with the code of the gravest verdict.`,
		Example: `  agstest matrix out/dev out/int out/staging --out out/matrix
  agstest matrix out/20261123T101500Z-release-plan-1f3c9ab2 --against 25.51 --out out/matrix`,
		Args: wantArguments(1, 200, "the runs"),
		RunE: func(c *cobra.Command, args []string) error {
			before, err := (*planBefore)(nil), error(nil)
			if against != "" {
				if before, err = findPlanBefore(runsFolder, against, "", ""); err != nil {
					return err
				}
			}
			columns, notes, err := p.storedColumns(args, out, before)
			if err != nil {
				return err
			}
			m := matrix.Build(name, "", before.words(), buildInfo(), columns)
			m.Notes = notes
			p.end(exitOfVerdict(m.Verdict))
			if out != "" {
				if entries, err := os.ReadDir(out); err == nil && len(entries) > 0 &&
					!slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == matrix.File }) {
					return failure.Usagef(
						"%s is not empty and holds no matrix, so it is left alone: name another folder", out)
				}
				if err := os.MkdirAll(out, 0o700); err != nil {
					return failure.Usagef("cannot make the folder of the matrix: %w", err)
				}
				if err := writeMatrix(out, m, p.style(&outputFlags{style: "auto"})); err != nil {
					return err
				}
			}
			return p.showMatrix(m, out, asJSON)
		},
	}
	flags := c.Flags()
	flags.StringVarP(&out, "out", "o", "",
		"folder for matrix.html, matrix.json, summary.md and junit.xml; left out: only the summary is printed")
	flags.StringVar(&name, "name", "Environments side by side", "title of the page")
	flags.StringVar(&against, "against", "",
		"hold the runs against an earlier run of a plan: its folder, its release, or last")
	flags.BoolVar(&asJSON, "json", false, "write the matrix to stdout as JSON instead of a summary")
	_ = c.MarkFlagDirname("out")
	return c
}

// storedColumns reads runs, and the runs of plans, into columns by the name of their environment. Its notes say which
// runs were left out.
func (p *program) storedColumns(names []string, out string, before *planBefore) (columns []matrix.Column,
	notes []string, err error) {
	add := func(environment string, part matrix.Part) {
		i := slices.IndexFunc(columns, func(c matrix.Column) bool { return c.Name == environment })
		if i < 0 {
			i = len(columns)
			columns = append(columns, matrix.Column{Name: environment})
		}
		part.Folder = linkTo(out, part.Folder)
		part.Against = before.run(plan.Job{Environment: environment, Command: part.Command})
		kept := slices.DeleteFunc(columns[i].Parts, func(earlier matrix.Part) bool {
			later := earlier.Command == part.Command && (earlier.Run == nil || part.Run != nil &&
				!part.Run.Run().Start.Before(earlier.Run.Run().Start))
			if later {
				notes = append(notes, leftOut(environment, earlier, part)...)
			}
			return later
		})
		at := slices.IndexFunc(kept, func(other matrix.Part) bool { return other.Command == part.Command })
		if at < 0 {
			kept = append(kept, part)
		} else {
			notes = append(notes, leftOut(environment, part, kept[at])...)
		}
		columns[i].Parts = kept
	}
	for _, name := range names {
		journal, err := plan.ReadJournal(name)
		if err == nil {
			for _, e := range journal.Jobs {
				part := matrix.Part{Command: e.Command, Exit: e.Code}
				folder := filepath.Join(name, e.Environment, e.Command)
				if e.State != plan.Done {
					part.Exit, part.Problem = exitInterrupted, "it was not run to its end"
				}
				if stored, err := runs.Read(folder); err == nil {
					part.Run, part.Folder = &stored, folder
				} else if part.Problem == "" {
					part.Problem = lastWords(folder + ".txt")
				}
				add(e.Environment, part)
			}
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		stored, err := p.readRun(name)
		if err != nil {
			return nil, nil, err
		}
		run := stored.Run()
		kind := run.Kind
		if stored.Conformance != nil && stored.Load != nil {
			kind = "gate"
		}
		add(columnName(columns, run), matrix.Part{Command: kind, Exit: -1, Run: &stored, Folder: stored.Folder})
	}
	return columns, notes, nil
}

// leftOut says that a part does not stand in the column of its environment, since a later one of its kind does.
func leftOut(environment string, part, later matrix.Part) []string {
	if part.Run == nil || later.Run == nil || part.Run.Run().ID == later.Run.Run().ID {
		return nil // there was none, or it is the same, named twice
	}
	return []string{fmt.Sprintf("%s: the %s of %s is left out (%s), since a later one is here.", environment,
		part.Command, figures.Moment(part.Run.Run().Start), part.Run.Verdict().Word())}
}

// columnName returns the column of a run, named after its environment. A second service under the same name gets a
// column of its own, so that neither hides the other.
func columnName(columns []matrix.Column, run reports.Run) string {
	for _, column := range columns {
		if column.Name != run.Environment {
			continue
		}
		for _, part := range column.Parts {
			if part.Run != nil && part.Run.Run().URL != run.URL {
				return run.Environment + " at " + run.URL
			}
		}
	}
	return run.Environment
}

// linkTo is a folder as a link in a page of another; empty where the page is nowhere.
func linkTo(page, folder string) string {
	if page == "" || folder == "" {
		return ""
	}
	from, err := filepath.Abs(page)
	if err != nil {
		return ""
	}
	to, err := filepath.Abs(folder)
	if err != nil {
		return ""
	}
	relative, err := filepath.Rel(from, to)
	if err != nil {
		return "" // on another drive
	}
	return filepath.ToSlash(relative)
}

// writeMatrix writes all files of a matrix, in place of those of an earlier one in the folder.
func writeMatrix(folder string, m *matrix.Matrix, style html.Style) error {
	files := []file{
		{matrix.File, func(w io.Writer) error { return reports.WriteJSON(w, m) }},
		{"junit.xml", func(w io.Writer) error { return matrix.JUnit(w, m) }},
		{"summary.md", func(w io.Writer) error { return matrix.Markdown(w, m) }},
		{"matrix.html", func(w io.Writer) error { return matrix.HTML(w, m, style) }},
	}
	if style.Folder {
		files = append(files,
			file{"report.css", func(w io.Writer) error { _, err := w.Write(matrix.StyleSheet()); return err }})
	}
	for _, f := range files {
		var text bytes.Buffer
		if err := f.render(&text); err != nil {
			return err
		}
		path := filepath.Join(folder, f.name)
		if err := wholefile.Write(path, 0o600, wholefile.Text(text.Bytes())); err != nil {
			return failure.Outputf("cannot write %s: %w", path, err)
		}
	}
	return nil
}

// showMatrix writes the result to stdout. The last line is the verdict, as with every command.
func (p *program) showMatrix(m *matrix.Matrix, folder string, asJSON bool) error {
	if asJSON {
		return reports.WriteJSON(p.stdout, m)
	}
	if err := matrix.Text(p.stdout, m); err != nil {
		return err
	}
	if folder != "" {
		fmt.Fprintf(p.stdout, "\nReport: %s\n", filepath.Join(folder, "matrix.html"))
	}
	p.showVerdict(m.Verdict)
	return nil
}

// planBefore is an earlier run of a plan, with which another is compared. Nil means that there is none.
type planBefore struct {
	folder  string
	journal *plan.Journal
}

// findPlanBefore finds one by its folder, by its release, or the last one; of the plan with this name, where one is
// given.
func findPlanBefore(root, wanted, name, except string) (*planBefore, error) {
	if journal, err := plan.ReadJournal(wanted); err == nil {
		return &planBefore{wanted, journal}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failure.Usagef("cannot look for earlier runs in %s: %w", root, err)
	}
	var last *planBefore
	for _, entry := range entries {
		folder := filepath.Join(root, entry.Name())
		journal, err := plan.ReadJournal(folder)
		if err != nil || folder == except || name != "" && journal.Name != name || wanted != "last" &&
			journal.Release != wanted {
			continue
		}
		if last == nil || journal.Start.After(last.journal.Start) {
			last = &planBefore{folder, journal}
		}
	}
	if last == nil {
		return nil, failure.Usagef(
			"--against %s: there is no such run of a plan in %s; give its folder, its release, or last", wanted, root)
	}
	return last, nil
}

// words describes it.
func (b *planBefore) words() string {
	switch {
	case b == nil:
		return ""
	case b.journal.Release != "":
		return "release " + b.journal.Release
	}
	return b.journal.Name + " of " + b.journal.Start.UTC().Format("2006-01-02 15:04") + " UTC"
}

// run returns its run in the same environment with the same command; nil if there is none.
func (b *planBefore) run(job plan.Job) *runs.Stored {
	if b == nil {
		return nil
	}
	for _, e := range b.journal.Jobs {
		if e.Environment == job.Environment && (e.Command == job.Command || e.Command == "gate" ||
			job.Command == "gate") && e.State == plan.Done {
			if stored, err := runs.Read(filepath.Join(b.folder, e.Environment, e.Command)); err == nil {
				return &stored
			}
		}
	}
	return nil
}
