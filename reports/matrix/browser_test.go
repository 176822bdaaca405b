package matrix

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/browser"
	"agstest/reports/html"
)

// TestInABrowser opens a page of twelve environments in Chromium, in light and dark, on a phone and on paper: no
// violation of accessibility, no request, no name cut, nothing wider than the phone. (reports/browser; make browser
// installs what it needs.)
func TestInABrowser(t *testing.T) {
	node, chromium := browser.Tools(t, filepath.Join("..", "browser"), "playwright-core", "axe-core")
	script := filepath.Join("..", "browser", "check.mjs")
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
	few := slices.Clone(columns[:3])
	for i := range few { // which differ at their end
		few[i].Name = fmt.Sprintf("the staging of the customer at node %d", i)
	}
	for name, shown := range map[string][]Column{"matrix": columns, "few": few} {
		file, err := os.Create(filepath.Join(folder, "pages", name+".html"))
		require.NoError(t, err)
		require.NoError(t, HTML(file, Build("Before the release", "25.52", "", reports.Tool{Version: "1"}, shown), html.Style{}))
		require.NoError(t, file.Close())
	}
	require.NoError(t, os.Link(filepath.Join(folder, "pages", "matrix.html"), filepath.Join(folder, "paper", "matrix.html")))

	out, err := exec.Command(node, script, folder, chromium, filepath.Join(folder, "out")).CombinedOutput()
	require.NoError(t, err, string(out))
}
