package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/disarm"
	"agstest/internal/failure"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/html"
	"agstest/reports/runs"
)

func (p *program) historyCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "history",
		Short: "List, pin and prune stored runs, and draw their trend.",
		Long: `Works on the folder that runs write to. A pinned run is kept under a name, such as a release, is not pruned, and can be compared with by
that name. The index is a copy of what the folders say and can be rebuilt.`,
		Example: `  agstest history list
  agstest history pin release-24-38 20261123T101500Z-staging-gate-3f2a
  agstest history prune --keep 50 --older-than 90d
  agstest history trend`,
		RunE: func(c *cobra.Command, args []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&dir, "dir", runsFolder, "folder of runs")
	_ = c.MarkPersistentFlagDirname("dir")

	pin := &cobra.Command{
		Use: "pin NAME RUN", Short: "Keep a run under a name.",
		Long:    `A name that is in use moves to the new run. RUN is the name of a folder or the beginning of an id.`,
		Example: "  agstest history pin release-24-38 20261123T101500Z-staging-gate-3f2a",
		Args:    wantArguments(2, 2, "a name and a run"),
		RunE: func(c *cobra.Command, args []string) error {
			entry, err := runs.Pin(dir, args[0], args[1], time.Now())
			if err != nil {
				return failure.Usagef("%w", err)
			}
			fmt.Fprintf(p.stdout, "%s is %s\n", args[0], entry.Folder)
			return nil
		},
	}
	unpin := &cobra.Command{
		Use: "unpin NAME", Short: "Forget the name of a pinned run.",
		Long:    `The run stays until it is pruned.`,
		Example: "  agstest history unpin release-24-38",
		Args:    wantArguments(1, 1, "a name"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := runs.Unpin(dir, args[0]); err != nil {
				return failure.Usagef("%w", err)
			}
			return nil
		},
	}

	rebuild := &cobra.Command{
		Use: "rebuild", Short: "Write the index of runs anew from their folders.",
		Long:    `The index makes listing fast and may be deleted at any time.`,
		Example: "  agstest history rebuild",
		Args:    refuseArguments,
		RunE: func(c *cobra.Command, args []string) error {
			if err := runs.RebuildIndex(dir); err != nil {
				return failure.Usagef("%w", err)
			}
			return nil
		},
	}
	var trendPage string
	var pageStyle outputFlags
	trend := &cobra.Command{
		Use: "trend", Short: "Draw how response times moved over the stored runs.",
		Long:    `Writes a page with the response times of each question over all its runs, with the places where they changed their level.`,
		Example: "  agstest history trend --page out/trend.html",
		Args:    refuseArguments,
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--report-style", pageStyle.style, reportStyles); err != nil {
				return err
			}
			entries, err := runs.List(dir)
			if err != nil {
				return failure.Usagef("%w", err)
			}
			p.warnOfUnread(dir, entries)
			page := trendPage
			if page == "" {
				page = filepath.Join(dir, "trend.html")
			}
			at := filepath.Dir(page)
			if err := os.MkdirAll(at, 0o700); err != nil {
				return failure.Usagef("cannot make the folder of the page: %w", err)
			}
			style := p.style(&pageStyle)
			err = intoFolder(at)(filepath.Base(page),
				func(w io.Writer) error { return html.Trends(w, compare.Trends(entries), style) })
			if err == nil && style.Folder {
				err = intoFolder(at)("report.css",
					func(w io.Writer) error { _, err := w.Write(html.StyleSheet()); return err })
			}
			if err != nil {
				return failure.Usagef("%w", err)
			}
			fmt.Fprintf(p.stdout, "Report: %s\n", page)
			return nil
		},
	}
	trend.Flags().StringVar(&trendPage, "page", "", "file to write; left out: trend.html in the folder of runs")
	pageStyle.registerStyle(trend)
	c.AddCommand(p.historyList(&dir), pin, unpin, p.historyPrune(&dir), rebuild, trend)
	return c
}

