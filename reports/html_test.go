package reports_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	unescape "html"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/html"
)

func htmlOf(t *testing.T, write func(io.Writer, html.Style) error, s html.Style) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, s))
	return b.String()
}

func TestPagesHoldNothingForbidden(t *testing.T) {
	// An attribute style="…" or a handler would need a wider policy; an address of a file would be a request; ZgotmplZ is
	// what html/template writes in place of what it does not trust.
	forbidden := regexp.MustCompile(`(?i:<[^>]* (style|on[a-z]+)="|javascript:|<(link|img|iframe|object|embed|base)[ >]|@import|url\()|\bNaN\b|[+-]Inf\b|ZgotmplZ|<no value>`)
	script, err := os.ReadFile("html/templates/search.js")
	require.NoError(t, err)
	styleSheet, searchScript := string(html.StyleSheet()), string(script)
	for name, write := range samplePages() {
		t.Run(name, func(t *testing.T) {
			page := htmlOf(t, write, html.Style{})
			require.Empty(t, forbidden.FindAllString(page, 3))
			require.True(t, strings.Contains(unescape.UnescapeString(page), `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src `+sourceHash(styleSheet)+`; script-src `+sourceHash(searchScript)))
			require.True(t, strings.Contains(page, "<style>"+styleSheet+"</style>"), "the style sheet is as its hash says")
			require.True(t, strings.Contains(page, "<script>"+searchScript+"</script>"))

			folder := htmlOf(t, write, html.Style{Folder: true})
			require.Empty(t, regexp.MustCompile("<(script|style)").FindAllString(folder, 3))
			require.Equal(t, 1, strings.Count(folder, `<link rel="stylesheet" href="report.css">`))
		})
	}
	require.LessOrEqual(t, len(searchScript), 1024)
	require.NotContains(t, styleSheet, "</style")
}

func TestIdsAreUniqueAndLinksLead(t *testing.T) {
	ids, links := regexp.MustCompile(` id="([^"]*)"`), regexp.MustCompile(` (?:href="#|aria-labelledby="|data-search=")([^"]+)"`)
	pages := samplePages()
	pages["hostile"] = func(w io.Writer, s html.Style) error { return html.Gate(w, poisoned(sampleGate()), s) }
	for name, write := range pages {
		t.Run(name, func(t *testing.T) {
			page := htmlOf(t, write, html.Style{})
			seen := map[string]bool{}
			for _, found := range ids.FindAllStringSubmatch(page, -1) {
				require.False(t, seen[found[1]], "the id %s comes twice", found[1])
				seen[found[1]] = true
			}
			for _, found := range links.FindAllStringSubmatch(page, -1) {
				for target := range strings.FieldsSeq(found[1]) {
					require.True(t, seen[target], "a link leads to %s, which is nowhere", target)
				}
			}
		})
	}
}

func TestConformancePageSaysThingsInOrder(t *testing.T) {
	page := htmlOf(t, samplePages()["conformance"], html.Style{})
	at := 0
	for _, words := range []string{
		"Can I trust this run?", "For 1 requirement it could not be told", `2 requirements failed: <span class="id">SOST-20</span> and <span class="id">REF-04</span>.`, "What to look at first", ">SOST-20</a>",
		"3 requirements not exercised", "This is not a pass.", "situations.geo-blocked", `id="r-SOST-20" class="v-fail"`, `id="r-GST-05" class="v-error"`, `id="r-TOK-08" class="v-known"`,
		`id="r-DISC-09" class="v-warn"`, `id="r-SOST-17" class="v-skipped"`, `id="r-DISC-13" class="v-not-exercised"`, `id="r-DISC-01" class="v-pass"`,
		`id="d-SOST-20"`, "<dt>Expected</dt><dd>client_id &#34;PUB_989&#34;, as it was sent</dd>", "<dt>Got</dt><dd>client_id &#34;PUB_990&#34;</dd>", "Answer 201 after 23.5 ms", "To send it again", "curl -sS -X POST",
		"until 2027-03-31", "About this run", "agstest conform --env staging.yaml",
	} {
		next := strings.Index(page[at:], words)
		require.GreaterOrEqual(t, next, 0, "%q does not come after what stands before it", words)
		at += next
	}
	row := page[strings.Index(page, `id="r-SOST-20"`):]
	row = row[:strings.Index(row, "</tr>")]
	require.Regexp(t, `(?s)^[^>]*><th[^>]*>.*?</th><td[^>]*><span class="verdict v-fail">`, row, "the verdict is the second column")
	require.Contains(t, row, "https://docs.nagra.vision/opentv-docs/signing-in-with-a-session-token")
}

