package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/reports"
	"agstest/steps/scene"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Limits of trying again: a run that is red all over must not take much longer for it, and one scenario shows enough of
// a cause.
const (
	maxFailedAgain = 10               // failing scenarios, one for each cause
	maxUntoldAgain = 20               // scenarios that a limiter or a lost connection kept from telling
	longestAgain   = 20 * time.Second // a scenario that took longer is not tried again
)

func (r *run) repetitions() int {
	if r.options.Calm != "" {
		return 1
	}
	return max(r.options.Repeat, 1)
}

// playAll plays the scenarios as often as the run says, and tries again what failed or could not be told in passing.
func (r *run) playAll(ctx context.Context, sources []script.Source, selected []*script.Scenario) error {
	n := r.repetitions()
	for r.Repetition = 0; ; r.Repetition++ {
		r.collected = &collection{run: r, before: r.Repetition * len(selected), total: n * len(selected)}
		if err := r.playOnce(ctx, sources, selected); err != nil || ctx.Err() != nil {
			return err
		}
		if r.Repetition == n-1 {
			break
		}
	}
	for range r.options.Retry {
		again := r.again()
		if len(again) == 0 || r.options.Calm != "" {
			break
		}
		if err := r.tryAgain(ctx, sources, again); err != nil || ctx.Err() != nil {
			return err
		}
	}
	if err := r.proveRefusals(ctx, sources); err != nil || ctx.Err() != nil {
		return err
	}
	r.noteTries()
	return nil
}

func (r *run) playOnce(ctx context.Context, sources []script.Source, scenarios []*script.Scenario) error {
	r.Late = &scene.Late{}
	err := r.execute(ctx, sources, scenarios)
	for _, e := range r.collected.all() {
		r.count(&e)
		r.fold(e)
	}
	return err
}

// tryAgain plays these scenarios once more, one after the other, so that they do not disturb each other.
func (r *run) tryAgain(ctx context.Context, sources []script.Source, again []*script.Scenario) error {
	needed, scenarios, err := staged(sources, again)
	if err != nil {
		return err
	}
	clear(r.Tried) // a control that was not accepted is tried again too
	concurrency := r.Concurrency
	r.Concurrency = 1
	defer func() { r.Concurrency = concurrency }()
	r.collected = &collection{run: r, total: len(scenarios), again: true}
	return r.playOnce(ctx, needed, scenarios)
}

// Limits of proving refusals: what good requests got too is in many scenarios where a service is out of order.
const (
	timesProved = 2  // that a scenario is played again
	mostProved  = 40 // scenarios
)

// proveRefusals plays the scenarios again that pass by a refusal in words that a good request of the call got too. Each
// such refusal must come twice then, and a good request of the call must be accepted right behind it.
func (r *run) proveRefusals(ctx context.Context, sources []script.Source) error {
	if r.options.Retry == 0 || r.options.Calm != "" {
		return nil
	}
	var doubtful []*script.Scenario
	for _, e := range r.played {
		told := e.record.Verdict != reports.Fail && e.record.Verdict != reports.Error
		if told && !e.cut && r.suspectOf(e) != nil && !r.Hung[e.scenario.ID] &&
			e.record.Nanoseconds <= longestAgain.Nanoseconds() {
			doubtful = append(doubtful, e.scenario)
		}
	}
	slices.SortFunc(doubtful, func(a, b *script.Scenario) int { return a.Order - b.Order })
	doubtful = doubtful[:min(len(doubtful), mostProved)]
	r.Watch(true)
	defer r.Watch(false)
	for n := 0; n < timesProved && len(doubtful) > 0; n++ {
		if err := r.tryAgain(ctx, sources, doubtful); err != nil || ctx.Err() != nil {
			return err
		}
		told := map[string]bool{}
		for _, e := range r.collected.all() {
			told[e.scenario.ID] = e.record.Verdict != reports.Error && e.record.Verdict != reports.Skipped
		}
		doubtful = slices.DeleteFunc(doubtful, func(s *script.Scenario) bool { return !told[s.ID] })
	}
	for _, s := range doubtful {
		r.proved[s.ID] = true
	}
	return nil
}

