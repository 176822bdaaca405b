// Package metrics exports the figures of a load while it goes on: to Prometheus, which scrapes them (Handler), and by
// OTLP to a collector (Sender). Sums adds up the news of the run once a second. The histograms of its times are sparse
// ones with eight buckets for each doubling, so that every percentile of them is within 9 % of the exact one, whatever
// the times are; beside them are the classic ones with fixed bounds.
//
// Names are those of metrics.txt and metrics.prom, which the run leaves at its end.
package metrics

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"agstest/load/engine"
	"agstest/reports"
)

// scale means that a bucket's upper bound is 2^(1/8) times that of the one before: schema 3 of Prometheus' native
// histograms (https://prometheus.io/docs/specs/native_histograms/) and scale 3 of OTLP's exponential ones
// (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram).
const scale = 3

// Sums is the figures of a run. Several goroutines may use it.
type Sums struct {
	began    time.Time
	workload string

	mutex sync.Mutex // guards what follows
	sides []*side    // in the order in which they were named
}

// side is one engine of a run, and its last progress.
type side struct {
	name, environment string
	last              engine.Progress
	due               int64
	operations        map[string]*operation
	order             []string
}

// operation is everything since the start, of all points of a search and all rounds of a comparison.
type operation struct {
	asked, sent, right int64
	wrong              map[string]int64 // by kind
	last               engine.Operation
	response, service  times
}

// times are times of right answers.
type times struct {
	count   int64
	sum     float64       // seconds
	sparse  map[int]int64 // by index: from above 2^((index-1)/8) up to 2^(index/8) seconds
	classic []int64       // by reports.BucketBounds, not cumulative; the last one counts times above all bounds
}

// NewSums begins to add up a run with a workload at an instant. Sides are added with Side.
func NewSums(workload string, began time.Time) *Sums { return &Sums{workload: workload, began: began} }

// Side adds an engine that loads an environment: the only one with an empty name, or one of a comparison. It returns
// the function that is told how that engine stands.
func (s *Sums) Side(name, environment string) func(engine.Progress) {
	one := &side{name: name, environment: environment, operations: map[string]*operation{}}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.sides = append(s.sides, one)
	return func(at engine.Progress) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		one.add(at)
	}
}

// add adds what is new since the last time. A clock that started at another moment is that of another run of the same
// question, as the next point of a search for a capacity is.
func (s *side) add(at engine.Progress) {
	if !at.Began.Equal(s.last.Began) {
		s.last = engine.Progress{}
		for _, o := range s.operations {
			o.last = engine.Operation{}
		}
	}
	s.due += max(0, at.Asked-s.last.Asked)
	for i := range at.Operations {
		told := &at.Operations[i]
		o := s.operations[told.Name]
		if o == nil {
			o = &operation{wrong: map[string]int64{}}
			s.operations[told.Name] = o
			s.order = append(s.order, told.Name)
		}
		o.asked += max(0, told.Asked-o.last.Asked)
		o.sent += max(0, told.Sent-o.last.Sent)
		o.right += max(0, told.Right-o.last.Right)
		for kind, n := range told.Kinds {
			o.wrong[kind] += max(0, n-o.last.Kinds[kind])
		}
		o.last = *told
		o.response.sum += float64(told.Response.Each(o.response.add)) / 1e9
		o.service.sum += float64(told.Service.Each(o.service.add)) / 1e9
	}
	s.last = at
}

func (t *times) add(nanoseconds, count int64) {
	if t.sparse == nil {
		t.sparse, t.classic = map[int]int64{}, make([]int64, len(reports.BucketBounds)+1)
	}
	t.count += count
	t.sparse[int(math.Ceil(math.Log2(float64(max(nanoseconds, 1))/1e9)*(1<<scale)))] += count
	at, _ := slices.BinarySearch(reports.BucketBounds, nanoseconds)
	t.classic[at] += count
}

func (t *times) clone() times {
	return times{t.count, t.sum, maps.Clone(t.sparse), slices.Clone(t.classic)}
}

// standing is a side as it is given away: nobody changes it.
type standing struct {
	side, environment string
	due               int64
	at                engine.Progress // of limits, lag and times only
	operations        []operationStanding
}

type operationStanding struct {
	name               string
	asked, sent, right int64
	wrong              map[string]int64
	response, service  times
	p50, p95, p99      float64 // recent, in seconds
	closed             bool
}

// begun tells whether there are figures.
func (s *Sums) begun() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.ContainsFunc(s.sides, func(one *side) bool { return one.last.Elapsed > 0 })
}

// standings are all sides as they stand.
func (s *Sums) standings() []standing {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var all []standing
	for _, one := range s.sides {
		st := standing{side: one.name, environment: one.environment, due: one.due, at: one.last}
		for _, name := range one.order {
			o := one.operations[name]
			st.operations = append(st.operations, operationStanding{
				name: name, asked: o.asked, sent: o.sent, right: o.right, wrong: maps.Clone(o.wrong),
				response: o.response.clone(), service: o.service.clone(),
				p50: float64(o.last.P50) / 1e9, p95: float64(o.last.P95) / 1e9, p99: float64(o.last.P99) / 1e9,
				closed: one.last.Closed,
			})
		}
		all = append(all, st)
	}
	return all
}

// kept tells for each limit that can be told whether it is kept so far.
func (s *standing) kept() map[string]bool {
	kept := map[string]bool{}
	for _, l := range s.at.Limits {
		if l.Verdict != reports.Inconclusive {
			kept[l.Expression] = l.Verdict == reports.Pass
		}
	}
	return kept
}