func TestLoadPageSaysThingsInOrder(t *testing.T) {
	page := htmlOf(t, samplePages()["invalid"], html.Style{})
	at := 0
	for _, words := range []string{
		"Can I trust this run?", "The run ended early and is partial: interrupted after 31 s", "The figures are not valid: 3,204 of 12,000 hits waited for a worker; p99 of the send lag was 1,204.0 ms", "The generator was too slow",
		"What to look at first", `id="l-limits"`, `id="l-operations"`, `id="l-charts"`, "Response time of signon over time", "Throughput: asked, sent and right", "Wrong answers, on their own scale", "Response time by percentile", "Send lag", "answered 503, wanted 201", "About this run",
	} {
		next := strings.Index(page[at:], words)
		require.GreaterOrEqual(t, next, 0, "%q does not come after what stands before it", words)
		at += next
	}
}

// TestLoadPageNamesTheGravestFirst: what failed stands before what could not be decided, in whatever order the limits
// were given.
func TestLoadPageNamesTheGravestFirst(t *testing.T) {
	t.Parallel()
	l := sampleLoad(1, 60)
	l.Verdict, l.Reason = reports.Fail, "not kept: errors<0.1%"
	l.Limits = []reports.Limit{{Expression: "refresh.p99<1ms", Verdict: reports.Inconclusive, Value: "25 ms"}, {Expression: "errors<0.1%", Verdict: reports.Fail, Value: "24 %"}}
	page := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, l, s) }, html.Style{})
	_, first, _ := strings.Cut(page, `aria-labelledby="first"`)
	failed, open := strings.Index(first, "errors&lt;0.1%"), strings.Index(first, "refresh.p99&lt;1ms")
	require.Positive(t, failed)
	require.Less(t, failed, open)
}

// TestALimitWithoutAFigureSaysSo: a limit on times of which no answer was right has a dash for a value.
func TestALimitWithoutAFigureSaysSo(t *testing.T) {
	t.Parallel()
	l := sampleLoad(1, 60)
	l.Verdict, l.Reason = reports.Fail, "not kept: refresh.p99<1s"
	l.Limits = []reports.Limit{{Expression: "refresh.p99<1s", Verdict: reports.Fail, Value: "–"}}
	none := l.Operations["signon"]
	none.Right, none.Wrong = 0, none.Sent
	l.Operations["signon"] = none
	page := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, l, s) }, html.Style{})
	containsWords(t, page, "refresh.p99&lt;1s</a> came to no figure.")
	containsWords(t, page, "Response time of signon over time: no answer was right, so there is none to draw")
}

func TestTheBaselineIsDrawnBeside(t *testing.T) {
	page := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, sampleLoad(2, 60), s) }, html.Style{Baseline: sampleLoad(1, 60)})
	containsWords(t, page, "signon in the baseline: p50 9.18 ms, p99 37.8 ms")
	containsWords(t, page, ">signon, baseline</text>")
	if strings.Contains(page, "refresh, baseline") {
		t.Error("an operation that the baseline does not have is drawn")
	}
}

