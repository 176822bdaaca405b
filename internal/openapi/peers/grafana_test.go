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

	"agstest/reports/export"
)

// grafana reads a dashboard with the types that Grafana makes of its own schemas, strictly, and each query with
// Prometheus' own parser.
const grafana = `package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var board dashboard.Dashboard
	if err := board.UnmarshalJSONStrict(text); err != nil {
		fmt.Println(err)
	}
	if err := board.Validate(); err != nil {
		fmt.Println(err)
	}
	var read struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &read); err != nil {
		panic(err)
	}
	queries := 0
	for _, panel := range read.Panels {
		for _, target := range panel.Targets {
			queries++
			if _, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(target.Expr, "$environment", "a|b")); err != nil {
				fmt.Println(target.Expr, err)
			}
		}
	}
	fmt.Printf("%d panels, %d queries", len(read.Panels), queries)
}
`

// TestGrafanaTakesTheDashboard: the dashboard is of Grafana's schema, at its strictest, and of the types of its own front
// end, and every query is PromQL. What is asked for at an import (__inputs, __requires) is no part of the schema.
func TestGrafanaTakesTheDashboard(t *testing.T) {
	wide(t)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(grafana), 0o600))
	goes := inModule(t, folder, "github.com/prometheus/prometheus@v0.316.0", "github.com/grafana/grafana-foundation-sdk/go@v0.0.22")
	var b bytes.Buffer
	require.NoError(t, export.Grafana(&b))
	var board map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &board))
	require.Contains(t, board, "__inputs")
	delete(board, "__inputs")
	delete(board, "__requires")
	text, err := json.Marshal(board)
	require.NoError(t, err)
	assert.Empty(t, grafanaTypes(t, text))
	assert.Contains(t, grafanaTypes(t, []byte(strings.Replace(string(text), `"panels":`, `"pannels":`, 1))), "'\"pannels\"' does not exist in type 'Dashboard'")
	path := filepath.Join(folder, "board.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	assert.Equal(t, "10 panels, 10 queries", strings.TrimSpace(goes("run", ".", path)))

	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), `"graphMode":"none",`, "", 1)), 0o600))
	assert.Contains(t, goes("run", ".", path), "options.graphMode: required field is missing from input")
}

// grafanaTypes is what TypeScript says of a dashboard by the types that Grafana itself is written with.
func grafanaTypes(t *testing.T, board []byte) string {
	t.Helper()
	node := tool(t, "@grafana/schema")
	types, err := filepath.Abs("node_modules/@grafana/schema/dist/types/index")
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "board.ts")
	require.NoError(t, os.WriteFile(program, []byte("import type { Dashboard } from \""+filepath.ToSlash(types)+"\";\nexport const board: Dashboard = "+string(board)+";\n"), 0o600))
	command := exec.CommandContext(t.Context(), node, filepath.FromSlash("node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", program)
	out, _ := command.CombinedOutput() // it ends with 2 where it has something to say
	return string(out)
}
