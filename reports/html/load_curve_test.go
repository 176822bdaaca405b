package html

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

// TestACurveOfFewAnswersIsNotDrawn: a line ends where fewer than 10 answers lie beyond, and one of a single point would
// be an empty picture.
func TestACurveOfFewAnswersIsNotDrawn(t *testing.T) {
	for name, test := range map[string]struct {
		answers int64
		lines   int
	}{"no answer": {0, 0}, "ten": {10, 0}, "nineteen": {19, 0}, "twenty": {20, 1}, "a thousand": {1000, 1}} {
		t.Run(name, func(t *testing.T) {
			o := &reports.Operation{Curve: []reports.CurvePoint{{Quantile: 0, Value: 1e6}, {Quantile: 0.5, Value: 2e6},
				{Quantile: 0.9, Value: 4e6}, {Quantile: 1, Value: 9e6}}}
			o.Response.Count = test.answers
			l := &reports.Load{Operations: map[string]*reports.Operation{"refresh": o}}
			drawn, shown := loadCurveChart(l, []string{"refresh"}, nil)
			assert.Equal(t, test.lines > 0, shown)
			assert.Len(t, drawn.Lines, test.lines)
		})
	}
}
