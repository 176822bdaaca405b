package compare

import (
	"fmt"
	"slices"
	"time"

	"agstest/reports"
)

// Interleaved is a job in which two services answered by turns: pairs of short blocks, the order in each pair drawn at
// random. The environment affects both halves of a pair alike, so the ratio within a pair shows the services alone.
// Interleaved holds all the data behind its verdict: the same blocks always give the same verdict.
type Interleaved struct {
	Plan    InterleavedPlan    `json:"plan"`
	Rounds  []Round            `json:"rounds"` // the first, and the one that confirms it if there was one
	Metrics []MetricComparison `json:"metrics"`
	// Invalid lists, in words, why the figures of a side do not show its service, such as that hits left late; none if
	// they do. With such a reason the two services are not comparable.
	Invalid []string `json:"invalid,omitempty"`
	// OldHits and NewHits are single requests of each side: the slowest, and wrong answers of each kind.
	OldHits *KeptHits `json:"oldHits,omitempty"`
	NewHits *KeptHits `json:"newHits,omitempty"`
	// LastAA is the last job in which a build was compared with itself in this environment.
	LastAA *SelfComparison `json:"lastAA,omitempty"`
}

// InterleavedPlan is the question of the comparison.
type InterleavedPlan struct {
	Workload  string         `json:"workload"`
	Mix       map[string]int `json:"mix,omitempty"`
	Rate      float64        `json:"rate"`    // hits/s in a block
	Clients   int            `json:"clients"` // of each side
	Pairs     int            `json:"pairs"`   // of a round
	Block     time.Duration  `json:"block"`   // nanoseconds
	Settle    time.Duration  `json:"settle"`  // at the start of each block, not counted
	Seed      uint64         `json:"seed"`
	Placement Placement      `json:"placement"`
	// a round that finds a regression is repeated once, and only both count
	Confirm bool  `json:"confirm"`
	AA      bool  `json:"aa,omitempty"` // one build against itself
	Rules   Rules `json:"rules"`
}

// Placement says how it was kept from mattering where the two services run.
type Placement string

// The placements. Two builds on two nodes differ by their nodes all through a job, which no pairing removes: in
// simulation 22 to 42 % of unchanged builds were flagged.
const (
	Uncontrolled  Placement = "uncontrolled" // nothing is known: no verdict but inconclusive
	SamePlacement Placement = "same"         // both run at the same place, so the user says
	Swapped       Placement = "swapped"      // both changed places at half-time
)

// Rules are the levels and limits of a verdict. Zero values mean the defaults.
type Rules struct {
	// Level is the probability with which a job may flag any metric of two equal services; default 0.05.
	Level float64 `json:"level"`
	// Floor is the least change worth flagging; default 2 % of p50, 3 % of p95, 5 % of p99, 0.1 points of errors.
	Floor Bounds `json:"floor"`
	// Tolerated is the change that must be ruled out for a pass; default 5 % of p50, 10 % of p95, 20 % of p99, 0.5 points
	// of errors.
	Tolerated Bounds `json:"tolerated"`
}

// Bounds are relative changes of response-time quantiles and a difference of the share of wrong answers: 0.02 is 2 %,
// or 2 points.
type Bounds struct {
	P50    float64 `json:"p50"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Errors float64 `json:"errors"`
}

// WithDefaults fills in missing values.
func (r Rules) WithDefaults() Rules {
	fill := func(b *Bounds, defaults Bounds) {
		for _, pair := range []struct {
			to   *float64
			from float64
		}{{&b.P50, defaults.P50}, {&b.P95, defaults.P95}, {&b.P99, defaults.P99}, {&b.Errors, defaults.Errors}} {
			if *pair.to == 0 {
				*pair.to = pair.from
			}
		}
	}
	if r.Level == 0 {
		r.Level = 0.05
	}
	fill(&r.Floor, Bounds{P50: 0.02, P95: 0.03, P99: 0.05, Errors: 0.001})
	fill(&r.Tolerated, Bounds{P50: 0.05, P95: 0.10, P99: 0.20, Errors: 0.005})
	return r
}

func (b Bounds) of(metric string) float64 {
	switch metric {
	case "p50":
		return b.P50
	case "p95":
		return b.P95
	case "p99":
		return b.P99
	}
	return b.Errors
}

// Round is one pass over all pairs.
type Round struct {
	Pairs []Pair `json:"pairs"`
	// WarmUp is what was answered before the first pair. No figure counts it; too many wrong answers of the new service
	// are judged all the same.
	WarmUp Uncounted `json:"warmUp,omitzero"`
	// Settling is what was answered at the start of the blocks of the pairs; it is judged as WarmUp is.
	Settling Uncounted `json:"settling,omitzero"`
}

// Uncounted are the answers of both services that are in no figure, by operation.
type Uncounted struct {
	Old map[string]Answers `json:"old,omitempty"`
	New map[string]Answers `json:"new,omitempty"`
}

// Answers are how many answers came, and how many of them were wrong.
type Answers struct {
	Sent  int64 `json:"sent"`
	Wrong int64 `json:"wrong"`
}

// Pair is two blocks, one of each service, one right after the other.
type Pair struct {
	OldFirst bool                    `json:"oldFirst"`
	Old      map[string]BlockFigures `json:"old"` // by operation
	New      map[string]BlockFigures `json:"new"`
}

// BlockFigures are the figures of one operation in the counted part of one block. Times are response times of right
// answers in nanoseconds.
type BlockFigures struct {
	Sent  int64 `json:"sent"`
	Right int64 `json:"right"`
	Wrong int64 `json:"wrong"`
	P50   int64 `json:"p50"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
}

