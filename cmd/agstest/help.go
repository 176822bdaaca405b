package main

import (
	"errors"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agstest/internal/failure"
)

// Help starts with examples, because people read them.
const helpTemplate = `{{with .Short}}{{. | trimTrailingWhitespaces}}{{end}}

Examples:
{{.Example}}
{{if ne .Long ""}}
{{.Long | trimTrailingWhitespaces}}
{{end}}
{{.UsageString}}`

const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if .HasAvailableSubCommands}}{{$commands := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $commands}}{{if (and (eq .GroupID $group.ID) .IsAvailableCommand)}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}{{end}}{{if not .AllChildCommandsHaveGroup}}

Commands:{{range $commands}}{{if (and (eq .GroupID "") .IsAvailableCommand)}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{(flagsIn . "").FlagUsages | trimTrailingWhitespaces}}{{end}}{{if (flagsIn . "kubernetes").HasAvailableFlags}}

Flags of --on kubernetes:
{{(flagsIn . "kubernetes").FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

See "{{.CommandPath}} [command] --help" for examples of a command.{{end}}
`

// flagGroup is the annotation of a flag that is listed apart from the others.
const flagGroup = "group"

// flagsIn returns the flags of a command that belong to a group; flags without a group belong to the empty one.
func flagsIn(c *cobra.Command, group string) *pflag.FlagSet {
	some := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if strings.Join(f.Annotations[flagGroup], "") == group {
			some.AddFlag(f)
		}
	})
	return some
}

func init() { cobra.AddTemplateFunc("flagsIn", flagsIn) }

var unknownFlag = regexp.MustCompile(`^unknown flag: --([A-Za-z0-9_-]+)`)

// flagError turns an error about flags into a sentence that says what to write instead.
func flagError(c *cobra.Command, err error) error {
	advice := "see: " + c.CommandPath() + " --help"
	text := err.Error()
	if errors.Is(err, errTwice) {
		return failure.Usagef("%s: %w", c.CommandPath(), errTwice)
	}
	if match := unknownFlag.FindStringSubmatch(text); match != nil {
		if instead, ok := expected[match[1]]; ok {
			return failure.Usagef("%s has no flag --%s; %s", c.CommandPath(), match[1], instead)
		}
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := failure.Nearest(match[1], names); near != "" {
			advice = "did you mean --" + near + "? " + advice
		}
		return failure.Usagef("%s has no flag --%s; %s", c.CommandPath(), match[1], advice)
	}
	if match := durationFlag.FindStringSubmatch(text); match != nil {
		return failure.Usagef("%s: %s must be a time with its unit, such as 30s or 10m, not %s; %s", c.CommandPath(),
			match[2], match[1], advice)
	}
	if match := valueFlag.FindStringSubmatch(text); match != nil {
		wanted := map[string]string{"Int": "a whole number", "Uint": "a whole number, 0 or more", "Float": "a number",
			"Bool": "true or false"}[match[3]]
		return failure.Usagef("%s: %s must be %s, not %s; %s", c.CommandPath(), match[2], wanted, match[1], advice)
	}
	return failure.Usagef("%s: %s; %s", c.CommandPath(), text, advice)
}

var valueFlag = regexp.MustCompile(
	`^invalid argument ("[^"]*") for "(?:-[a-z], )?(--[a-z-]+)" flag: strconv\.Parse(Int|Uint|Float|Bool):`)

var durationFlag = regexp.MustCompile(`^invalid argument ("[^"]*") for "(--[a-z-]+)" flag: time:`)

// refuseArguments is for commands that take no arguments.
func refuseArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		if instead, ok := expectedCommands[args[0]]; ok && !c.HasParent() {
			return failure.Usagef("there is no command agstest %q; %s", args[0], instead)
		}
		var names []string
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		if near := failure.Nearest(args[0], names); near != "" {
			return failure.Usagef("there is no command %s %q; did you mean %s? See: %s --help", c.CommandPath(),
				args[0], near, c.CommandPath())
		}
		return failure.Usagef("there is no command %s %q; see: %s --help", c.CommandPath(), args[0], c.CommandPath())
	}
	if (strings.HasSuffix(args[0], ".yaml") || strings.HasSuffix(args[0], ".yml")) && c.Flags().Lookup("env") != nil {
		return failure.Usagef("%s takes no argument, but got %q; an environment file is given as: %s --env %s",
			c.CommandPath(), args[0], c.CommandPath(), args[0])
	}
	return failure.Usagef("%s takes no argument, but got %q; flags start with -- (see: %s --help)", c.CommandPath(),
		args[0], c.CommandPath())
}

// wantArguments is for commands that take from least to most arguments, described in words.
func wantArguments(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return failure.Usagef("%s wants %s, such as:\n%s", c.CommandPath(), what, firstLine(c.Example))
		}
		return nil
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	line, _, _ = strings.Cut(line, "  #")
	return strings.TrimSpace(line)
}

func orNoFiles(f cobra.CompletionFunc) cobra.CompletionFunc {
	if f != nil {
		return f
	}
	return cobra.NoFileCompletions
}
