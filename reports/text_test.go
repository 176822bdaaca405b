package reports

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Scenarios of people that stand for no requirement fail a run too, so the summary names them and says what was wrong.
func TestSummaryNamesScenariosWithoutARequirement(t *testing.T) {
	c := &Conformance{Verdict: Fail, Reason: "2 scenarios without a requirement failed", Scenarios: []Scenario{
		{ID: "own/a.feature:4", Name: "Refresh twice", Verdict: Fail, Findings: []Finding{{Expected: "status 201", Got: "status 200"}}},
		{ID: "own/a.feature:9", Name: "Sign out", Verdict: Pass},
		{ID: "features/refresh.feature:9", Name: "A client refreshes", Requirements: []string{"REF-01"}, Verdict: Fail},
		{ID: "own/b.feature:2", Name: "Silence", Verdict: Error, Steps: []Step{{Verdict: Pass, Message: "fine"}, {Verdict: Error, Message: "no answer came"}}},
	}}
	text := render(t, func(w io.Writer) error { return Text(w, c, nil, false) })
	assert.Contains(t, text, `  Scenarios without a requirement
    FAIL  own/a.feature:4: Refresh twice
          expected status 201, got status 200
    COULD NOT TELL  own/b.feature:2: Silence
          no answer came
`)
	assert.NotContains(t, text, "Sign out")
	assert.NotContains(t, text, "A client refreshes")

	for i := range 30 {
		c.Scenarios = append(c.Scenarios, Scenario{ID: fmt.Sprint("own/c.feature:", i), Verdict: Fail})
	}
	text = render(t, func(w io.Writer) error { return Text(w, c, nil, false) })
	assert.Equal(t, textShown, strings.Count(text, "FAIL  own")+strings.Count(text, "COULD NOT TELL  own"))
	assert.Equal(t, 1, strings.Count(text, "… more in the report"))
}

func TestSummaryOfAnInvalidRunSaysWhatToDo(t *testing.T) {
	l := &Load{Verdict: Invalid, Invalid: []string{"hits left late"}}
	assert.Contains(t, render(t, func(w io.Writer) error { return Text(w, nil, l, false) }),
		"    hits left late\n    What to do: run again on a machine that does nothing else, on a bigger one, or with a lower rate; --max-lag 10ms accepts hits that leave so late\n")
}

func TestAKindOfWrongAnswersIsToldOnce(t *testing.T) {
	same := Wrong{Operation: "refresh", Kind: "status", Times: 200, Message: "refresh was answered 201, not 200"}
	l := &Load{Valid: true, Total: &Operation{}, Wrong: []Wrong{same, same, same, {Operation: "signon", Kind: "status", Times: 1, Message: "no"}}}
	text := render(t, func(w io.Writer) error { return Text(w, nil, l, false) })
	assert.Equal(t, 1, strings.Count(text, "  wrong refresh status, 200 times: refresh was answered 201, not 200\n"))
	assert.Equal(t, 2, strings.Count(text, "\n  wrong "))
	assert.Equal(t, []Wrong{same, l.Wrong[3]}, l.kindsOfWrong())
	assert.Equal(t, 1, strings.Count(render(t, func(w io.Writer) error { return Markdown(w, nil, l) }), "refresh was answered 201"))
}