func (f BlockFigures) Quantile(metric string) int64 {
	switch metric {
	case "p50":
		return f.P50
	case "p95":
		return f.P95
	}
	return f.P99
}

// SelfComparison is the outcome of a job that compared a build with itself.
type SelfComparison struct {
	ID          string          `json:"id"`
	Environment string          `json:"environment"`
	When        time.Time       `json:"when"`
	Verdict     reports.Verdict `json:"verdict"`
	Reason      string          `json:"reason"`
	// Largest is the largest relative change of a response time that it showed, of which all is chance.
	Largest float64 `json:"largest"`
}

// SelfComparisonOf makes the summary that later reports carry; nil where the comparison was not of a build with itself.
func SelfComparisonOf(c *Comparison) *SelfComparison {
	if c == nil || c.Interleaved == nil || !c.Interleaved.Plan.AA {
		return nil
	}
	s := &SelfComparison{ID: c.Run.ID, Environment: c.Run.Environment, When: c.Run.Start, Verdict: c.Verdict,
		Reason: c.Reason}
	for _, metric := range c.Interleaved.Metrics {
		if metric.Metric != "errors" {
			s.Largest = max(s.Largest, metric.Change, -metric.Change)
		}
	}
	return s
}

// Operations lists the operations of all blocks by name.
func (i *Interleaved) Operations() []string {
	all := map[string]*reports.Operation{}
	for _, round := range i.Rounds {
		for _, pair := range round.Pairs {
			for _, block := range []map[string]BlockFigures{pair.Old, pair.New} {
				for name := range block {
					all[name] = nil
				}
			}
		}
	}
	return (&reports.Load{Operations: all}).OperationNames()
}

// InterleavedComparison draws the comparison of an interleaved job from its blocks, and from the load runs that both
// sides were on the whole. Rounds that were not made, or broke off, leave it inconclusive.
func InterleavedComparison(run reports.Run, old, new *reports.Load, job Interleaved) *Comparison {
	job.Plan.Rules = job.Plan.Rules.WithDefaults()
	c := &Comparison{Schema: ComparisonSchema, Run: run, Method: SideBySide, Old: &old.Run, New: &new.Run,
		Interleaved: &job}
	c.Load = compareLoad(old, new)
	c.Load.Verdict, c.Load.Reason = "", ""
	job.judge()
	job.Invalid = slices.Concat(old.Invalid, new.Invalid)
	c.sound = new.Valid || new.Verdict == reports.Fail
	c.NotComparable = append(untrusted("the old build's part", old), untrusted("the new build's part", new)...)
	for _, a := range [][3]string{
		{"workload", old.Plan.Workload, new.Plan.Workload},
		{"transport", aspectOf(old, "transport"), aspectOf(new, "transport")},
		{"number of clients", fmt.Sprint(old.Plan.Clients), fmt.Sprint(new.Plan.Clients)},
	} {
		if a[1] != a[2] {
			c.NotComparable = append(c.NotComparable,
				fmt.Sprintf("The two sides differ in %s: %s for the old build, %s for the new one.", a[0], a[1], a[2]))
		}
	}
	if answered(old) == 0 && answered(new) == 0 {
		c.NotComparable = append(c.NotComparable, "Neither build gave a single right answer.")
	}
	c.Load.NotComparable = c.NotComparable
	c.early = [2]map[string]int64{earlyWrong(old), earlyWrong(new)}
	c.settleInterleaved()
	c.noteSides(old.Notes, new.Notes)
	c.Wrong = wrongOfNew(old, new)
	return c
}

// earlyWrong are the wrong answers before the clock started, by kind: they are in no operation.
func earlyWrong(l *reports.Load) map[string]int64 {
	found := map[string]int64{}
	for _, w := range l.Wrong {
		if w.Operation == "set-up" {
			found[w.Kind] = max(found[w.Kind], w.Times) // each example has the count of all
		}
	}
	return found
}

func aspectOf(l *reports.Load, name string) string {
	aspects := l.Aspects()
	if i := slices.IndexFunc(aspects, func(a reports.Aspect) bool { return a.Name == name }); i >= 0 {
		return aspects[i].Value
	}
	return ""
}

func answered(l *reports.Load) int64 {
	right := int64(0)
	for _, operation := range l.Operations {
		right += operation.Right
	}
	return right
}

// NeedsConfirmation tells whether the first round found something that only a second one may confirm.
func NeedsConfirmation(job Interleaved) bool {
	job.Plan.Rules = job.Plan.Rules.WithDefaults()
	if !job.Plan.Confirm || len(job.Rounds) != 1 {
		return false
	}
	job.judge()
	return slices.ContainsFunc(job.Metrics, func(m MetricComparison) bool {
		return len(m.Rounds) > 0 && (m.Rounds[0].Flagged == reports.Regressed || job.Plan.AA &&
			m.Rounds[0].Flagged == reports.Improved)
	})
}
