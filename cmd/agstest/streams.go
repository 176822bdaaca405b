package main

import (
	"encoding/json"
	"io"

	"agstest/internal/disarm"
)

// guardStreams sends all output to stdout and stderr through one writer each. The writers take out the secrets of the
// environment and disarm characters that a terminal or a build agent would obey.
func (p *program) guardStreams() *output {
	stdout := &output{Writer: p.stdout}
	p.stdout = disarm.NewWriter(stdout, p.secrets.Values)
	p.stderr = disarm.NewWriter(p.stderr, p.secrets.Values)
	return stdout
}

// trusted is the stream below the guard, for our own texts without foreign parts: commands for a build agent whose
// values are disarmed already, completion scripts, pages of the manual.
func trusted(w io.Writer) io.Writer {
	if guard, guarded := w.(*disarm.Writer); guarded {
		return guard.Unwrap()
	}
	return w
}

// letColours lets the guard pass the colours of our own words.
func (p *program) letColours() {
	for _, w := range []io.Writer{p.stdout, p.stderr} {
		if guard, guarded := w.(*disarm.Writer); guarded {
			guard.Styles(p.colored(w))
		}
	}
}

// writeJSON writes a value to stdout, indented, and escapes characters that an agent or a terminal would obey.
func (p *program) writeJSON(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	// figures may look like a secret: what holds texts of an environment is redacted before
	_, err = trusted(p.stdout).Write(append(disarm.JSON(text), '\n'))
	return err
}