// A kind of wrong answers is followed from its count down to single requests, and slow hits by their ids.
func TestLoadPageGoesDownToSingleRequests(t *testing.T) {
	l := sampleLoad(2, 60)
	page := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, l, s) }, html.Style{})
	for _, wanted := range []string{
		`<a href="#l-wrong-refresh_status-`, "The first came in second ", "When: refresh status", "By status", "By client: 7 clients", "Examples: 60 of ",
		"<code>agstest-16-1x2y3z-5000</code>", "<code>agstest-16-1x2y3z-5059</code>", "<code>4bf92f3577b34da6a3ce929d0e0e1388</code>",
		"09:30:42.000Z", "Slowest hits of signon", "Slowest hits of refresh", "503, wrong: status", " answers named a trace",
	} {
		require.True(t, strings.Contains(page, wanted), wanted)
	}
	require.Equal(t, 3, strings.Count(page, "To send it again"), "the exchanges of the first, of one between, and of the last")
	l.Slowest, l.WrongKinds, l.Trace = nil, nil, nil
	l.Wrong = l.Wrong[:1]
	l.Wrong[0].Hit = nil
	old := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, l, s) }, html.Style{})
	require.Contains(t, old, "answered 503, wanted 201")
	require.NotContains(t, old, "l-slow", "a run of before has no slow hits to show")
}

// A kind of wrong answers that failed the run is shown as what failed it, on its own and at its operation, whatever the
// limits on other things came to; one that a limit allows is a warning.
func TestLoadPageSaysWhatWrongAnswersDidToTheRun(t *testing.T) {
	l := sampleLoad(2, 60)
	l.Verdict, l.Limits = reports.Fail, []reports.Limit{{Expression: "refresh.errors<1%", Verdict: reports.Fail}, {Expression: "refresh.p99<1s", Verdict: reports.Inconclusive}}
	parts := func() (first, operations, wrong string) {
		page := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, l, s) }, html.Style{})
		_, first, _ = strings.Cut(page, `<a href="#l-wrong-refresh_status-`)
		first = page[:len(page)-len(first)]
		first = first[strings.LastIndex(first, "<li"):]
		_, operations, _ = strings.Cut(page, "refresh</th>")
		operations, _, _ = strings.Cut(operations, "</tr>")
		_, wrong, _ = strings.Cut(page, `<article class="wrong"`)
		wrong, _, _ = strings.Cut(wrong, "</article>")
		return first, operations, wrong
	}
	for _, test := range []struct {
		verdict reports.Verdict
		limit   string
		class   string
		says    string
	}{
		{reports.Fail, "refresh.errors<1%", "v-fail", "The limit refresh.errors&lt;1% was not kept."},
		{reports.Fail, "", "v-fail", "No limit allows them."},
		{reports.Warn, "errors<90%", "v-warn", "The limit errors&lt;90% allows them, and was kept."},
	} {
		l.WrongKinds[0].Verdict, l.WrongKinds[0].Limit = test.verdict, test.limit
		first, _, wrong := parts()
		require.Contains(t, first, `class="`+test.class+`"`)
		require.Contains(t, wrong, test.class)
		require.Contains(t, wrong, test.says)
	}
	l.Limits = l.Limits[1:]
	l.WrongKinds[0].Verdict, l.WrongKinds[0].Limit = reports.Fail, ""
	_, operations, _ := parts()
	require.Contains(t, operations, "v-fail", "the limit on its times alone is not decided")
}

func TestLoadPageStaysSmall(t *testing.T) {
	page := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, sampleLoad(12, 600), s) }, html.Style{})
	t.Logf("12 operations × 600 s: %s bytes", figures.Count(int64(len(page))))
	require.Less(t, len(page), 400_000)
	long := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, sampleLoad(12, 7200), s) }, html.Style{})
	require.Less(t, len(long), 400_000, "two hours are thinned")
}

