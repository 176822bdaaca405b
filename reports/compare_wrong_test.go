package reports_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/html"
	"agstest/reports/text"
)

// The wrong answers of the new run are at the top of every report, the answers of other clients first, whatever the
// comparison finds about times.
func TestWrongAnswersOfTheNewRunStandAtTheTop(t *testing.T) {
	old, new := storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay, 10*time.Millisecond)
	name := new.OperationNames()[0]
	for load, outcomes := range map[*reports.Load]map[string]int64{old: {"status": 2}, new: {"status": 40, "identity": 1, "reset": 3}} {
		load.Operations[name].Outcomes = outcomes
	}
	new.Verdict, new.Reason = reports.Fail, "44 answers were not right"
	new.WrongKinds = []reports.WrongKind{{Operation: name, Kind: "status", Verdict: reports.Fail, Limit: "errors<1%"}, {Operation: name, Kind: "reset", Verdict: reports.Warn}}
	stored := reports.Parts{Load: new}
	sent := old.Operations[name].Sent
	want := []compare.WrongAnswers{
		{Operation: name, Kind: "identity", Defect: true, Failed: true, Count: 1, Sent: sent, OldSent: sent},
		{Operation: name, Kind: "status", Failed: true, Count: 40, Sent: sent, Old: 2, OldSent: sent},
		{Operation: name, Kind: "reset", Count: 3, Sent: sent, OldSent: sent},
	}
	c := compare.Compare(reports.Parts{Load: old}, stored)
	assert.Equal(t, want, c.Wrong)
	for i := range want {
		want[i].Old, want[i].OldSent = 0, 0
	}
	history := compare.CompareHistory(stored, nil, compare.HistoryOptions{})
	assert.Equal(t, want, history.Wrong)
	assert.Contains(t, history.Reason, "The load run says fail: 44 answers were not right.")
	assert.Equal(t, reports.Fail, history.Verdict)
	says := fmt.Sprintf("%s: 1 of %s answers belonged to another client (none of %[2]s before)", name, figures.Count(sent))
	for what, of := range map[*compare.Comparison]string{
		c: "rong answers of the second run", history: "rong answers of this run"} {
		assert.Contains(t, render(t, func(w io.Writer) error { return text.Comparison(w, what, false) }), of)
		assert.Contains(t, render(t, func(w io.Writer) error { return text.MarkdownOfComparison(w, what) }), of)
		assert.Contains(t, render(t, func(w io.Writer) error { return html.Comparison(w, what, html.Style{}) }), of)
	}
	for report, page := range map[string]string{
		"text":     render(t, func(w io.Writer) error { return text.Comparison(w, c, false) }),
		"markdown": strings.ReplaceAll(render(t, func(w io.Writer) error { return text.MarkdownOfComparison(w, c) }), "\\", ""),
		"html":     render(t, func(w io.Writer) error { return html.Comparison(w, c, html.Style{}) }),
	} {
		if report == "html" { // what failed the new run is no warning
			assert.Regexp(t, `v-fail[^\n]*: 40 of `, page)
			assert.NotRegexp(t, `v-warn[^\n]*: 40 of `, page)
			assert.Regexp(t, `v-warn[^\n]*: 3 of `, page)
		}
		at, times := strings.Index(page, says), strings.Index(page, " p50")
		if report == "html" {
			times = strings.Index(page, "Load, side by side")
		}
		assert.True(t, at >= 0 && at < times, "%s: %d before %d", report, at, times)
	}
}
