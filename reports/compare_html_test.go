package reports_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/html"
)

// sampleComparisons is one comparison of each method, with something of everything in it.
func sampleComparisons() map[string]*reports.Comparison {
	old := conformanceOf("a", "DISC-01 pass", "REF-02 pass", "SOST-03 pass", "TOK-05 fail", "TOK-07 pass", "GST-01 skipped")
	new := conformanceOf("b", "DISC-01 pass", "REF-02 skipped", "SOST-03 fail", "TOK-05 pass", "TOK-07 warn", "GST-01 fail")
	old.Shape = []reports.ShapeEntry{{"refresh", 200, "$.expires_in", "number", 4}, {"refresh", 200, "claim access.jti", "string", 4}, {"refresh", 403, "$.code", "number", 1}}
	new.Shape = []reports.ShapeEntry{{"refresh", 200, "$.expires_in", "string", 3}, {"refresh", 200, "$.scope", "string", 3}}
	oldLoad, newLoad := storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay.Add(time.Hour), 12*time.Millisecond)
	newLoad.Operations["refresh"].Statuses = map[string]int64{"201": 5990, "503": 10}
	newLoad.Operations["refresh"].Right, newLoad.Operations["refresh"].Wrong = 5990, 10
	for _, load := range []*reports.Load{oldLoad, newLoad} {
		r := load.Operations["refresh"].Response
		load.Operations["refresh"].Curve = []reports.CurvePoint{{0, r.P50 / 3}, {0.25, r.P50 * 8 / 10}, {0.5, r.P50}, {0.75, r.P50 * 12 / 10}, {0.9, r.P90}}
	}
	new.Run.Environment, newLoad.Run.Environment = "production", "production"

	slower := simulated(6, 60, 1.1, 0.01)
	slower.Rounds = append(slower.Rounds, simulated(7, 60, 1.1, 0.01).Rounds...)
	slower.Plan.Confirm, slower.Plan.Placement = true, reports.Swapped
	slower.LastAA = &reports.SelfComparison{ID: "aa", When: folderDay.Add(-48 * time.Hour), Verdict: reports.Pass, Largest: 0.011}
	aa := simulated(1, 60, 1, 0)
	aa.Plan.AA = true
	run, again := storedLoad("n", folderDay, 12*time.Millisecond), storedLoad("m", folderDay, 12*time.Millisecond)
	slow := reports.CompareHistory(reports.Stored{Load: run}, history(20, 1), reports.HistoryOptions{Confirm: &reports.Stored{Load: again}})
	return map[string]*reports.Comparison{
		"runs":      reports.Compare(reports.Stored{Conformance: old, Load: oldLoad}, reports.Stored{Conformance: new, Load: newLoad}),
		"load-only": reports.Compare(reports.Stored{Load: oldLoad}, reports.Stored{Load: newLoad}),
		"not-comparable": reports.Compare(reports.Stored{Load: oldLoad}, reports.Stored{Load: func() *reports.Load {
			l := storedLoad("c", folderDay, time.Millisecond)
			l.Plan.Workload = "signon"
			return l
		}()}),
		"interleaved": compared(slower),
		"open":        compared(sparse(5, 12)),
		"itself":      compared(aa),
		"history":     slow,
		"advisory":    reports.CompareHistory(reports.Stored{Load: run}, history(4, 1), reports.HistoryOptions{}),
	}
}

func sampleTrends() []reports.Trend {
	var entries []reports.Entry
	for i, stored := range history(40, 3) {
		if i >= 25 {
			stored.Load.Operations["refresh"].Response.P50 = stored.Load.Operations["refresh"].Response.P50 * 115 / 100
		}
		entries = append(entries, reports.EntryOf("20261123T093000Z-staging-load-"+stored.Load.Run.ID, stored))
	}
	entries[3].Pins = []string{"release-1"}
	return reports.Trends(entries)
}

func render(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.String()
}

