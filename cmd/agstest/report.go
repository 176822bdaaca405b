package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/wholefile"
	"agstest/load/tally"
	"agstest/reports"
	"agstest/reports/runs"
)

// readCommands returns the commands that work on stored runs, and send nothing.
func (p *program) readCommands() []*cobra.Command {
	return []*cobra.Command{p.reportCommand(), p.matrixCommand(), p.compareCommand(), p.mergeCommand(),
		p.historyCommand(), p.siteCommand()}
}

func (p *program) reportCommand() *cobra.Command {
	var out outputFlags
	var formats []string
	c := &cobra.Command{
		Use:   "report DIR",
		Short: "Render the reports of a stored run again.",
		Long: `Reads what a run stored and writes its pages, junit.xml and the other files anew, into the run's folder or another one. Runs that were
killed can be rendered too, and are marked partial. Any run of the same major schema can be read. The exit code tells whether the
reports could be written, not what the run found.`,
		Example: `  agstest report out/20261123T101500Z-staging-gate-3f2a
  agstest report out/nightly --report-style folder --out published
  agstest report out/nightly --format allure,csv --out published`,
		Args: wantArguments(1, 1, "the folder of one run"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.checkOutput(&out); err != nil {
				return err
			}
			if err := checkFormats("--format", formats); err != nil {
				return err
			}
			stored, err := p.readRun(args[0])
			if err != nil {
				return err
			}
			target := stored.Folder
			if out.out != "" {
				target = out.out
				if err := os.MkdirAll(target, 0o700); err != nil {
					return failure.Usagef("cannot make the folder for the reports: %w", err)
				}
			}
			if out.keys != nil && stored.Conformance != nil {
				stored.Conformance.TestKeys = out.keys
			}
			r := out.results(stored.Conformance, stored.Load, stored.Comparison)
			if len(formats) > 0 {
				if stored.Conformance == nil && stored.Load == nil {
					return failure.Usagef("--format: %s holds a comparison, which has none of these forms", args[0])
				}
				r.formats, r.only = formats, true
				if len(exportsOf(r)) == 0 {
					return failure.Usagef("--format: %s holds a load alone, and %s is made of a check", args[0],
						strings.Join(formats, ", "))
				}
			}
			if err := writeResults(target, intoFolder(target), r, p.style(&out), p.dialect(&out)); err != nil {
				return err
			}
			return p.show(r, target, &out)
		},
	}
	c.Flags().StringVarP(&out.out, "out", "o", "", "folder to write to; left out: the run's own")
	c.Flags().BoolVar(&out.json, "json", false, "write the result to stdout as JSON instead of a summary")
	c.Flags().StringSliceVar(&formats, "format", nil, "write these files and no others: "+
		strings.Join(exportNames, ", "))
	_ = c.RegisterFlagCompletionFunc("format", completeList(exportMeanings))
	out.registerRendering(c)
	out.registerBaseline(c)
	return c
}

// intoFolder writes files into a folder that is there, each in one step.
func intoFolder(dir string) func(string, func(io.Writer) error) error {
	return func(name string, render func(io.Writer) error) error {
		path := filepath.Join(dir, name)
		if err := wholefile.Write(path, 0o600, func(file *os.File) error { return render(file) }); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		return nil
	}
}

// readRun reads a stored run by its folder or file, or by its name in the history.
func (p *program) readRun(name string) (runs.Stored, error) {
	return p.readRunIn("", name)
}

// readRunIn reads a run as readRun does in a folder; empty: the current one.
func (p *program) readRunIn(dir, name string) (runs.Stored, error) {
	path, root := startingIn(dir, name), startingIn(dir, runsFolder)
	if _, err := os.Stat(path); os.IsNotExist(err) {
		if entry, found := runs.Find(root, name); found == nil {
			path = filepath.Join(root, entry.Folder)
		}
	}
	stored, err := runs.ReadWith(path, recorded)
	if errors.Is(err, runs.ErrNoRun) {
		return stored, failure.Usagef("%w%s", err, folderInstead(path))
	}
	if err != nil {
		return stored, failure.Usagef("%w", err)
	}
	return stored, nil
}

// recorded is the load of a run that was killed, and has written no load.json: its record has every second up to then;
// nil: there is none.
func recorded(folder string) (*reports.Load, error) {
	if _, err := os.Stat(filepath.Join(folder, tally.RecordFile)); err != nil {
		return nil, nil
	}
	return tally.ReadRecord(folder)
}

// folderInstead says what kind of folder it is, if not that of a run, and what can be done with it; empty if it is not
// known.
func folderInstead(path string) string {
	if _, err := os.Stat(filepath.Join(path, "plan.json")); err == nil {
		return fmt.Sprintf("; it is the folder of a plan, with the runs of each environment in folders below it: agstest "+
			"matrix %s makes its page again", path)
	}
	entries, err := runs.List(path)
	if err != nil || len(entries) == 0 {
		return ""
	}
	newest := filepath.Join(path, entries[len(entries)-1].Folder)
	return fmt.Sprintf(
		"; it is a folder of %s: name one of them, such as the newest, %s; agstest site %s makes pages of all",
		figures.Plural(int64(len(entries)), "run"), newest, path)
}

func (p *program) mergeCommand() *cobra.Command {
	var out outputFlags
	c := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Make one load run of the runs of several machines.",
		Long: `Merges the runs of all shards of one load (agstest load --shard 1/8 …): counts and histograms add up exactly, seconds are aligned, and the
result is only as valid as the worst of them. Shards of different questions are refused, and missing ones named.`,
		Example: `  agstest merge out/shard-1 out/shard-2 --out out/whole`,
		Args:    wantArguments(2, 10_000, "the folders of all shards"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.checkOutput(&out); err != nil {
				return err
			}
			l, err := tally.Merge(args...)
			if err != nil {
				return err
			}
			r, err := p.newOngoing(c, nil, &out, "load", l.Run.Environment)
			if err != nil {
				return err
			}
			start := l.Run.Start
			r.stamp(&l.Run)
			l.Run.Start = start
			r.load = l
			p.endLoad(l, out.strict)
			return r.finish(r.write())
		},
	}
	out.register(c)
	return c
}
