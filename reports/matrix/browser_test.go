package matrix

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/html"
)

// TestInABrowser opens a page of twelve environments in Chromium, in light and dark, on a phone and on paper: no violation of
// accessibility, no request, nothing wider than the phone. (reports/browser; make browser installs what it needs.)
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short leaves the browser out")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: no node on this machine")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("skipped: no chromium on this machine")
	}
	script := filepath.Join("..", "browser", "check.mjs")
	for _, module := range []string{"playwright-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join("..", "browser", "node_modules", module)); err != nil {
			t.Skipf("skipped: reports/browser has no module %s; run npm ci there", module)
		}
	}
	folder := t.TempDir()
	for _, name := range []string{"pages", "hostile", "jenkins", "paper"} {
		require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o700))
	}
	var columns []Column
	for i := range 12 {
		name := fmt.Sprintf("environment-%d", i)
		verdicts := []reports.Verdict{pass, []reports.Verdict{pass, fail, skipped, reports.Warn, reports.Partly}[i%5], reports.Observed, none}
		run, load := checked(name, fail, verdicts...), loaded(name, int64(i+1)*7e6)
		run.Conformance.Shape = []reports.ShapeEntry{{Operation: "refresh", Status: 200, Place: fmt.Sprint("member ", i%3), Kind: "string", Times: 1}}
		columns = append(columns, Column{name, []Part{part(run, 1), part(load, 0)}})
	}
	file, err := os.Create(filepath.Join(folder, "pages", "matrix.html"))
	require.NoError(t, err)
	require.NoError(t, HTML(file, Build("Before the release", "25.52", "", reports.Tool{Version: "1"}, columns), html.Style{}))
	require.NoError(t, file.Close())
	require.NoError(t, os.Link(file.Name(), filepath.Join(folder, "paper", "matrix.html")))

	out, err := exec.Command(node, script, folder, chromium, filepath.Join(folder, "out")).CombinedOutput()
	require.NoError(t, err, string(out))
}
