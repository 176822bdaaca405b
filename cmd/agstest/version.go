package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"agstest/reports"
)

// version and commit are set by the linker in released binaries; otherwise the module and the repository say.
var version, commit string

// buildInfo says which program this is.
func buildInfo() reports.Tool {
	tool := reports.Tool{Version: version, Commit: commit, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		if tool.Version == "" && info.Main.Version != "(devel)" {
			tool.Version = info.Main.Version
		}
		dirty := ""
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision" && tool.Commit == "":
				tool.Commit = setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true" && commit == "":
				dirty = "+changes"
			}
		}
		if tool.Commit != "" {
			tool.Commit += dirty
		}
	}
	if tool.Version == "" {
		tool.Version = "unreleased"
	}
	return tool
}

// Dependency is a module that the binary holds.
type dependency struct {
	Module  string `json:"module"`
	Version string `json:"version"`
	Licence string `json:"licence"`
}

func dependencies() []dependency {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var list []dependency
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		licence := licences[module.Path]
		if licence == "" {
			licence = "see the module"
		}
		list = append(list, dependency{module.Path, module.Version, licence})
	}
	return list
}

// thisProgram stands for the program itself where --sbom names no file.
const thisProgram = "self"

func (p *program) versionCommand() *cobra.Command {
	var asJSON, withLicences bool
	var bill string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and the platform.",
		Long:  `Says which agstest this is; with --licenses also which modules of others it holds, and under which licences.`,
		Example: `  agstest version
  agstest version --licenses
  agstest version --json
  agstest version --sbom > agstest.cdx.json`,
		RunE: func(c *cobra.Command, args []string) error {
			tool := buildInfo()
			if bill != "" {
				sbom, err := billOf(strings.TrimPrefix(bill, thisProgram), tool.Version)
				if err != nil {
					return err
				}
				return p.writeJSON(sbom)
			}
			if asJSON {
				out := struct {
					reports.Tool
					OS   string `json:"os"`
					Arch string `json:"arch"`
					// other than this machine that loads can run on
					Engines      []string     `json:"engines,omitempty"`
					Dependencies []dependency `json:"dependencies,omitempty"`
				}{Tool: tool, OS: runtime.GOOS, Arch: runtime.GOARCH, Engines: p.engines()}
				if withLicences {
					out.Dependencies = dependencies()
				}
				return p.writeJSON(out)
			}
			fmt.Fprintf(p.stdout, "agstest %s", tool.Version)
			if tool.Commit != "" {
				fmt.Fprintf(p.stdout, " (%s)", tool.Commit)
			}
			fmt.Fprintf(p.stdout, " %s %s/%s", tool.Go, runtime.GOOS, runtime.GOARCH)
			for _, engine := range p.engines() {
				fmt.Fprintf(p.stdout, " with %s", engine)
			}
			fmt.Fprintln(p.stdout)
			if !withLicences {
				return nil
			}
			table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			for _, d := range dependencies() {
				fmt.Fprintf(table, "%s\t%s\t%s\n", d.Module, d.Version, d.Licence)
			}
			return table.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().StringVar(&bill, "sbom", "",
		"write what a program holds as a CycloneDX bill of materials; without =FILE: what this one holds")
	c.Flags().Lookup("sbom").NoOptDefVal = thisProgram
	c.Flags().BoolVar(&withLicences, "licenses", false, "list the modules in this binary with their licences")
	return c
}
