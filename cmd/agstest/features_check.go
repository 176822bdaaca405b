package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"agstest/internal/figures"
	"agstest/steps"
)

func (p *program) featuresCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "features",
		Short: "Check feature files of your own.",
		Long:  "Works on folders of feature files of your own, without a service.",
		Example: `  agstest features check mine
  agstest conform --features mine`,
		Args: refuseArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "check DIR",
		Short: "Tell every mistake of a folder of feature files at once.",
		Long: `Reads every feature file of a folder and the folders below it, as agstest conform --features DIR does, and sends nothing. Every mistake is told
with its file and line: what Gherkin cannot read, sentences that nobody knows, tables that are not whole, outlines without rows, scenarios
without steps, tags of requirements that do not exist. Exit code 2 if there is one.`,
		Example: `  agstest features check mine
  agstest steps refresh token                         # the sentences that have these words`,
		Args: wantArguments(1, 1, "one folder of feature files"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := featureFolder(args[0])
			if err != nil {
				return err
			}
			files, scenarios, err := steps.CheckFeatures(folder, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%s: %s, %s, no mistake\n", args[0], figures.Plural(files, "file"),
				figures.Plural(scenarios, "scenario"))
			return nil
		},
	})
	return c
}
