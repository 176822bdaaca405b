package main

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
)

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
				return writeBashCompletion(trusted(p.stdout), c.Root())
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

// bashLists corrects how cobra 1.10.2 completes lists with commas in bash: it compares a word with a description in its
// escaped form, in which a comma has a backslash, so that behind a comma nothing is found; and an inserted word has the
// backslash too.
var bashLists = [][2]string{
	{`[[ $comp == "$cur"* ]] || continue`, `[[ $comp == "$cur"* || ${compline%%$tab*} == "$cur"* ]] || continue`},
	{`COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]%%$tab*}")`, `COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]%%$tab*}"); COMPREPLY[0]=${COMPREPLY[0]//\\,/,}`},
	{`COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]}")`, `COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]}"); COMPREPLY[0]=${COMPREPLY[0]//\\,/,}`},
}

// writeBashCompletion writes cobra's script with bashLists.
func writeBashCompletion(w io.Writer, root *cobra.Command) error {
	var script bytes.Buffer
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	text := script.String()
	for _, mend := range bashLists {
		text = strings.Replace(text, mend[0], mend[1], 1)
	}
	_, err := io.WriteString(w, text)
	return err
}

// completeList completes the last word of a list with commas by names that the list does not hold yet; a name may bring
// its meaning behind a tab.
func completeList(names []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		begun := ""
		if i := strings.LastIndex(typed, ","); i >= 0 {
			begun = typed[:i+1]
		}
		given := strings.Split(begun, ",")
		var found []string
		for _, name := range names {
			word, _, _ := strings.Cut(name, "\t")
			if strings.HasPrefix(begun+word, typed) && !slices.Contains(given, word) {
				found = append(found, begun+name)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeShares completes the name before the last share of a list such as signon=1,refresh=9, with its sign, by names
// that the list does not hold yet. A share itself is a number, which nobody can guess.
func completeShares(names []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(c *cobra.Command, arguments []string, typed string) ([]string, cobra.ShellCompDirective) {
		given := strings.Split(typed, ",")
		free := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return slices.ContainsFunc(given[:len(given)-1],
				func(share string) bool { return strings.HasPrefix(share, name+"=") })
		})
		found, directive := completeList(free)(c, arguments, typed)
		for i := range found {
			found[i] += "="
		}
		return found, directive
	}
}
