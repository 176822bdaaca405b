package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"agstest/internal/failure"
)

// checkColor refuses a colour mode that does not exist.
func (p *program) checkColor() error {
	switch p.color {
	case "auto", "always", "never":
		return nil
	}
	return failure.Usagef("--color must be always, never or auto, not %q", p.color)
}

// colored tells whether text for w carries colours: the flag decides, then NO_COLOR, then CLICOLOR_FORCE and
// FORCE_COLOR, then whether w is a terminal.
func (p *program) colored(w io.Writer) bool {
	switch p.color {
	case "always":
		return true
	case "never":
		return false
	}
	if p.variable("NO_COLOR") != "" {
		return false
	}
	for _, name := range []string{"CLICOLOR_FORCE", "FORCE_COLOR"} {
		if v := p.variable(name); v != "" && v != "0" {
			return true
		}
	}
	return isTerminal(w) && p.variable("TERM") != "dumb"
}

func (p *program) variable(name string) string {
	value, _ := p.getenv(name)
	return value
}

func isTerminal(w io.Writer) bool {
	w = trusted(w)
	if out, wrapped := w.(*output); wrapped {
		w = out.Writer
	}
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// notef tells something on stderr that is no result, unless --quiet.
func (p *program) notef(format string, args ...any) {
	if !p.quiet {
		fmt.Fprintf(p.stderr, format+"\n", args...)
	}
}

// warnf tells something on stderr that should be changed, even with --quiet.
func (p *program) warnf(format string, args ...any) {
	fmt.Fprintf(p.stderr, "agstest: warning: "+format+"\n", args...)
}
