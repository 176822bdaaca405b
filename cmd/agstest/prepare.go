package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"agstest/environments"
	"agstest/internal/failure"
	"agstest/internal/openapi"
	"agstest/internal/userfile"
)

// prepareCommands are those that send nothing and read no run.
func (p *program) prepareCommands() []*cobra.Command {
	return []*cobra.Command{
		p.mockCommand(), p.initCommand(), p.envCommand(), p.restoreCommand(), p.stepsCommand(), p.featuresCommand(), p.schemaCommand(), p.openapiCommand(), p.versionCommand(), p.manCommand(), p.completionCommand(), p.imageCommand(), p.shardCommand(),
	}
}

func (p *program) initCommand() *cobra.Command {
	var force, asPlan bool
	c := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented environment file, or a plan, to fill in.",
		Long: `Writes an example of an environment file with every key explained, to FILE (mode 0600), or to stdout where none is given. With --plan it
is an example of a plan over several environments.`,
		Example: `  agstest init staging.yaml
  agstest init --plan release.yaml
  agstest env staging.yaml                            # what it allows to be checked`,
		Args: wantArguments(0, 1, "at most one file"),
		RunE: func(c *cobra.Command, args []string) error {
			example, name := string(environments.Live), "live.yaml"
			if asPlan {
				example, name = string(environments.Plan), "plan.yaml"
			}
			if len(args) == 0 || args[0] == "-" {
				_, err := io.WriteString(trusted(p.stdout), example)
				return err
			}
			path := args[0]
			text := initialText(example, name, path)
			flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
			if force {
				flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
			}
			file, err := os.OpenFile(path, flags, 0o600)
			if os.IsExist(err) {
				return failure.Usagef("%s is there already; name another file, or give --force to write over it", path)
			}
			if err != nil {
				return failure.Usagef("cannot write the environment file: %w", err)
			}
			_, err = file.WriteString(text)
			if closing := file.Close(); err == nil {
				err = closing
			}
			if err != nil {
				return failure.Usagef("cannot write the environment file: %w", err)
			}
			fmt.Fprintln(p.stdout, path)
			if asPlan {
				p.notef("fill it in, then see what it would run: agstest run %s --dry-run", path)
			} else {
				p.notef("fill it in, then see what it allows to be checked: agstest env %s", path)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.Flags().BoolVar(&asPlan, "plan", false, "write an example of a plan over several environments instead")
	return c
}

// initialText is an example as it is written to a file: it speaks of that file, and an environment is named after it.
func initialText(example, name, path string) string {
	text := strings.ReplaceAll(example, name, path)
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if flaw := userfile.Flaw(stem); stem != "" && flaw == "" && !strings.ContainsAny(stem, `":#{}[],&*!|>'%@`+"`") {
		text = strings.Replace(text, "\nname: staging\n", "\nname: "+stem+"\n", 1)
		text = strings.Replace(text, "\nname: before-release\n", "\nname: "+stem+"\n", 1)
	}
	return text
}

func (p *program) schemaCommand() *cobra.Command {
	kinds := schemaKinds
	return &cobra.Command{
		Use:   "schema KIND",
		Short: "Print a JSON Schema: of environment files, or of what runs write.",
		Long: `Prints the JSON Schema of a kind of file: ` + strings.Join(kinds, ", ") + `.
Editors complete environment files whose first line is: # yaml-language-server: $schema=environment.schema.json`,
		Example: `  agstest schema environment > environment.schema.json
  agstest schema conformance`,
		Args: wantArguments(1, 1, "one of "+strings.Join(kinds, ", ")),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return kinds, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			text, err := schemaOf(args[0], c.Root())
			if err != nil {
				advice := "known are: " + strings.Join(kinds, ", ")
				if near := failure.Nearest(args[0], kinds); near != "" {
					advice = "did you mean " + near + "?"
				}
				return failure.Usagef("there is no schema %q; %s", args[0], advice)
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
  agstest openapi | npx @stoplight/prism-cli mock /dev/stdin`,
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

func (p *program) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the script that completes commands and flags in a shell.",
		Long:  `Prints a script for bash, zsh, fish or powershell. Load it into the running shell as below, or put it where your shell looks for such scripts.`,
		Example: `  agstest completion bash > ~/.local/share/bash-completion/completions/agstest
  agstest completion zsh > "${fpath[1]}/_agstest"
  agstest completion fish > ~/.config/fish/completions/agstest.fish`,
		Args:              wantArguments(1, 1, "one of "+strings.Join(shells, ", ")),
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(trusted(p.stdout), true)
			case "zsh":
				return c.Root().GenZshCompletion(trusted(p.stdout))
			case "fish":
				return c.Root().GenFishCompletion(trusted(p.stdout), true)
			case "powershell":
				return c.Root().GenPowerShellCompletionWithDesc(trusted(p.stdout))
			}
			return failure.Usagef("completion is for %s, not %q", strings.Join(shells, ", "), args[0])
		},
	}
}