// again picks the scenarios to try again: those that something passing kept from telling, and of those that failed one
// for each cause.
func (r *run) again() []*script.Scenario {
	var again []*script.Scenario
	failed, untold := 0, 0
	covered := map[string]bool{}
	var entries []*entry
	for _, e := range r.played {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b *entry) int { return a.scenario.Order - b.scenario.Order })
	for _, e := range entries {
		switch {
		case e.last > r.options.Retry, e.cut, e.record.Nanoseconds > longestAgain.Nanoseconds(), r.Hung[e.scenario.ID]:
		case e.undecided():
			if untold++; untold <= maxUntoldAgain {
				again = append(again, e.scenario)
			}
		case e.record.Verdict == reports.Fail:
			fresh := false
			for _, f := range e.findings {
				if r.weigh(f) == reports.Fail && !e.sharesEvidence(f) && !covered[f.Cause] {
					covered[f.Cause], fresh = true, true
				}
			}
			if fresh || len(e.scenario.Requirements) == 0 && len(e.findings) == 0 {
				if failed++; failed <= maxFailedAgain {
					again = append(again, e.scenario)
				}
			}
		}
	}
	return again
}

// undecided tells that a limiter or a lost connection kept a scenario from telling.
func (e *entry) undecided() bool {
	return e.record.Verdict == reports.Error &&
		slices.ContainsFunc(e.findings, func(f talk.Finding) bool { return f.Passing })
}

// sharesEvidence tells whether other scenarios look at the answer of a finding too: another try looks at the same one.
func (e *entry) sharesEvidence(f talk.Finding) bool {
	return f.Exchange >= 0 && f.Exchange < len(e.exchanges) && e.exchanges[f.Exchange].Shared
}

// verdictKey is under which showed counts the tries in which a requirement had a verdict.
func verdictKey(requirement string, v reports.Verdict) string { return requirement + " " + string(v) }

// count describes the result of one try of a scenario.
func (r *run) count(e *entry) {
	e.tries, e.last, e.showed, e.firsts = 1, 1, map[string]int{}, map[string]int{}
	show := func(key string) { e.showed[key], e.firsts[key] = 1, 1 }
	if r.repetitions() > 1 && (e.scenario.Tagged(script.TagGenerated) || e.scenario.Tagged(script.TagSequences)) {
		return // each repetition sends something else, so that it says nothing of how often
	}
	show(string(e.record.Verdict))
	for _, f := range e.findings {
		if v := r.weigh(f); f.Cause != "" && v.Rank() <= reports.Warn.Rank() && !e.sharesEvidence(f) {
			show(f.Cause)
			show(verdictKey(f.Requirement, v))
		}
	}
}

// fold adds a try of a scenario to those before. The record is that of the first of the worst tries; a try that tells
// nothing (it was ended, it lacked something, or something passing stood in its way) counts only if no try tells more,
// and so does one that could not tell beside one that failed: it does not show that the failure comes and goes.
func (r *run) fold(now entry) {
	was := r.played[now.scenario.ID]
	if was == nil {
		r.played[now.scenario.ID] = &now
		return
	}
	now.last = was.last + 1
	for key := range now.firsts {
		now.firsts[key] = now.last
	}
	tells := func(e, beside *entry) int {
		switch {
		case e.cut:
			return 0
		case e.record.Verdict == reports.Skipped:
			return 1
		case e.undecided():
			return 2
		case e.record.Verdict == reports.Error && beside.record.Verdict == reports.Fail:
			return 3
		}
		return 4
	}
	kept, other := was, &now
	switch a, b := tells(was, &now), tells(&now, was); {
	case b > a:
		kept, other = &now, was
		if was.undecided() {
			kept.untold = was.record.Reason
			if kept.untold == "" {
				kept.untold = reasonOf(was.record)
			}
		}
	case a > b:
		was.last = now.last
	case now.record.Verdict.Rank() < was.record.Verdict.Rank():
		kept, other = &now, was
		kept.take(other)
	default:
		kept.take(other)
	}
	kept.last = now.last
	kept.scenario = was.scenario // the one that the run chose
	if kept.untold == "" {
		kept.untold = other.untold
	}
	kept.others, kept.dropped = append(kept.others, other.others...), kept.dropped+other.dropped
	for _, x := range other.exchanges {
		if slices.Contains(kept.exchanges, x) {
			continue
		}
		kept.dropped++
		if len(x.Attempts) > 0 {
			kept.others = append(kept.others, x)
		}
	}
	r.played[kept.scenario.ID] = kept
}

