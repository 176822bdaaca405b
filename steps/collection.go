package steps

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"agstest/internal/check"
	"agstest/internal/wire"
	"agstest/reports"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// collection has the results of the scenarios, each once, in the order in which they were played.
type collection struct {
	run    *run
	before int  // scenarios that were played before
	total  int  // of the run
	again  bool // they are tried again, of which Progress does not tell

	mu      sync.Mutex // guards entries and calls of Progress
	entries []entry
}

// entry is one finished scenario.
type entry struct {
	scenario   *script.Scenario
	record     reports.Scenario
	findings   []talk.Finding
	exchanges  []*talk.Exchange
	situations []string // that it stood on
	halted     bool     // a step failed or could not tell, so that godog counts the scenario as failed
	cut        bool     // the run was ended in it

	tries   int              // that told something, of those the scenario had
	last    int              // number of its last try
	showed  map[string]int   // in how many tries a cause showed, or a requirement had a verdict
	firsts  map[string]int   // the number of the first of those tries
	dropped int              // exchanges of tries of which nothing else is kept
	others  []*talk.Exchange // exchanges that a limiter had no room for at first
	untold  string           // why the first tries told nothing
}

func (l *collection) add(ctx context.Context, p *play) {
	r := l.run
	e := entry{scenario: p.scenario, record: p.record, findings: p.world.Findings, exchanges: p.world.Exchanges,
		situations: p.world.Situations, cut: ctx.Err() != nil}
	for _, x := range r.EndedIn(e.scenario.ID) {
		at := slices.Index(e.exchanges, x)
		if at < 0 {
			at, e.exchanges = len(e.exchanges), append(e.exchanges, x)
		}
		e.findings = append(e.findings, talk.Finding{Requirement: "ERR-08", Outcome: check.Broken, Exchange: at,
			Expected: "an answer, and a service that goes on",
			Got: "the connection was closed without an answer, and the service cannot be reached any more since: this " +
				"request ended it, or one that was under way with it"})
	}
	blame(e.findings, e.exchanges)
	verdict := reports.Pass
	for _, s := range e.record.Steps {
		if s.Verdict == reports.NotExercised && p.ended {
			continue
		}
		verdict = reports.Graver(verdict, s.Verdict)
	}
	for _, f := range e.findings {
		v := r.weigh(f)
		if v == reports.Skipped && p.skipped == nil {
			v, e.record.Reason = reports.Partly, "in part not checked: "+r.Secrets.Text(f.Got)
		}
		if v != reports.Observed { // the scenario is not about what the judge observes by the way
			verdict = reports.Graver(verdict, v)
		}
	}
	if verdict != reports.Partly {
		e.record.Reason = ""
	}
	e.halted = p.halted
	e.record.Verdict = verdict
	if e.cut {
		e.record.Verdict = reports.NotExercised
		e.record.Reason = "the run was ended"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	if r.options.Progress != nil && !l.again {
		r.options.Progress(l.before+len(l.entries), l.total, e.scenario.Name, e.record.Verdict)
	}
}

func (l *collection) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

func (l *collection) stopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.halted {
			return true
		}
	}
	return false
}

// all gives the entries in the order in which the scenarios ended.
func (l *collection) all() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries
}

// sorted gives what all tries of the scenarios came to in file and line order, with findings weighed and evidence
// redacted.
func (r *run) sorted() []entry {
	var entries []entry
	for _, e := range r.played {
		entries = append(entries, *e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.scenario.Order, b.scenario.Order) })
	for i := range entries {
		e := &entries[i]
		brief := r.options.BriefEvidence && e.record.Verdict.Rank() > reports.Warn.Rank()
		for _, x := range e.exchanges {
			if brief {
				break
			}
			record := evidence(x.Exchange.Record(r.Secrets))
			record.Tampered = r.Secrets.Text(x.Tampered)
			e.record.Transcript = append(e.record.Transcript, record)
		}
		for _, f := range e.findings {
			if f.Skipped || f.Outcome == check.Held || r.weigh(f) == reports.Observed &&
				!e.scenario.Tagged("@"+f.Requirement) {
				continue
			}
			e.record.Findings = appendFinding(e.record.Findings, r.report(f, e.record.ID))
		}
		if e.record.Reason == "" {
			e.record.Reason = reasonOf(e.record)
		}
		e.tellTries()
	}
	return entries
}

// reasonOf explains a scenario's verdict by the first step or finding that has it.
func reasonOf(s reports.Scenario) string {
	if s.Verdict == reports.Pass {
		return ""
	}
	for _, step := range s.Steps {
		if step.Verdict == s.Verdict && step.Message != "" {
			return step.Message
		}
	}
	for _, f := range s.Findings {
		if f.Verdict == s.Verdict {
			return f.Requirement + ": " + says(f)
		}
	}
	return ""
}

// says puts a finding into words.
func says(f reports.Finding) string {
	switch {
	case f.Expected == "":
		return f.Got
	case f.Got == "":
		return "expected " + f.Expected
	}
	return "expected " + f.Expected + "; got " + f.Got
}

// report turns a finding into its form for the report.
func (r *run) report(f talk.Finding, scenario string) reports.Finding {
	return reports.Finding{
		Requirement: f.Requirement, Verdict: r.weigh(f), Expected: r.Secrets.Text(f.Expected), Got: r.Secrets.Text(
			f.Got),
		Scenario: scenario, Exchange: f.Exchange, Times: 1, Cause: f.Cause,
	}
}

// appendFinding counts a finding that says the same as one before.
func appendFinding(list []reports.Finding, f reports.Finding) []reports.Finding {
	for i := range list {
		if list[i].Requirement == f.Requirement && list[i].Verdict == f.Verdict && list[i].Expected == f.Expected &&
			list[i].Got == f.Got {
			list[i].Times++
			return list
		}
	}
	return append(list, f)
}

// evidence is a record in its form for the report.
func evidence(r wire.Record) reports.Exchange {
	return reports.Exchange{
		Operation: r.Operation, Method: r.Method, URL: r.URL, RequestHeader: r.RequestHeader, RequestBody: r.RequestBody,
		Status:         r.Status,
		ResponseHeader: r.ResponseHeader, ResponseBody: r.ResponseBody, Nanoseconds: r.Nanoseconds, Error: r.Error,
		Resent: r.Resent, Repeated: r.Repeated, Curl: r.Curl,
	}
}
