package main

import (
	"strings"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/internal/openapi"
)

// prepareCommands returns the commands that send nothing and read no run.
func (p *program) prepareCommands() []*cobra.Command {
	return []*cobra.Command{
		p.mockCommand(), p.initCommand(), p.envCommand(), p.keepCommand(), p.restoreCommand(), p.stepsCommand(),
		p.featuresCommand(), p.schemaCommand(), p.openapiCommand(), p.versionCommand(), p.manCommand(), p.completionCommand(),
		p.imageCommand(), p.shardCommand(),
	}
}

func (p *program) schemaCommand() *cobra.Command {
	kinds := schemaKinds
	return &cobra.Command{
		Use:   "schema KIND",
		Short: "Print a JSON Schema: of environment files, or of what runs write.",
		Long: `Prints the JSON Schema of a kind of file: ` + strings.Join(kinds, ", ") + `.
Editors complete environment files whose first line is: # yaml-language-server: $schema=environment.schema.json
"agstest init" writes that line, and the schema beside the file.`,
		Example: `  agstest schema environment > environment.schema.json
  agstest schema conformance`,
		Args: wantArguments(1, 1, "one of "+strings.Join(kinds, ", ")),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return kinds, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			text, err := schemaOf(args[0], c.Root())
			if err != nil {
				return failure.Usagef("there is no schema %q; %s", args[0],
					failure.DidYouMean(args[0], kinds, "known are: "+strings.Join(kinds, ", ")))
			}
			_, err = trusted(p.stdout).Write(text)
			return err
		},
	}
}

func (p *program) openapiCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the contract as an OpenAPI 3.1 document.",
		Long:  `The public facts that agstest checks, as an OpenAPI 3.1 document in JSON, for mocks, proxies and clients of other makers.`,
		Example: `  agstest openapi > ags.openapi.json
  npx @stoplight/prism-cli mock ags.openapi.json      # a static mock of it`,
		RunE: func(c *cobra.Command, args []string) error {
			text, err := openapi.Document(buildInfo().Version)
			if err != nil {
				return err
			}
			_, err = trusted(p.stdout).Write(append(text, '\n'))
			return err
		},
	}
}
