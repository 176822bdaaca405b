package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page of agstest and all its commands.",
		Long:  `One page in the format of man(7), with every command, flag and exit code.`,
		Example: `  agstest man > agstest.1
  agstest man | man -l -`,
		RunE: func(c *cobra.Command, args []string) error {
			w := bufio.NewWriter(trusted(p.stdout))
			writeManual(w, c.Root())
			return w.Flush()
		},
	}
}

// writeManual writes roff by hand: it is a page of plain paragraphs, which needs five requests of man(7).
func writeManual(w *bufio.Writer, root *cobra.Command) {
	fmt.Fprintf(w, ".TH AGSTEST 1 \"\" \"agstest %s\"\n", roff(buildInfo().Version))
	fmt.Fprintf(w, ".SH NAME\nagstest \\- %s\n", roff(lowerFirst(root.Short)))
	fmt.Fprintf(w, ".SH SYNOPSIS\n.B agstest\n[command] [flags]\n.SH DESCRIPTION\n%s\n", roff(root.Long))
	examples(w, root)
	fmt.Fprint(w, ".SH COMMANDS\n")
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "help" {
			continue
		}
		manualOf(w, c)
	}
	fmt.Fprint(w, ".SH FLAGS OF EVERY COMMAND\n")
	flagsOf(w, root.PersistentFlags())
	fmt.Fprint(w, ".SH EXIT STATUS\n")
	for _, line := range exitTable {
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", line.code, roff(line.meaning))
	}
}

func manualOf(w *bufio.Writer, c *cobra.Command) {
	fmt.Fprintf(w, ".SS %s\n%s\n.PP\n", roff(synopsis(c)), roff(c.Short))
	if c.Long != "" {
		fmt.Fprintf(w, "%s\n", roff(c.Long))
	}
	examples(w, c)
	flagsOf(w, c.NonInheritedFlags())
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			manualOf(w, sub)
		}
	}
}

// synopsis is how a command is called, without the flags.
func synopsis(c *cobra.Command) string {
	return strings.TrimSpace(c.Parent().CommandPath() + " " + c.Use)
}

func examples(w *bufio.Writer, c *cobra.Command) {
	if c.Example != "" {
		fmt.Fprintf(w, ".PP\n.nf\n%s\n.fi\n", roff(c.Example))
	}
}

func flagsOf(w *bufio.Writer, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(name+" "+kind)), roff(usage))
	})
}

// roff keeps text from being read as requests.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// exitTable is the table of README, for the manual page and for help.
var exitTable = []struct{ code, meaning string }{
	{"0", "Nothing failed: pass, warning, known, improved, observed."},
	{"1", "A check, a limit or a comparison failed."},
	{"2", "A flag or a file is wrong, and nothing was sent."},
	{"3", "The service is not reachable or set-up failed, so nothing was judged."},
	{"4", "A load did not do all that was asked: it ran out of clients, a shard is missing, or a limit could not be decided; or a comparison is inconclusive or not comparable."},
	{"5", "The load generator was too slow: the figures do not speak of the service."},
	{"6", "What was found could not be written, or not all of it: no room, or stdout cannot be written; the message says what is there."},
	{"70", "Internal error of agstest."},
	{"130, 143", "Interrupted by SIGINT or SIGTERM; what was done is reported, marked partial."},
}
