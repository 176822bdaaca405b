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
	file, err := os.Create(filepath.Join(folder, "paper", "wordy.html"))
	require.NoError(t, err)
	require.NoError(t, HTML(file, wordy(), html.Style{}))
	require.NoError(t, file.Close())

	out, err := exec.Command(node, script, folder, chromium, filepath.Join(folder, "out")).CombinedOutput()
	require.NoError(t, err, string(out))
}

// wordy is a matrix in which everything takes as much room as it does in real ones: twelve environments with two runs
// each, reasons and requirements of two lines, several causes, and three operations under load.
func wordy() *Matrix {
	var columns []Column
	for i := range 12 {
		name := fmt.Sprintf("environment-%d", i)
		run, load := checked(name, fail), loaded(name, int64(i+1)*7e6)
		run.Conformance.Reason = "on 183 of 207 requirements (88 %), the others were not judged: 147 requirements hold, 10 hold in part, 26 were observed, 24 were skipped"
		load.Load.Verdict, load.Load.Reason = reports.Inconclusive, "not decided: refresh.p99<1s, errors<1%; 20 of 30 answers were wrong (status 20) and no limit allows any, such as errors<0.1%"
		for k := range 60 {
			one := reports.Requirement{ID: fmt.Sprintf("SOST-%02d", k+1), Level: "documented", Verdict: []reports.Verdict{fail, pass}[(i+k)%2],
				Text: "The answer of refresh has the eight members of the token body with their documented JSON types; client_id may be absent where nobody asked for it."}
			if one.Verdict == fail {
				one.Findings = []reports.Finding{{Expected: fmt.Sprintf("the strings alg, typ and kid, and typ JWT, of call %d", k), Got: "access token: typ is \"JWE\"; refresh token: typ is \"JWE\", and more that does not fit into one line"}}
			}
			run.Conformance.Requirements = append(run.Conformance.Requirements, one)
		}
		for _, operation := range []string{"signOn", "signOut"} {
			load.Load.Operations[operation] = load.Load.Operations["refresh"]
		}
		columns = append(columns, Column{name, []Part{part(run, 1), part(load, 4)}})
	}
	return Build("Before the release of the next version", "25.52", "", reports.Tool{Version: "1"}, columns)
}
