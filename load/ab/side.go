package ab

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"agstest/internal/environment"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/reports"
)

// side is one of the two services that are compared.
type side struct {
	name        string // old or new
	job         *job
	environment *environment.Environment
	part        schedule.Shard // of the clients, where both sides have the same
	seed        uint64
	consent     load.Consent
	prepared    *load.Prepared
	clients     int // planned
	setUp       int // calls before the clock starts, about
	counter     *blockCounter
	progress    func(engine.Progress)

	reports []*reports.Load // one of each leg
	sending time.Duration   // of all legs, in blocks of this side
	crowds  []*clients.Crowd
	notes   []string // of the legs, but for those of the clients, who count on from leg to leg
	wrong   []reports.Wrong
	totals  map[string]*tally.Histogram
}

func (s *side) options() load.Options {
	o := s.job.options
	return load.Options{
		Environment: s.environment, Traffic: o.Traffic, Rate: o.Rate, Workers: o.Workers, Seed: s.seed,
		Shard: s.part, Consent: s.consent,
		Timeout: cmp.Or(o.Timeout, s.environment.Timeout), MaxLag: o.MaxLag, SetUp: o.SetUp, Secrets: o.Secrets,
		Now: o.Now,
		Run: reports.Run{ID: o.Run.ID, Kind: "ab", Tool: o.Run.Tool, Settings: maps.Clone(o.Run.Settings)},
	}
}

// prepare plans the clients of one round. Where each has one session token that can be used once, they must do for the
// confirming round as well.
func (s *side) prepare() (*load.Prepared, error) {
	plan := func(hits uint64) (*load.Prepared, error) {
		o := s.options()
		o.Schedule = turns{starts: []time.Duration{0}, rate: o.Rate, block: s.job.block, each: hits,
			length: s.job.block}
		return load.Prepare(o)
	}
	p, err := plan(s.job.hits())
	if err == nil && p.Crowd().UsesUp() && s.job.options.Confirm {
		p, err = plan(2 * s.job.hits())
	}
	return p, err
}

// ready signs the clients on that a round needs, and whatever else must be done before the clock starts.
func (s *side) ready(ctx context.Context) error {
	if s.prepared != nil && s.prepared.Crowd().UsesUp() {
		return nil // planned for both rounds
	}
	var err error
	if s.prepared, err = s.prepare(); err != nil {
		return err
	}
	s.crowds = append(s.crowds, s.prepared.Crowd())
	return s.prepared.SetUp(ctx)
}

// begin makes the next leg ready.
func (s *side) begin(schedule turns, began time.Time) {
	s.counter = newBlockCounter(s.prepared.Crowd(), schedule, s.job.settle, began)
}

// send runs one leg.
func (s *side) send(ctx context.Context) (*reports.Load, error) {
	return s.prepared.Send(ctx, load.Leg{
		Schedule: s.counter.schedule, Workload: s.counter, Workers: s.job.workers, StartAt: s.counter.began,
		Progress: s.progress,
	})
}

// took adds the report of a leg that is over.
func (s *side) took(report *reports.Load) {
	s.reports = append(s.reports, report)
	s.wrong = append(s.wrong, report.Wrong...)
	if t := report.Total; t.Rate > 0 {
		s.sending += s.counter.schedule.own(time.Duration(float64(t.Sent) / t.Rate * float64(time.Second)))
	}
	told := append(s.prepared.Crowd().Notes(), s.notes...)
	for _, note := range report.Notes {
		if !slices.Contains(told, note) {
			s.notes = append(s.notes, note)
		}
	}
	if s.totals == nil {
		s.totals = map[string]*tally.Histogram{}
	}
	for i, name := range s.counter.Operations() {
		if s.totals[name] == nil {
			s.totals[name] = &tally.Histogram{}
		}
		s.totals[name].Merge(&s.counter.totals[i])
	}
}

