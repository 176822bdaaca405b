package peers_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
)

// TestTablesShowWhatTheRunFound: csv-parse, at its strictest, and Papa Parse read the same of our tables, and it is what
// the run found: each requirement with its verdict and reason, each cause, and the verdict of the whole.
func TestTablesShowWhatTheRunFound(t *testing.T) {
	node := tool(t, "papaparse")
	tool(t, "csv-parse")
	tables := func(c *reports.Conformance, l *reports.Load) map[string][]map[string]string {
		folder, names, arguments := t.TempDir(), []string{}, []string{"csv.mjs"}
		for _, table := range export.Tables(c, l) {
			var b bytes.Buffer
			require.NoError(t, table.Write(&b))
			path := filepath.Join(folder, table.Name)
			require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
			names, arguments = append(names, table.Name), append(arguments, path)
		}
		var said bytes.Buffer
		command := exec.CommandContext(t.Context(), node, arguments...)
		command.Stderr = &said
		out, err := command.Output()
		require.NoError(t, err, said.String())
		var rows [][]map[string]string
		require.NoError(t, json.Unmarshal(out, &rows))
		require.Len(t, rows, len(names))
		found := map[string][]map[string]string{}
		for i, name := range names {
			found[name] = rows[i]
		}
		return found
	}
	for name, c := range readerRuns(t) {
		c.Run.Environment = "=staging, \"north\"\n"
		found := tables(c, nil)
		require.Len(t, found["requirements.csv"], len(c.Requirements), name)
		for i, r := range c.Requirements {
			row := found["requirements.csv"][i]
			assert.Equal(t, []string{r.ID, r.Verdict.Word(), r.Reason}, []string{row["requirement"], row["verdict"], strings.TrimPrefix(row["reason"], "'")}, name)
			assert.Equal(t, []string{"'=staging, \"north\"\r\n", "4.12"}, []string{row["environment"], row["release"]}, name)
		}
		assert.Len(t, found["causes.csv"], len(c.Causes), name)
		require.Len(t, found["runs.csv"], 1, name)
		assert.Equal(t, c.Verdict.Word(), found["runs.csv"][0]["verdict"], name)
		assert.Equal(t, c.Run.Partial, found["runs.csv"][0]["partial"], name)
	}
	invalid := &reports.Load{Verdict: reports.Invalid, Reason: "the generator was too slow", Invalid: []string{"9 % was sent"}, Run: reports.Run{ID: "r", Environment: "staging"}}
	found := tables(nil, invalid)
	assert.Equal(t, []string{"not valid", "the generator was too slow", "9 % was sent"}, []string{found["runs.csv"][0]["verdict"], found["runs.csv"][0]["reason"], found["runs.csv"][0]["not_valid"]})
}