func (p *program) historyList(dir *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the stored runs, the oldest first.",
		Long:    `Shows when each run was, of which environment and kind, its verdict and the names it is pinned under.`,
		Example: "  agstest history list\n  agstest history list --json | jq -r '.[] | select(.verdict==\"fail\") | .folder'",
		Args:    refuseArguments,
		RunE: func(*cobra.Command, []string) error {
			entries, err := runs.List(*dir)
			if err != nil {
				return failure.Usagef("%w", err)
			}
			p.warnOfUnread(*dir, entries)
			if asJSON {
				type listed struct {
					reports.Entry
					Pins []string `json:"pins,omitempty"`
				}
				out := make([]listed, 0, len(entries))
				for _, entry := range entries {
					out = append(out, listed{entry, entry.Pins})
				}
				return p.writeJSON(out)
			}
			if len(entries) == 0 {
				text := "there are no runs in " + disarm.Line(*dir)
				if plans, err := filepath.Glob(filepath.Join(*dir, "*", "plan.json")); err == nil && len(plans) > 0 {
					folder := disarm.Line(filepath.Dir(plans[len(plans)-1]))
					text += fmt.Sprintf(" itself; those of the plan %[1]s are in its folders, one for each environment (agstest "+
						"history list --dir %[1]s/ENVIRONMENT), and agstest site %[2]s shows all", folder, disarm.Line(*dir))
				}
				p.notef("%s", text)
			}
			table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			for _, entry := range entries {
				partial := ""
				if entry.Partial != "" {
					partial = "partial"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", disarm.Line(entry.Folder),
					disarm.Line(entry.Environment), disarm.Line(entry.Kind), disarm.Line(entry.Verdict.Word()), partial,
					disarm.Line(strings.Join(entry.Pins, " ")))
			}
			return table.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// warnOfUnread names the stored runs that are left out because they cannot be read: a history with a gap is not whole.
func (p *program) warnOfUnread(root string, listed []reports.Entry) {
	for _, err := range runs.Unread(root, listed) {
		p.warnf("%s; it is left out", disarm.Line(err.Error()))
	}
}

func (p *program) historyPrune(dir *string) *cobra.Command {
	var keep int
	var olderThan string
	var dryRun bool
	c := &cobra.Command{
		Use: "prune", Short: "Delete old runs.",
		Long:    `Pinned runs stay, and so do runs that go on. With both --keep and --older-than a run goes only if both allow it.`,
		Example: "  agstest history prune --keep 50 --dry-run\n  agstest history prune --older-than 90d",
		Args:    refuseArguments,
		RunE: func(*cobra.Command, []string) error {
			options := runs.PruneOptions{Keep: keep, Now: time.Now(), DryRun: dryRun}
			var err error
			if olderThan != "" {
				if options.OlderThan, err = parseDays(olderThan); err != nil {
					return failure.Usagef("--older-than: %w", err)
				}
			}
			gone, left, err := runs.Prune(*dir, options)
			for _, stays := range left {
				p.warnf("%s", disarm.Line(stays))
			}
			for _, entry := range gone {
				fmt.Fprintln(p.stdout, entry.Folder)
			}
			if err != nil {
				return failure.Usagef("%w; give --keep or --older-than", err)
			}
			return nil
		},
	}
	c.Flags().IntVar(&keep, "keep", 0, "the newest runs of each environment and kind that stay")
	c.Flags().StringVar(&olderThan, "older-than", "", "only runs older than this go, such as 90d or 36h")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "tell what would go, and leave it")
	return c
}

// parseDays reads a time as time.ParseDuration does, and days besides.
func parseDays(text string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(text, "d")
	if isDays {
		var n int
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && fmt.Sprint(n) == days && n > 0 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a time such as 90d or 36h", text)
	}
	return d, nil
}
