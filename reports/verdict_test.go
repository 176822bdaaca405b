package reports_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

// TestEveryVerdictHasAWord: where a verdict is written otherwise than it is said, and of a new one it is asked.
func TestEveryVerdictHasAWord(t *testing.T) {
	t.Parallel()
	words := map[reports.Verdict]string{
		reports.Pass: "pass", reports.Partly: "holds in part", reports.Fail: "fail", reports.Warn: "warning",
		reports.Observed: "observed", reports.Skipped: "skipped", reports.Error: "could not tell",
		reports.Known: "known", reports.NotExercised: "not exercised", reports.NotEnough: "not enough checked",
		reports.Inconclusive: "inconclusive", reports.Invalid: "not valid", reports.Regressed: "regressed",
		reports.Improved: "improved", reports.NotComparable: "not comparable",
	}
	for _, verdict := range reports.Verdicts {
		assert.NotEmpty(t, words[verdict], verdict)
		assert.Equal(t, words[verdict], verdict.Word())
	}
}

// TestOneOrderOfVerdicts: every verdict has its place, what blocks a release comes before what does not (but for what
// was not looked at, which is milder than a warning where both meet), and the order of two does not matter.
func TestOneOrderOfVerdicts(t *testing.T) {
	t.Parallel()
	milder := false
	for _, verdict := range reports.Verdicts {
		if verdict == reports.NotExercised {
			continue
		}
		assert.False(t, milder && verdict.Blocks(), "%s blocks, and stands behind what does not", verdict)
		milder = milder || !verdict.Blocks()
	}
	for i, graver := range reports.Verdicts {
		for _, verdict := range reports.Verdicts[i:] {
			assert.Equal(t, graver, reports.Graver(graver, verdict))
			assert.Equal(t, graver, reports.Graver(verdict, graver))
		}
		assert.Equal(t, graver, reports.Graver("", graver))
		assert.Equal(t, graver, reports.Graver(graver, ""))
		assert.Equal(t, reports.Verdict("unheard-of"), reports.Graver(graver, "unheard-of"), "what is not known may matter")
	}
	counts := map[reports.Verdict]int{reports.Known: 1, reports.Pass: 2, reports.Fail: 1}
	assert.Equal(t, "4: 2 pass, 1 fail, 1 known", reports.CountsInWords(counts))
}

// TestOutcomes: what comes of each verdict, of a part of a run and of the whole, and that only what is plainly good is
// green.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	green := []reports.Verdict{
		reports.Pass, reports.Partly, reports.Warn, reports.Observed, reports.Known, reports.Improved,
	}
	for _, verdict := range append([]reports.Verdict{"", "unheard-of"}, reports.Verdicts...) {
		assert.Equal(t, !slices.Contains(green, verdict), reports.Run{}.Outcome(verdict).Red(), verdict)
		assert.True(t, reports.Run{Partial: "it was interrupted"}.Outcome(verdict).Red(), verdict)
		assert.False(t, verdict.Outcome().Within(reports.OutcomePassed).Red(), "%s in a run that passed", verdict)
		assert.Equal(t, verdict.Outcome(), verdict.Outcome().Within(reports.OutcomeBroken), verdict)
	}
	assert.Equal(t, reports.OutcomeSkipped, reports.Run{}.Outcome(reports.Known))
	assert.Equal(t, reports.OutcomeBroken, reports.Run{}.Outcome(reports.Inconclusive))
	assert.Equal(t, reports.OutcomeBroken, reports.Run{}.Outcome(reports.Skipped))
	assert.Equal(t, reports.OutcomeFailed, reports.Run{Partial: "it was interrupted"}.Outcome(reports.Fail))
	assert.Equal(t, reports.OutcomePassed, reports.Warn.Outcome())
}

// The verdict on an operation is the one that the run has for it: nothing right of a few answers may be chance, and of a
// run that ended early a right one may have come later.
func TestAnOperationWithoutARightAnswer(t *testing.T) {
	total := &reports.Operation{Sent: 1000, Right: 990, Wrong: 10}
	for name, test := range map[string]struct {
		run     reports.Run
		total   *reports.Operation
		of      reports.Operation
		verdict reports.Verdict
	}{
		"many":              {reports.Run{}, total, reports.Operation{Sent: 3, Wrong: 3}, reports.Fail},
		"a few":             {reports.Run{}, total, reports.Operation{Sent: 2, Wrong: 2}, reports.Warn},
		"one, and no other": {reports.Run{}, &reports.Operation{Sent: 1, Wrong: 1}, reports.Operation{Sent: 1, Wrong: 1}, reports.Fail},
		"ended early":       {reports.Run{Partial: "it was interrupted"}, total, reports.Operation{Sent: 9, Wrong: 9}, reports.Inconclusive},
		"no answer":         {reports.Run{Partial: "it was interrupted"}, total, reports.Operation{Sent: 1}, reports.Inconclusive},
		"not sent":          {reports.Run{}, total, reports.Operation{}, reports.NotExercised},
	} {
		l := &reports.Load{Run: test.run, Valid: true, Total: test.total,
			Limits:     []reports.Limit{{Expression: "errors<2%", Verdict: reports.Pass}},
			WrongKinds: []reports.WrongKind{{Operation: "signon", Kind: "status", Verdict: reports.Warn}}}
		verdict, _ := l.VerdictOf("signon", &test.of)
		assert.Equal(t, test.verdict, verdict, name)
	}
}