// take adds to a try what another one showed beside it.
func (e *entry) take(other *entry) {
	e.tries += other.tries
	for key, n := range other.showed {
		e.showed[key] += n
		if first, ok := e.firsts[key]; !ok || other.firsts[key] < first {
			e.firsts[key] = other.firsts[key]
		}
	}
	have := map[string]bool{}
	for _, f := range e.findings {
		have[f.Requirement+f.Cause] = true
	}
	for _, f := range other.findings {
		if f.Cause == "" || f.Skipped || f.Outcome == check.Held || f.Passing || have[f.Requirement+f.Cause] {
			continue
		}
		have[f.Requirement+f.Cause] = true
		if f.Exchange >= 0 && f.Exchange < len(other.exchanges) {
			x := other.exchanges[f.Exchange]
			if i := slices.Index(e.exchanges, x); i >= 0 {
				f.Exchange = i
			} else {
				e.exchanges = append(e.exchanges, x)
				f.Exchange = len(e.exchanges) - 1
			}
		}
		e.findings = append(e.findings, f)
	}
}

// triesOf returns how often a counted thing showed in the tries of these scenarios; nil if none was tried more than
// once.
func triesOf(entries []entry, key string) *reports.Tries {
	var t reports.Tries
	for _, e := range entries {
		if n := e.showed[key]; n > 0 && e.tries > 1 {
			t.Times += e.tries
			t.Showed += n
			if t.First == 0 || e.firsts[key] < t.First {
				t.First = e.firsts[key]
			}
		}
	}
	if t.Times == 0 {
		return nil
	}
	return &t
}

// tellTries puts into the record of a scenario how often it came to its verdict.
func (e *entry) tellTries() {
	if e.untold != "" && !e.undecided() {
		e.record.Reason = strings.TrimSuffix("at first it could not be told, and it was tried again ("+e.untold+"); "+
			e.record.Reason, "; ")
	}
	verdict := e.record.Verdict
	e.record.Tries = triesOf([]entry{*e}, string(verdict))
	words := e.record.Tries.Words(verdict)
	if words == "" {
		return
	}
	e.record.Reason = words + ": " + e.record.Reason
	for i := range e.record.Steps {
		if step := &e.record.Steps[i]; step.Verdict == verdict && step.Message != "" {
			step.Message = words + ": " + step.Message
			break
		}
	}
}

// tellTries puts into a requirement how often its scenarios come to its verdict. Where they were not tried again
// because another scenario stood for their cause, that one tells.
func tellTries(result *reports.Requirement, entries []entry) {
	if result.Tries = triesOf(entries, verdictKey(result.ID, result.Verdict)); result.Tries == nil {
		for _, f := range result.Findings {
			if f.Verdict == result.Verdict && result.Tries == nil {
				result.Tries = triesOf(entries, f.Cause)
			}
		}
	}
	if words := result.Tries.Words(result.Verdict); words != "" {
		result.Reason = words + ": " + result.Reason
	}
}

// noteTries reports the result of trying again, and which scenarios were not tried again.
func (r *run) noteTries() {
	settled, once := 0, map[string]bool{}
	var entries []entry
	for _, e := range r.played {
		entries = append(entries, *e)
		if e.untold != "" && !e.undecided() {
			settled++
		}
	}
	if settled > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s could not be told at first and could when tried again",
			figures.Plural(settled, "scenario")))
	}
	if r.options.Retry == 0 {
		return
	}
	for _, e := range entries {
		for _, f := range e.findings {
			if r.weigh(f) == reports.Fail && f.Cause != "" && triesOf(entries, f.Cause) == nil {
				once[f.Cause] = true
			}
		}
	}
	if len(once) > 0 {
		r.Notes = append(r.Notes,
			fmt.Sprintf("whether %s always shows was not tried: one scenario for each cause is tried again, %d at most, and "+
				"none that would make another device or takes over %s",
				figures.Plural(len(once), "cause"), maxFailedAgain, longestAgain))
	}
}
