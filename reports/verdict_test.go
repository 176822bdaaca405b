package reports

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryVerdictHasAWord(t *testing.T) {
	for _, verdict := range Verdicts {
		require.NotEmpty(t, verdictWords[verdict], verdict)
	}
}

// TestOneOrderOfVerdicts: every verdict has its place, what blocks a release comes before what does not (but for what
// was not looked at, which is milder than a warning where both meet), and the order of two does not matter.
func TestOneOrderOfVerdicts(t *testing.T) {
	t.Parallel()
	milder := false
	for _, verdict := range Verdicts {
		if verdict == NotExercised {
			continue
		}
		assert.False(t, milder && verdict.Blocks(), "%s blocks, and stands behind what does not", verdict)
		milder = milder || !verdict.Blocks()
	}
	for i, graver := range Verdicts {
		for _, verdict := range Verdicts[i:] {
			assert.Equal(t, graver, Graver(graver, verdict))
			assert.Equal(t, graver, Graver(verdict, graver))
		}
		assert.Equal(t, graver, Graver("", graver))
		assert.Equal(t, graver, Graver(graver, ""))
		assert.Equal(t, Verdict("unheard-of"), Graver(graver, "unheard-of"), "what is not known may matter")
	}
	assert.Equal(t, "4: 2 pass, 1 fail, 1 known", CountsInWords(map[Verdict]int{Known: 1, Pass: 2, Fail: 1}))
}

// TestOutcomes: what comes of each verdict, of a part of a run and of the whole, and that only what is plainly good is
// green.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	green := []Verdict{Pass, Partly, Warn, Observed, Known, Improved}
	for _, verdict := range append([]Verdict{"", "unheard-of"}, Verdicts...) {
		assert.Equal(t, !slices.Contains(green, verdict), Run{}.Outcome(verdict).Red(), verdict)
		assert.True(t, Run{Partial: "it was interrupted"}.Outcome(verdict).Red(), verdict)
		assert.False(t, verdict.Outcome().Within(OutcomePassed).Red(), "%s in a run that passed", verdict)
		assert.Equal(t, verdict.Outcome(), verdict.Outcome().Within(OutcomeBroken), verdict)
	}
	assert.Equal(t, OutcomeSkipped, Run{}.Outcome(Known))
	assert.Equal(t, OutcomeFailed, Run{}.Outcome(Inconclusive))
	assert.Equal(t, OutcomeBroken, Run{}.Outcome(Skipped))
	assert.Equal(t, OutcomeFailed, Run{Partial: "it was interrupted"}.Outcome(Fail))
	assert.Equal(t, OutcomePassed, Warn.Outcome())
}

// The verdict on an operation is the one that the run has for it: nothing right of a few answers may be chance, and of a
// run that ended early a right one may have come later.
func TestAnOperationWithoutARightAnswer(t *testing.T) {
	total := &Operation{Sent: 1000, Right: 990, Wrong: 10}
	for name, test := range map[string]struct {
		run     Run
		total   *Operation
		of      Operation
		verdict Verdict
	}{
		"many":              {Run{}, total, Operation{Sent: 3, Wrong: 3}, Fail},
		"a few":             {Run{}, total, Operation{Sent: 2, Wrong: 2}, Warn},
		"one, and no other": {Run{}, &Operation{Sent: 1, Wrong: 1}, Operation{Sent: 1, Wrong: 1}, Fail},
		"ended early":       {Run{Partial: "it was interrupted"}, total, Operation{Sent: 9, Wrong: 9}, Inconclusive},
		"no answer":         {Run{Partial: "it was interrupted"}, total, Operation{Sent: 1}, Inconclusive},
		"not sent":          {Run{}, total, Operation{}, NotExercised},
	} {
		l := &Load{Run: test.run, Valid: true, Total: test.total, Limits: []Limit{{Expression: "errors<2%", Verdict: Pass}},
			WrongKinds: []WrongKind{{Operation: "signon", Kind: "status", Verdict: Warn}}}
		verdict, _ := l.VerdictOf("signon", &test.of)
		assert.Equal(t, test.verdict, verdict, name)
	}
}
