// Package reports holds the results of a run as data that is stored and read back: Conformance, Load, Gate and
// Comparison, their Run and their Verdicts, and the JSON Schemas of the files. It also has the sentences that all
// reports share (Why, Sentence, Title). It knows neither how the findings came about nor how they are shown or kept:
// reports/html, reports/text and reports/export render them, each as a func(io.Writer, *T) error; reports/runs keeps
// their folders; reports/compare compares runs.
package reports

// Verdict is the outcome of a step, a scenario, a requirement, a limit or a run.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	// what was checked holds, and a part of it was not checked; the reason says why
	Partly       Verdict = "partly"
	Fail         Verdict = "fail"          // the service broke a rule
	Warn         Verdict = "warn"          // a miss that does not fail the run
	Observed     Verdict = "observed"      // a probe: what the service does, for the record
	Skipped      Verdict = "skipped"       // the environment lacks what it needs; the reason says what
	Error        Verdict = "error"         // we could not tell: no answer, or our own fault
	Known        Verdict = "known"         // a departure listed in the file of known departures
	NotExercised Verdict = "not-exercised" // no scenario of this run touched it
	NotEnough    Verdict = "not-enough"    // of a run: nothing failed, and less was judged than its coverage asks for
	Inconclusive Verdict = "inconclusive"  // too little data to decide
	Invalid      Verdict = "invalid"       // the generator was too slow: the figures do not speak of the service

	// Of comparisons only.
	Regressed     Verdict = "regressed"      // worse than chance and the floor allow
	Improved      Verdict = "improved"       // better by the same measure
	NotComparable Verdict = "not-comparable" // two different questions were asked; the reason says which
)

// Class is the verdict as a class of the style sheet.
func (v Verdict) Class() string { return "v-" + v.StyleName() }

// Mark is the id of the verdict's mark.
func (v Verdict) Mark() string { return "m-" + v.StyleName() }
