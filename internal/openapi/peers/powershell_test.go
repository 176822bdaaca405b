package peers_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPowerShellsScriptIsPowerShell: the script that completes in PowerShell is of its grammar, as tree-sitter knows
// it, and what is not is found. No PowerShell runs it: Debian and npm have none.
func TestPowerShellsScriptIsPowerShell(t *testing.T) {
	wide(t)
	node := tool(t, "tree-sitter-powershell")
	tool(t, "web-tree-sitter")
	goes, err := exec.LookPath("go")
	require.NoError(t, err)
	script, err := exec.CommandContext(t.Context(), goes, "run", "agstest/cmd/agstest", "completion", "powershell").Output()
	require.NoError(t, err)
	parsed := func(script string) (found struct{ Functions, Commands, Wrong []string }) {
		command := exec.CommandContext(t.Context(), node, "powershell.mjs")
		command.Stdin = strings.NewReader(script)
		var said bytes.Buffer
		command.Stderr = &said
		out, err := command.Output()
		require.NoError(t, err, said.String())
		require.NoError(t, json.Unmarshal(out, &found))
		return found
	}
	found := parsed(string(script))
	assert.Empty(t, found.Wrong)
	assert.Contains(t, found.Functions, "__agstest_escapeStringWithSpecialChars")
	assert.Subset(t, found.Commands, []string{"Register-ArgumentCompleter", "Invoke-Expression"})
	assert.Len(t, parsed(string(script)+"\nif ($x { foreach }\n").Wrong, 1)
}