func TestPagesOfAlmostNothing(t *testing.T) {
	for name, write := range map[string]func(io.Writer, html.Style) error{
		"an empty conformance run": func(w io.Writer, s html.Style) error {
			return html.Conformance(w, &reports.Conformance{Verdict: reports.Error}, s)
		},
		"an empty load run":   func(w io.Writer, s html.Style) error { return html.Load(w, &reports.Load{Verdict: reports.Error}, s) },
		"a gate without runs": func(w io.Writer, s html.Style) error { return html.Gate(w, &reports.Gate{Verdict: reports.Error}, s) },
		"one second": func(w io.Writer, s html.Style) error {
			return html.Load(w, &reports.Load{Verdict: reports.Pass, Valid: true, Operations: map[string]*reports.Operation{"refresh": {Sent: 1, Right: 1}}, Seconds: []reports.Second{{Operation: "refresh", Sent: 1, Right: 1}}}, s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			page := htmlOf(t, write, html.Style{})
			require.Empty(t, regexp.MustCompile("NaN|ZgotmplZ").FindAllString(page, 3))
		})
	}
	containsWords(t, htmlOf(t, func(w io.Writer, s html.Style) error {
		return html.Conformance(w, &reports.Conformance{Verdict: reports.Pass}, s)
	}, html.Style{}), "No scenario ran: nothing was checked.")
	containsWords(t, htmlOf(t, func(w io.Writer, s html.Style) error {
		return html.Load(w, &reports.Load{Verdict: reports.Pass, Valid: true}, s)
	}, html.Style{}), "Nothing was sent: nothing was measured.")
}

// Only our own files may pass the escaping.
func TestTemplatesTrustNoData(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	trusted := regexp.MustCompile(`template\.(HTML|HTMLAttr|JS|JSStr|CSS|URL|Srcset)\b`)
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile(entry.Name())
		require.NoError(t, err)
		for line := range strings.SplitSeq(string(source), "\n") {
			if trusted.MatchString(line) {
				require.Regexp(t, `^func \(p page\) (Sheet|Script)\(\)`, line, "%s", entry.Name())
			}
		}
	}
}

// containsWords fails with the words alone: a page is too long to be shown.
func containsWords(t *testing.T, page, words string) {
	t.Helper()
	if !strings.Contains(page, words) {
		t.Errorf("the page does not say %q", words)
	}
}

func TestChartsAreWellFormed(t *testing.T) {
	pages := samplePages()
	pages["hostile"] = func(w io.Writer, s html.Style) error { return html.Load(w, poisoned(sampleLoad(2, 30)), s) }
	for name, write := range pages {
		page := htmlOf(t, write, html.Style{})
		charts := regexp.MustCompile(`(?s)<svg viewBox="0 0 960 .*?</svg>`).FindAllString(page, -1)
		if name != "conformance" {
			require.NotEmpty(t, charts, name)
		}
		for _, chart := range charts {
			decoder := xml.NewDecoder(strings.NewReader(disarm.XMLCharacters(chart)))
			decoder.Entity = xml.HTMLEntity
			for {
				if _, err := decoder.Token(); err == io.EOF {
					break
				} else {
					require.NoError(t, err, name)
				}
			}
			require.Regexp(t, `^<svg [^>]*role="img" aria-labelledby="[^"]+"`, chart)
			require.Regexp(t, `<desc id="[^"]+">[^<]+</desc>`, chart)
			// Parts that are hidden until the pointer comes must be hidden without the style sheet too, and must not
			// cover the lines.
			for _, strip := range regexp.MustCompile(`<g class="tips"[^>]*>`).FindAllString(chart, -1) {
				require.Equal(t, `<g class="tips" fill="none" pointer-events="all">`, strip)
			}
		}
	}
}

func TestLimitsOfALoadAreDrawn(t *testing.T) {
	page := htmlOf(t, func(w io.Writer, s html.Style) error { return html.Load(w, sampleLoad(2, 60), s) }, html.Style{})
	containsWords(t, page, "p99 limit 300 ms, broken</text>")
	containsWords(t, page, "p95 limit 500 ms</text>")
}

// sourceHash is how a policy names a text of the page by its hash.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// TestAGateSaysOnceWhatHoldsOfBothParts: a statement that is the same of conformance and load stands there once.
func TestAGateSaysOnceWhatHoldsOfBothParts(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, html.Gate(&b, sampleGate(), html.Style{}))
	require.Equal(t, 1, strings.Count(b.String(), "The run is whole: it came to its end by itself"))
	require.Contains(t, b.String(), "Conformance and load: The run is whole")
}
