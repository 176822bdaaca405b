package reports_test

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/plainwords"
	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

// TestReportsAreInPlainWords: of one of everything and of many, in every form, nothing is counted in the wrong number,
// has an exponent or is told to the nanosecond.
func TestReportsAreInPlainWords(t *testing.T) {
	t.Parallel()
	tags := regexp.MustCompile(`(?s)<style.*?</style>|<script.*?</script>|<svg.*?</svg>|<[^>]*>`)
	check := func(name string, write func(io.Writer) error) {
		t.Helper()
		shown := tags.ReplaceAllString(render(t, write), "\n")
		found := plainwords.Find(shown)
		assert.Empty(t, found[:min(5, len(found))], name)
	}
	for scale, runs := range map[string]struct {
		c *reports.Conformance
		l *reports.Load
	}{
		"sample": {smallConformance(), sampleLoad(2, 20)}, "one of all": {oneOfAll(), oneHit()}, "huge": {smallConformance(), hugeLoad()}, "many": {sampleConformance(), sampleLoad(9, 600)},
	} {
		c, l := runs.c, runs.l
		for name, write := range map[string]func(io.Writer) error{
			"terminal": func(w io.Writer) error { return text.Terminal(w, c, l, false) }, "markdown": func(w io.Writer) error { return text.Markdown(w, c, l) },
			"conformance": func(w io.Writer) error { return html.Conformance(w, c, html.Style{}) }, "load": func(w io.Writer) error { return html.Load(w, l, html.Style{}) },
			"junit":   func(w io.Writer) error { return export.JUnit(w, c, l) },
			"ctrf":    func(w io.Writer) error { return export.CTRF(w, c, l) },
			"actions": func(w io.Writer) error { return export.Annotations(w, "github", c, l) },
		} {
			check(scale+", "+name, write)
		}
	}
	comparisons := sampleComparisons()
	for _, name := range slices.Sorted(maps.Keys(comparisons)) {
		c := comparisons[name]
		check(name+", terminal", func(w io.Writer) error { return text.Comparison(w, c, false) })
		check(name+", page", func(w io.Writer) error { return html.Comparison(w, c, html.Style{}) })
		check(name+", junit", func(w io.Writer) error { return export.JUnitOfComparison(w, c) })
	}
}

// oneOfAll is a run with one requirement, one scenario, one cause and one finding.
func oneOfAll() *reports.Conformance {
	c := smallConformance()
	c.Requirements, c.Scenarios, c.Features = c.Requirements[:1], c.Scenarios[:1], c.Features[:min(1, len(c.Features))]
	c.Causes = c.Causes[:1]
	c.Causes[0].Requirements, c.Causes[0].Scenario = []string{c.Requirements[0].ID}, c.Scenarios[0].ID
	c.Requirements[0].Verdict, c.Scenarios[0].Verdict, c.Verdict = reports.Fail, reports.Fail, reports.Fail
	return c
}

// oneHit is a load of one request of one client in one second.
func oneHit() *reports.Load {
	l := sampleLoad(1, 1)
	l.Plan.Clients, l.Plan.Seconds = 1, 1
	for _, o := range append(slices.Collect(maps.Values(l.Operations)), l.Total) {
		o.Asked, o.Sent, o.Right, o.Wrong, o.Resent = 1, 1, 0, 1, 1
		for status := range o.Statuses {
			o.Statuses[status] = 1
		}
	}
	for i := range l.Wrong {
		l.Wrong[i].Times = 1
	}
	return l
}

// hugeLoad is a load of figures with many digits: a million seconds, ten thousand million requests.
func hugeLoad() *reports.Load {
	l := sampleLoad(2, 20)
	l.Plan.Clients, l.Plan.Seconds = 1_794_109_928, 1_000_000
	for _, o := range append(slices.Collect(maps.Values(l.Operations)), l.Total) {
		o.Asked, o.Sent, o.Right, o.Rate = 10_000_000_000, 10_000_000_000, 9_999_999_999, 1_234_567.891
		for _, p := range []*reports.Percentiles{&o.Response, &o.Service} {
			p.P99, p.P999, p.Max = 3_600_000_123_456, 36_000_000_123_456, 1<<63-1
		}
	}
	return l
}
