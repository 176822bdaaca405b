package reports_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/html"
)

func render(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.String()
}

var forbidden = regexp.MustCompile(`(?i: style="| on[a-z]+="|javascript:|https?://[^"]*\.(js|css))|NaN|Inf\b|ZgotmplZ`)

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
		"requests":       {"Single requests of the new build", "Single requests of the old build", "refresh: status", "<code>agstest-16-1x2y3z-5059</code>", "To send it again", "Slowest hits of signon"},
		"open":           {"The smallest change of p50 that this job could have seen is"},
		"not-comparable": {"The two runs differ in workload: refresh in the first, signon in the second."},
		"history":        {"20 earlier runs of the same question were used.", "this run", "Within the range of the earlier runs|Outside the range of 20 earlier runs"},
		"advisory":       {"a verdict needs 10"},
		"itself":         {"staging against itself"},
	} {
		c := all[name]
		if name == "requests" {
			c = all["interleaved"]
		}
		written := render(t, func(w io.Writer) error { return html.Comparison(w, c, html.Style{}) })
		for _, words := range wanted {
			found := false
			for either := range strings.SplitSeq(words, "|") {
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
		return html.Comparison(w, compare.Compare(reports.Parts{Conformance: old}, reports.Parts{Conformance: new}), html.Style{})
	})
	assert.NotContains(t, written, "<script>alert")
	assert.NotContains(t, written, "<img")
	assert.NotContains(t, written, "$.<b>")
	assert.Contains(t, written, "&lt;script&gt;alert(1)&lt;/script&gt;")
}
