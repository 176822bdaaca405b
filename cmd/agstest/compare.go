package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/runs"
)

func (p *program) compareCommand() *cobra.Command {
	var (
		out      outputFlags
		history  string
		baseline string
		confirm  string
		window   int
	)
	c := &cobra.Command{
		Use:   "compare OLD NEW | compare --history DIR RUN",
		Short: "Tell two runs apart, or one run from earlier ones.",
		Long: `Compares two stored runs: which requirements changed their verdict, which fields, claims, headers and statuses of answers came or went, and
how response times and errors moved. Two lone load runs never fail a build by their times, and the page says why; against at least ten
earlier runs of the same question (--history) they can. A new load run that failed, was not valid or did not do all that was asked ends the
comparison with the exit code that it ended with itself; one that was inconclusive is never improved or a pass. A run is a folder, a file in it, an id, or the name of a pinned baseline.`,
		Example: `  agstest compare out/monday out/tuesday
  agstest compare release-24.38 out/tuesday           # a pinned baseline, see agstest history
  agstest compare --history out out/tuesday --confirm out/tuesday-again`,
		Args: func(c *cobra.Command, args []string) error {
			if history != "" {
				return wantArguments(1, 1, "one run beside --history DIR")(c, args)
			}
			return wantArguments(2, 2, "two runs")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.checkOutput(&out); err != nil {
				return err
			}
			if history == "" && (baseline != "" || confirm != "" || window != 0) {
				return failure.Usagef(
					"--baseline, --confirm and --window go with --history DIR; add it or leave them out")
			}
			if window < 0 {
				return failure.Usagef("--window must be 0 or more, not %d", window)
			}
			var comparison *compare.Comparison
			var err error
			if history != "" {
				comparison, err = p.compareHistory(history, baseline, confirm, window, args[0], out.strict)
			} else {
				comparison, err = p.compareTwo(args[0], args[1], out.strict)
			}
			if err != nil {
				return err
			}
			return p.recordComparison(c, comparison, &out, comparison.New.Environment)
		},
	}
	flags := c.Flags()
	flags.StringVar(&history, "history", "", "folder of earlier runs")
	flags.StringVar(&baseline, "baseline", "",
		"take the earlier runs up to this pinned one, so that a slow creep is seen")
	flags.StringVar(&confirm, "confirm", "", "a second run of the same build: only what both show counts")
	flags.IntVar(&window, "window", 0, "how many of the newest earlier runs are used; 0: 20")
	out.register(c)
	return c
}

// endAsLoad ends a comparison no milder than its new load run ended: whatever changed or did not, nobody is to take it
// for green. It comes before the comparison, which tells of a warning that is a failure.
func (p *program) endAsLoad(l *reports.Load, strict bool) {
	if l != nil && l.Verdict != "" {
		p.endLoad(l, strict)
	}
}

func (p *program) compareTwo(old, new string, strict bool) (*compare.Comparison, error) {
	first, err := p.readRun(old)
	if err != nil {
		return nil, err
	}
	second, err := p.readRun(new)
	if err != nil {
		return nil, err
	}
	for name, stored := range map[string]runs.Stored{old: first, new: second} {
		if stored.Comparison != nil {
			return nil, failure.Usagef("%s is a comparison itself; give the folders of two runs", name)
		}
	}
	p.endAsLoad(second.Load, strict)
	return compare.Compare(first.Parts, second.Parts), nil
}

func (p *program) compareHistory(root, baseline, confirm string, window int, name string,
	strict bool) (*compare.Comparison, error) {
	run, err := p.readRun(name)
	if err != nil {
		return nil, err
	}
	if run.Load == nil {
		return nil, failure.Usagef("%s has no load part, and only load is compared with a history; compare conformance "+
			"with: agstest compare OLD NEW", name)
	}
	options := compare.HistoryOptions{Window: window, Baseline: baseline}
	if confirm != "" {
		again, err := p.readRun(confirm)
		if err != nil {
			return nil, err
		}
		options.Confirm = &again.Parts
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return nil, failure.Usagef("--history: there is no folder %s: name the one that runs write to, such as %s",
			root, runsFolder)
	}
	entries, err := runs.List(root)
	if err != nil {
		return nil, failure.Usagef("%w", err)
	}
	p.warnOfUnread(root, entries)
	until := time.Time{}
	if baseline != "" {
		pinned, err := runs.Find(root, baseline)
		if err != nil {
			return nil, failure.Usagef("%w", err)
		}
		until = pinned.Start
	}
	var earlier []reports.Parts
	for _, entry := range entries {
		switch {
		case entry.ID == run.Load.Run.ID, options.Confirm != nil && options.Confirm.Load != nil &&
			entry.ID == options.Confirm.Load.Run.ID,
			entry.Question == "", !entry.Start.Before(run.Load.Run.Start), !until.IsZero() && entry.Start.After(until):
			continue
		}
		stored, err := runs.Read(filepath.Join(root, entry.Folder))
		if err != nil {
			p.warnf("%v; it is left out", err)
			continue
		}
		earlier = append(earlier, stored.Parts)
	}
	p.endAsLoad(run.Load, strict)
	comparison := compare.CompareHistory(run.Parts, earlier, options)
	if comparison.New == nil {
		comparison.New = &run.Load.Run
	}
	return comparison, nil
}

// recordComparison writes a comparison to a folder of its own.
func (p *program) recordComparison(c *cobra.Command, comparison *compare.Comparison, out *outputFlags,
	environment string) error {
	r, err := p.newOngoing(c, nil, out, "compare", environment)
	if err != nil {
		return err
	}
	kind := comparison.Run.Kind
	r.stamp(&comparison.Run)
	comparison.Run.Kind, comparison.Run.Environment, comparison.Run.Start, comparison.Run.End = kind, environment,
		r.run.Start, time.Now()
	r.comparison = comparison
	if err := r.write(); err != nil {
		return r.finish(err)
	}
	p.end(exitOfVerdict(comparison.Verdict))
	return r.finish(nil)
}
