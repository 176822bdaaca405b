package compare

import "agstest/reports"

// NeverMeasured is the comparison by turns of a job that ended before its first hit, for the reason given: its set-up
// failed, or it was interrupted. It has no figure, and its verdict is an error, as that of a load that was never sent.
func NeverMeasured(run, old, new reports.Run, why string) *Comparison {
	reason := "Nothing was measured: " + why
	run.Partial = reason
	return &Comparison{
		Schema: ComparisonSchema, Run: run, Method: SideBySide, Old: &old, New: &new, Verdict: reports.Error, Reason: reason,
		Said:        reports.Error,
		Interleaved: &Interleaved{Rounds: []Round{}, Metrics: []MetricComparison{}},
	}
}
