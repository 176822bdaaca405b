package steps

import (
	"context"
	"strings"
	"sync"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/plainwords"
	"agstest/reports"
	"agstest/steps/script"
)

// Trial is a service with one known property, against which the suite itself is tried: a fault that it must find, or a
// choice that it must leave in peace.
type Trial struct {
	Name    string
	Summary string
	// Requirement is the requirement that a fault breaks; empty: the service is sound.
	Requirement string
	// Unanswered: the fault leaves calls without a whole answer. Then "could not tell" is the right verdict and counts as
	// caught.
	Unanswered bool
	// Only limits the run to the scenarios that cover these requirements; nil: the whole suite runs.
	Only []string
	// Start starts the service and returns its environment and the function that ends it.
	Start func() (*environment.Environment, func(), error)
}

// TrialResult is how the suite did.
type TrialResult struct {
	Trial
	Verdict reports.Verdict // of the run
	// At is the verdict of the broken requirement, By the scenarios that showed it.
	At reports.Verdict
	By []string
	// Tries is how often the broken requirement had that verdict.
	Tries *reports.Tries
	// Others are further requirements that failed.
	Others []string
	// Right: a fault was caught at the requirement that it breaks, or a sound service passed.
	Right  bool
	Reason string
	Odd    []string // sentences of the report that nobody would write
	Err    error
}

// Try runs the suite against every service, at most workers at once, and gives the results in the order of the trials.
// Options apply to all but for Environment.
func Try(ctx context.Context, trials []Trial, o Options, workers int) []TrialResult {
	results := make([]TrialResult, len(trials))
	var all sync.WaitGroup
	queue := make(chan int)
	for range max(workers, 1) {
		all.Go(func() {
			defer failure.Guard()
			for i := range queue {
				results[i] = try(ctx, trials[i], o)
			}
		})
	}
	for i := range trials {
		queue <- i
	}
	close(queue)
	all.Wait()
	return results
}

func try(ctx context.Context, t Trial, o Options) TrialResult {
	result := TrialResult{Trial: t}
	e, end, err := t.Start()
	if err != nil {
		result.Err = err
		return result
	}
	defer end()
	o.Environment, o.Secrets, o.Progress, o.Only = e, nil, nil, t.Only
	o.BriefEvidence = true
	report, err := Run(ctx, o)
	if setupFailed(err) && t.Unanswered && strings.HasPrefix(t.Requirement, "DISC-") {
		result.At, result.By, result.Reason, result.Right = reports.Error, []string{"start"}, err.Error(), true
		return result
	}
	if err != nil {
		result.Err = err
		return result
	}
	result.Verdict, result.Reason, result.Odd = report.Verdict, report.Reason, oddIn(report)
	for _, q := range report.Requirements {
		red := q.Verdict == reports.Fail || q.Verdict == reports.Error
		if q.ID != t.Requirement {
			if red {
				result.Others = append(result.Others, q.ID)
			}
			continue
		}
		result.At, result.Tries = q.Verdict, q.Tries
		for _, f := range q.Findings {
			if f.Verdict == q.Verdict {
				result.By = append(result.By, f.Scenario)
				result.Reason = says(f)
			}
		}
		result.By = script.Unique(result.By)
	}
	if t.Requirement == "" {
		result.Right = report.Verdict == reports.Pass
		return result
	}
	result.Right = result.At == reports.Fail || result.At == reports.Warn && mayWarn(t.Requirement) ||
		result.At == reports.Error && t.Unanswered
	return result
}

// oddIn finds odd sentences among all that a report says.
func oddIn(c *reports.Conformance) []string {
	said := []string{c.Reason}
	findings := func(all []reports.Finding) {
		for _, f := range all {
			said = append(said, f.Expected, f.Got)
		}
	}
	for _, r := range c.Requirements {
		said = append(said, r.Why())
		findings(r.Findings)
	}
	for _, s := range c.Scenarios {
		said = append(said, s.Why())
		findings(s.Findings)
		for _, step := range s.Steps {
			said = append(said, step.Message)
		}
	}
	for _, cause := range c.Causes {
		said = append(said, cause.Sentence())
	}
	return plainwords.Find(strings.Join(append(said, c.Notes...), "\n"))
}

// mayWarn tells whether a miss of a requirement, or of a part of it, only warns by default.
func mayWarn(id string) bool {
	requirement, _ := ags.RequirementByID(id)
	return requirement.Gating() == ags.Warns || requirement.SoftPart != ""
}

// setupFailed tells an error that means the run cannot go on at all.
func setupFailed(err error) bool { return err != nil && failure.KindOf(err) == failure.Setup }

// Exempt tells why no scenario covers a requirement.
func Exempt(id string) (reason string, ok bool) {
	reason, ok = exempt[id]
	return reason, ok
}
