package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"agstest/internal/disarm"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/reports/site"
)

func (p *program) siteCommand() *cobra.Command {
	var to string
	options := site.Options{Reports: 3}
	c := &cobra.Command{
		Use:   "site DIR",
		Short: "Make a static site of all stored runs.",
		Long: `Makes pages of every run below DIR, those of plans too: what each environment found last, a calendar, trends of conformance and of load,
the story of every requirement from release to release, each run beside the one before, and a search. The site needs no server and no
network: it works from a disk, as GitLab or GitHub Pages, under Jenkins' policy and from a bucket. A further run costs little, since the
site keeps what it knows of runs. Full reports are kept of the newest runs and of pinned ones.

The folder of a site bears the mark .agstest-site. A folder that holds anything else is refused, and in a site nothing is replaced or
deleted that was not written by this command: a CNAME or robots.txt of yours stays.`,
		Example: `  agstest site out --to public
  agstest site out --to public --dry-run
  agstest site out --to public --name 'AGS, all environments' --reports 10`,
		Args: wantArguments(1, 1, "the folder of runs"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error {
			if options.Reports < 0 {
				return failure.Usagef("--reports %d: give 0 or more", options.Reports)
			}
			options.Tool = buildInfo().Version + " " + buildInfo().Commit
			result, err := site.Build(args[0], to, options)
			if err != nil {
				return failure.Usagef("%w", err)
			}
			const warned = 5
			for _, problem := range result.Damaged[:min(len(result.Damaged), warned)] {
				p.warnf("left out: %s", disarm.Line(problem))
			}
			if n := len(result.Damaged) - warned; n > 0 {
				p.warnf("left out too: %s that could not be read", figures.Plural(int64(n), "folder"))
			}
			for _, name := range result.Left {
				p.warnf("%s is no longer of the site, and was changed by others: it stays", disarm.Line(name))
			}
			if options.DryRun {
				for _, name := range result.Written {
					fmt.Fprintf(p.stdout, "write %s\n", name)
				}
				for _, name := range result.Removed {
					fmt.Fprintf(p.stdout, "remove %s\n", name)
				}
			}
			fmt.Fprintf(p.stdout, "%s of %s, %d of them new: %s, %s, of which %d changed and %d went\n",
				figures.Plural(int64(result.Runs), "run"), figures.Plural(int64(result.Environments), "environment"),
				result.Read, figures.Plural(int64(result.Files), "file"), megabytes(result.Bytes), len(result.Written),
				len(result.Removed))
			if !options.DryRun {
				fmt.Fprintf(p.stdout, "Site: %s/index.html\n", disarm.Line(to))
			}
			return nil
		},
	}
	flags := c.Flags()
	flags.StringVar(&to, "to", "public", "folder of the site")
	flags.StringVar(&options.Name, "name", "Test history", "title of the site")
	flags.IntVar(&options.Reports, "reports", options.Reports,
		"full reports of so many of the newest runs of each environment and kind; pinned runs have theirs too")
	flags.BoolVar(&options.DryRun, "dry-run", false, "tell what would be written and removed, and change nothing")
	_ = c.MarkFlagDirname("to")
	return c
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
