package peers_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
)

// sarifRule finds what the validator says of a file: "error SARIF1009" and the like.
var sarifRule = regexp.MustCompile(`(?m)(error|warning) ((?:SARIF|GH|JSON)\d+)`)

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
	says := func(name string, text []byte, flags ...string) (errors, warnings string) {
		path := filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".sarif")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		command := exec.CommandContext(t.Context(), multitool, append([]string{"validate", path}, flags...)...)
		command.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "Analysis completed successfully.")
		for _, found := range sarifRule.FindAllStringSubmatch(string(out), -1) {
			if found[1] == "error" {
				errors += found[2] + " "
			} else {
				warnings += found[2] + " "
			}
		}
		return errors, warnings
	}
	written := func(c *reports.Conformance, l *reports.Load) []byte {
		var b bytes.Buffer
		require.NoError(t, export.SARIF(&b, c, l))
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(document))
		return b.Bytes()
	}
	var red []byte
	for name, c := range readerRuns(t) {
		text := written(c, nil)
		errors, warnings := says(name, text)
		assert.Empty(t, errors, name)
		assert.Empty(t, strings.ReplaceAll(warnings, "SARIF2005 ", ""), name)
		assert.Equal(t, c.Verdict.Blocks(), bytes.Contains(text, []byte("\n          \"level\": \"error\"")), name)
		if name == "one of one is red" {
			red = text
		}
	}
	invalid := &reports.Load{Verdict: reports.Invalid, Reason: "the generator was too slow", Invalid: []string{"9 % was sent"}, Run: reports.Run{ID: "r", Environment: "staging"}}
	errors, _ := says("not valid", written(nil, invalid))
	assert.Empty(t, errors)

	errors, _ = says("spoilt", regexp.MustCompile(`"ruleIndex": \d+`).ReplaceAll(red, []byte(`"ruleIndex": 7000`)))
	assert.Contains(t, errors, "SARIF1009")
	var document any
	document, err = jsonschema.UnmarshalJSON(bytes.NewReader(bytes.Replace(red, []byte(`"level": "error"`), []byte(`"level": "grave"`), 1)))
	require.NoError(t, err)
	require.Error(t, schema.Validate(document))
}