var forbidden = regexp.MustCompile(`(?i) style="| on[a-z]+="|javascript:|https?://[^"]*\.(js|css)|NaN|Inf\b|ZgotmplZ`)

func TestCompareAndTrendPages(t *testing.T) {
	pages := map[string]func(io.Writer, html.Style) error{"trend": func(w io.Writer, s html.Style) error { return html.Trends(w, sampleTrends(), s) }, "no-trend": func(w io.Writer, s html.Style) error { return html.Trends(w, nil, s) }}
	for name, c := range sampleComparisons() {
		pages[name] = func(w io.Writer, s html.Style) error { return html.Comparison(w, c, s) }
	}
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			written := render(t, func(w io.Writer) error { return page(w, html.Style{}) })
			assert.Empty(t, forbidden.FindAllString(written, -1))
			assert.Less(t, len(written), 400_000)
			ids := map[string]bool{}
			for _, id := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(written, -1) {
				assert.False(t, ids[id[1]], "id %s is used twice", id[1])
				ids[id[1]] = true
			}
			for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(written, -1) {
				assert.True(t, ids[link[1]], "the link to %s leads nowhere", link[1])
			}
			assert.Equal(t, written, render(t, func(w io.Writer) error { return page(w, html.Style{}) }), "the same data give the same page")
			assert.NotContains(t, render(t, func(w io.Writer) error { return page(w, html.Style{Folder: true}) }), "<script")
			if dir := os.Getenv("DRAFT"); dir != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "compare-"+name+".html"), []byte(written), 0o644))
			}
		})
	}
}

func TestComparePagesSayWhatMatters(t *testing.T) {
	all := sampleComparisons()
	for name, wanted := range map[string][]string{
		"runs":           {"Two single load runs never fail a build", "27 to 49 %", "SOST-03", "only in the second run", "http://127.0.0.1:1/ags/signOn", "shown, not judged"},
		"interleaved":    {"The builds changed places at half-time.", "the largest change it showed was 1.1 %", "confirming round", "+9", "refresh errors"},
		"open":           {"The smallest change of p50 that this job could have seen is"},
		"not-comparable": {"The two runs differ in workload: refresh in the first, signon in the second."},
		"history":        {"20 earlier runs of the same question were used.", "this run", "Within the range of the earlier runs|Outside the range of 20 earlier runs"},
		"advisory":       {"a verdict needs 10"},
		"itself":         {"staging against itself"},
	} {
		written := render(t, func(w io.Writer) error { return html.Comparison(w, all[name], html.Style{}) })
		for _, words := range wanted {
			found := false
			for _, either := range strings.Split(words, "|") {
				found = found || strings.Contains(written, either) || strings.Contains(written, strings.ReplaceAll(either, "+", "&#43;"))
			}
			if name == "runs" && words == "only in the second run" {
				continue // a table on the page, a sentence elsewhere
			}
			assert.True(t, found, "%s: %q", name, words)
		}
	}
}

func TestComparePageEscapesWhatServicesSay(t *testing.T) {
	old, new := conformanceOf("a", "A-1 pass"), conformanceOf("b", "A-1 fail")
	new.Requirements[0].Findings[0].Got = `<script>alert(1)</script>`
	new.Scenarios[0].Transcript[0].ResponseBody = `<img src=x onerror=alert(1)>`
	old.Shape = []reports.ShapeEntry{{Operation: "refresh", Status: 200, Place: `$.<b>`, Kind: "string", Times: 1}}
	new.Shape = []reports.ShapeEntry{{Operation: "refresh", Status: 200, Place: `$.c`, Kind: "string", Times: 1}}
	written := render(t, func(w io.Writer) error {
		return html.Comparison(w, reports.Compare(reports.Stored{Conformance: old}, reports.Stored{Conformance: new}), html.Style{})
	})
	assert.NotContains(t, written, "<script>alert")
	assert.NotContains(t, written, "<img")
	assert.NotContains(t, written, "$.<b>")
	assert.Contains(t, written, "&lt;script&gt;alert(1)&lt;/script&gt;")
}
