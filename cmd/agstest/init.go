package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"agstest/environments"
	"agstest/internal/failure"
	"agstest/internal/userfile"
)

func (p *program) initCommand() *cobra.Command {
	var force, asPlan bool
	c := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented environment file, or a plan, to fill in.",
		Long: `Writes an example of an environment file with every key explained, to FILE (mode 0600), or to stdout where none is given. With --plan it
is an example of a plan over several environments. Beside FILE it writes the JSON Schema that the first line of FILE names
(environment.schema.json or plan.schema.json), by which editors complete keys and mark mistakes.`,
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
			if _, err := os.Lstat(path); err == nil && !force {
				return failure.Usagef("%s is there already; name another file, or give --force to write over it", path)
			}
			if err := writeFile(path, []byte(text)); err != nil {
				return err
			}
			fmt.Fprintln(p.stdout, path)
			p.writeSchemaBeside(path, asPlan, c.Root())
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

// initialText returns the text of an example for a file: it names that file, and an environment is named after it.
func initialText(example, name, path string) string {
	text := strings.ReplaceAll(example, name, path)
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if flaw := userfile.Flaw(stem); stem != "" && flaw == "" && !strings.ContainsAny(stem, `":#{}[],&*!|>'%@`+"`") {
		text = strings.Replace(text, "\nname: staging\n", "\nname: "+stem+"\n", 1)
		text = strings.Replace(text, "\nname: before-release\n", "\nname: "+stem+"\n", 1)
	}
	return text
}

// writeSchemaBeside puts the schema that an example names into the folder of the file. One of another version of
// agstest is replaced; a file of somebody else stays. That it could not be written costs an editor its help and nothing
// else, so it is a warning.
func (p *program) writeSchemaBeside(path string, asPlan bool, root *cobra.Command) {
	kind := "environment"
	if asPlan {
		kind = "plan"
	}
	schema, err := schemaOf(kind, root)
	if err != nil {
		p.warnf("the schema of the file could not be made: %v", err)
		return
	}
	beside := filepath.Join(filepath.Dir(path), kind+".schema.json")
	there, err := os.ReadFile(beside)
	flags := os.O_WRONLY | os.O_TRUNC
	switch {
	case err == nil && bytes.Equal(there, schema):
		return
	case err == nil && schemaID(there) != schemaID(schema):
		p.warnf("%s is there already and is no schema of agstest, so it is left as it is; editors take it for the one of %s",
			beside, path)
		return
	case err != nil && !os.IsNotExist(err):
		p.warnf("%s cannot be read (%v), so the schema was not written", beside, err)
		return
	}
	if err != nil {
		flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	}
	file, err := os.OpenFile(beside, flags, 0o644)
	if err == nil {
		_, err = file.Write(schema)
		if closing := file.Close(); err == nil {
			err = closing
		}
	}
	if err != nil {
		p.warnf("the schema for editors could not be written: %v", err)
		return
	}
	fmt.Fprintln(p.stdout, beside)
}

// schemaID is the $id of a schema, or nothing.
func schemaID(text []byte) string {
	var read struct {
		ID string `json:"$id"`
	}
	if json.Unmarshal(text, &read) != nil {
		return ""
	}
	return read.ID
}