// joined returns the results of one side in all legs: the counts of its engines, and the response times of the hits
// that count.
func (s *side) joined() *reports.Load {
	if len(s.reports) == 0 {
		return &reports.Load{Schema: reports.LoadSchema, Run: s.options().Run,
			Operations: map[string]*reports.Operation{}}
	}
	first := s.reports[0]
	sum := &reports.Load{
		Schema: first.Schema, Run: first.Run, Valid: true, Plan: first.Plan, Operations: map[string]*reports.Operation{},
		Total:     &reports.Operation{},
		Generator: first.Generator, Seconds: []reports.Second{},
	}
	sum.Run.Partial = "" // the pairs show what is missing
	sum.Notes = slices.Clone(s.notes)
	for _, crowd := range s.crowds {
		sum.Notes = append(sum.Notes, crowd.Notes()...)
	}
	for _, w := range s.wrong {
		if w.Operation == hit.SetUp { // it is in no count of an operation
			sum.Wrong = append(sum.Wrong, w)
		}
	}
	sum.Plan.Hits, sum.Plan.Seconds = 0, 0
	for _, leg := range s.reports {
		sum.Run.End = leg.Run.End
		sum.Plan.Hits += leg.Plan.Hits
		sum.Plan.Seconds += leg.Plan.Seconds
		for _, reason := range leg.Invalid {
			sum.Valid = false
			sum.Invalid = append(sum.Invalid, reason)
		}
		if !leg.Valid && (sum.Verdict == "" || sum.Verdict == reports.Fail) {
			sum.Verdict = leg.Verdict // a fail by answers that no delay of the generator excuses, unless a leg is none
		}
		if leg.Total != nil {
			addCounts(sum.Total, leg.Total)
		}
		for name, operation := range leg.Operations {
			if operation.Sent == 0 {
				continue // only there to mend what did not break
			}
			if sum.Operations[name] == nil {
				sum.Operations[name] = &reports.Operation{}
			}
			addCounts(sum.Operations[name], operation)
		}
	}
	whole := &tally.Histogram{}
	for name, operation := range sum.Operations {
		if times := s.totals[name]; times != nil {
			operation.Response, operation.Curve = times.Percentiles(), times.Curve()
			whole.Merge(times)
		}
		operation.Rate = float64(operation.Sent) / max(s.sending.Seconds(), 1e-9)
	}
	sum.Total.Response, sum.Total.Curve = whole.Percentiles(), whole.Curve()
	sum.Total.Rate = float64(sum.Total.Sent) / max(s.sending.Seconds(), 1e-9)
	return sum
}

// soFar is joined with the blocks of the present leg, of which only what counts is known.
func (s *side) soFar() *reports.Load {
	l := s.joined()
	if len(s.reports) == 0 {
		l.Valid, l.Total = true, &reports.Operation{}
		l.Run.Environment, l.Run.URL = s.environment.Name, s.environment.URL
		l.Plan = reports.Plan{Workload: s.job.options.Workload, Clients: s.clients}
	}
	s.counter.mu.Lock()
	defer s.counter.mu.Unlock()
	for _, block := range s.counter.blocks {
		for i, name := range s.counter.Operations() {
			from := block.operations[i]
			if from.sent == 0 {
				continue
			}
			part := &reports.Operation{Asked: from.sent, Sent: from.sent, Right: from.sent - from.wrong,
				Wrong: from.wrong}
			if l.Operations[name] == nil {
				l.Operations[name] = &reports.Operation{}
			}
			addCounts(l.Operations[name], part)
			addCounts(l.Total, part)
		}
	}
	return l
}

func addCounts(to, from *reports.Operation) {
	to.Asked += from.Asked
	to.Sent += from.Sent
	to.Right += from.Right
	to.Wrong += from.Wrong
	to.Bytes += from.Bytes
	to.Interrupted += from.Interrupted
	to.Resent += from.Resent
	if to.Statuses == nil {
		to.Statuses = map[string]int64{}
	}
	for status, n := range from.Statuses {
		to.Statuses[status] += n
	}
	for kind, n := range from.Outcomes {
		if to.Outcomes == nil {
			to.Outcomes = map[string]int64{}
		}
		to.Outcomes[kind] += n
	}
}
