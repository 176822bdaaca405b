package peers_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
)

// sarifRule finds what the validator says of a file: "FILE(1,104): error SARIF1009" and the like.
var sarifRule = regexp.MustCompile(`(?m)^(.*?)(?:\([\d,]+\): )?(error|warning) ((?:SARIF|GH|JSON)\d+)`)

// sarifFound is what the validator says of one file.
type sarifFound struct{ errors, warnings string }

// TestSARIFIsTakenByItsOwnTools: the files of all kinds of runs are of the schema that OASIS publishes, and the
// validator of Microsoft's SARIF SDK has nothing to say of them but that they name no home page of the tool, and that a
// version of an unreleased one is no number. It does say it of a file that is wrong. With the rules of GitHub's code
// scanning, which takes a result only at a file of the repository, it has more to say: docs/report.md has it.
func TestSARIFIsTakenByItsOwnTools(t *testing.T) {
	tool(t, "@microsoft/sarif-multitool")
	if runtime.GOOS != "linux" {
		t.Skip("skipped: the validator for Linux alone is tried here")
	}
	home := "node_modules/@microsoft/sarif-multitool-linux/"
	multitool, err := filepath.Abs(home + "Sarif.Multitool")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(multitool, 0o755)) // its package does so in a script, which npm does not run here
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile(home + "sarif-2.1.0.json")
	require.NoError(t, err)
	folder := t.TempDir()
	paths := map[string]string{}
	put := func(name string, text []byte) {
		paths[name] = filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".sarif")
		require.NoError(t, os.WriteFile(paths[name], text, 0o600))
	}
	written := func(c *reports.Conformance, l *reports.Load) []byte {
		var b bytes.Buffer
		require.NoError(t, export.SARIF(&b, c, l))
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(document))
		return b.Bytes()
	}
	all := readerRuns(t)
	for name, c := range all {
		text := written(c, nil)
		put(name, text)
		assert.Equal(t, c.Verdict.Blocks(), bytes.Contains(text, []byte("\n          \"level\": \"error\"")), name)
	}
	invalid := &reports.Load{Verdict: reports.Invalid, Reason: "the generator was too slow", Invalid: []string{"9 % was sent"}, Run: reports.Run{ID: "r", Environment: "staging"}}
	put("not valid", written(nil, invalid))
	red := written(all["one of one is red"], nil)
	put("spoilt", regexp.MustCompile(`"ruleIndex": \d+`).ReplaceAll(red, []byte(`"ruleIndex": 7000`)))

	found := sarifValidated(t, multitool, paths)
	for name := range all {
		assert.Empty(t, found[name].errors, name)
		assert.Empty(t, strings.ReplaceAll(found[name].warnings, "SARIF2005 ", ""), name)
	}
	assert.Empty(t, found["not valid"].errors)
	assert.Contains(t, found["spoilt"].errors, "SARIF1009")
	var document any
	document, err = jsonschema.UnmarshalJSON(bytes.NewReader(bytes.Replace(red, []byte(`"level": "error"`), []byte(`"level": "grave"`), 1)))
	require.NoError(t, err)
	require.Error(t, schema.Validate(document))
}

// sarifValidated is what the validator says of each of the files, by their names. It is started once for all: that
// takes longer than to look at a file.
func sarifValidated(t *testing.T, multitool string, paths map[string]string) map[string]sarifFound {
	t.Helper()
	command := exec.CommandContext(t.Context(), multitool, append([]string{"validate"}, slices.Collect(maps.Values(paths))...)...)
	command.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "Analysis completed successfully.")
	require.Contains(t, string(out), fmt.Sprintf("Done. %d files scanned.", len(paths)))
	names, found := map[string]string{}, map[string]sarifFound{}
	for name, path := range paths {
		names[path] = name
	}
	for _, said := range sarifRule.FindAllStringSubmatch(string(out), -1) {
		name, known := names[said[1]]
		require.True(t, known, "it is said of no file: %s", said[0])
		of := found[name]
		if said[2] == "error" {
			of.errors += said[3] + " "
		} else {
			of.warnings += said[3] + " "
		}
		found[name] = of
	}
	return found
}
