package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/steps/words"
)

// ability is one line in the output of agstest env.
type ability struct {
	Name    string `json:"name"`
	Allows  string `json:"allows"`
	Offered bool   `json:"offered"`
	Absent  bool   `json:"absent,omitempty"`
	Missing string `json:"missing,omitempty"`
	Example string `json:"example,omitempty"`
}

func (p *program) envCommand() *cobra.Command {
	var asJSON, expect bool
	c := &cobra.Command{
		Use:   "env FILE",
		Short: "Show what an environment file says, redacted, and what it allows to be checked.",
		Long: `Reads an environment file and sends nothing. Shown are the values that would be used, with secrets replaced by where they come from, and
for each situation what it allows to be checked, or what the file lacks for it. FILE may be - for stdin. --expect writes the key coverage for
what the file can have judged today: paste it into the file, and a run that judges less ends as not enough checked.`,
		Example: `  agstest env staging.yaml
  agstest env staging.yaml --expect >> staging.yaml
  agstest env staging.yaml --json | jq -r '.abilities[] | select(.offered | not) | .example'`,
		Args: wantArguments(1, 1, "one environment file"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(c *cobra.Command, args []string) error {
			e, err := p.readEnvironment(args[0])
			if err != nil {
				return err
			}
			if err := p.useKept(e); err != nil {
				return err
			}
			if forDocuments(e.URL) {
				p.warnf("url is %s, which is the example's and nobody's; write the address of your service", e.URL)
			}
			if expect {
				return p.expect(e, asJSON)
			}
			text, err := e.Shown()
			if err != nil {
				return fmt.Errorf("writing the environment: %w", err)
			}
			var abilities []ability
			for _, a := range e.Abilities() {
				line := ability{Name: a.Name, Allows: a.Allows, Offered: a.Offered, Absent: a.Absent,
					Missing: a.Missing}
				if !a.Offered && !a.Absent {
					line.Example = a.Example
				}
				abilities = append(abilities, line)
			}
			if asJSON {
				converted, err := yaml.YAMLToJSON(text)
				if err != nil {
					return fmt.Errorf("writing the environment: %w", err)
				}
				return p.writeJSON(map[string]any{"environment": json.RawMessage(converted), "abilities": abilities})
			}
			return showEnvironment(p.stdout, e, text, abilities)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().BoolVar(&expect, "expect", false,
		"write the key coverage: the situations that the file can have judged today")
	return c
}

// expect writes the block of the environment file that makes later runs judge all that the file allows today.
func (p *program) expect(e *environment.Environment, asJSON bool) error {
	names := e.Expectable()
	if len(names) == 0 {
		return failure.Usagef(
			"the file gives no situation whole, so there is none to expect; agstest env shows what it lacks")
	}
	if e.Coverage != "" {
		p.warnf("the file has the key coverage already (%s): put this in its place", e.Coverage)
	}
	if asJSON {
		return p.writeJSON(map[string]any{"coverage": names})
	}
	fmt.Fprintln(p.stdout, "coverage:")
	for _, name := range names {
		fmt.Fprintf(p.stdout, "  - %s\n", name)
	}
	return nil
}

// forDocuments tells whether an address is one that nobody has: RFC 2606 keeps example.com and its like for examples.
func forDocuments(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := "." + strings.ToLower(u.Hostname())
	return slices.ContainsFunc([]string{".example.com", ".example.net", ".example.org", ".example"},
		func(reserved string) bool { return strings.HasSuffix(host, reserved) })
}

func showEnvironment(w io.Writer, e *environment.Environment, text []byte, abilities []ability) error {
	fmt.Fprintf(w, "%s", text)
	offered := 0
	for _, a := range abilities {
		if a.Offered {
			offered++
		}
	}
	fmt.Fprintf(w, "\nIt offers %d of %d situations and parts:\n\n", offered, len(abilities))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range abilities {
		state := "yes"
		if !a.Offered {
			state = "no"
		}
		if a.Absent {
			state = "absent"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", state, a.Name, a.Allows)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if offered < len(abilities) {
		var situations, keys []string
		for _, a := range abilities {
			switch {
			case a.Offered, a.Absent:
			case slices.Contains(environment.SituationNames, a.Name):
				situations = append(situations, a.Example)
			default:
				keys = append(keys, a.Example)
			}
		}
		show := func(lead string, lines []string) {
			if len(lines) == 0 {
				return
			}
			fmt.Fprintf(w, "\n%s\n\n", lead)
			for _, line := range lines {
				fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(line, "\n", "\n  "))
			}
		}
		show("What is missing, with values of your own in place of the ones shown; these lines go below situations:",
			situations)
		show("These are keys of their own; where the file has the key, put what stands in the braces below it:", keys)
	}
	return nil
}

func (p *program) stepsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "steps [WORD...]",
		Short: "List the sentences that feature files may use.",
		Long: `The vocabulary of feature files, for writing scenarios of your own: put them in a folder and run agstest conform --features FOLDER.
Each sentence stands with what it means and an example to copy; <…> is a value to fill in, […] may be left out, a|b is a choice.
With words, only sentences that have all of them are listed.`,
		Example: `  agstest steps
  agstest steps refresh token
  agstest steps --json | jq -r '.[].example'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			vocabulary := slices.DeleteFunc(words.Vocabulary(), func(phrase words.Phrase) bool {
				text := strings.ToLower(phrase.Text + " " + phrase.Meaning + " " + phrase.Example)
				return slices.ContainsFunc(args,
					func(word string) bool { return !strings.Contains(text, strings.ToLower(word)) })
			})
			if len(vocabulary) == 0 {
				return failure.Usagef("no sentence has the words %q; agstest steps lists all", strings.Join(args, " "))
			}
			if asJSON {
				type phrase struct {
					Keyword  string `json:"keyword"`
					Text     string `json:"text"`
					Meaning  string `json:"meaning"`
					Example  string `json:"example"`
					Argument string `json:"argument,omitempty"`
				}
				list := make([]phrase, 0, len(vocabulary))
				for _, v := range vocabulary {
					list = append(list, phrase{v.Keyword, v.Text, v.Meaning, v.Example, v.Argument})
				}
				return p.writeJSON(list)
			}
			for i, v := range vocabulary {
				if i > 0 {
					fmt.Fprintln(p.stdout)
				}
				below := ""
				if v.Argument != "" {
					below = " (with a " + v.Argument + " below)"
				}
				fmt.Fprintf(p.stdout, "%s %s%s\n    %s\n    %s %s\n", v.Keyword, v.Text, below, v.Meaning, v.Keyword,
					v.Example)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}
