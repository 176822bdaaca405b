package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
)

// LoadComparison shows the figures of two load runs side by side. It never finds a regression: its verdict is
// observed, inconclusive where the second run looks far worse, or not comparable.
type LoadComparison struct {
	Verdict       reports.Verdict       `json:"verdict"`
	Reason        string                `json:"reason"`
	NotComparable []string              `json:"notComparable,omitempty"`
	Operations    []OperationComparison `json:"operations"`
}

// OperationComparison is one operation in both runs. A side is nil where the run did not have the operation.
type OperationComparison struct {
	Operation string    `json:"operation"`
	Old       *LoadSide `json:"old,omitempty"`
	New       *LoadSide `json:"new,omitempty"`
	// of response times of right answers, at each decile and in the tail
	Shift    []ShiftPoint  `json:"shift,omitempty"`
	Statuses []StatusShift `json:"statuses,omitempty"` // where the counts differ in share
}

// LoadSide is the part of one operation of one run that a comparison needs.
type LoadSide struct {
	Asked    int64               `json:"asked"`
	Sent     int64               `json:"sent"`
	Right    int64               `json:"right"`
	Wrong    int64               `json:"wrong"`
	Rate     float64             `json:"rate"`
	Response reports.Percentiles `json:"response"`
	Outcomes map[string]int64    `json:"outcomes,omitempty"`
}

// ShiftPoint is one quantile in both runs, in nanoseconds.
type ShiftPoint struct {
	Quantile float64 `json:"q"`
	Old      int64   `json:"old"`
	New      int64   `json:"new"`
}

// Change returns the relative change, such as 0.05 for 5 % slower; NaN if the old value is not positive.
func (p ShiftPoint) Change() float64 {
	if p.Old <= 0 {
		return math.NaN()
	}
	return float64(p.New)/float64(p.Old) - 1
}

// StatusShift is how often a status came in both runs.
type StatusShift struct {
	Status string `json:"status"`
	Old    int64  `json:"old"`
	New    int64  `json:"new"`
}

// allOperations is the name of the row of all operations together.
const allOperations = "all operations"

// shiftQuantiles are the quantiles of a shift plot.
var shiftQuantiles = []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999}

// compareLoad puts two load runs side by side.
func compareLoad(old, new *reports.Load) *LoadComparison {
	c := &LoadComparison{NotComparable: differences(old, new), Operations: []OperationComparison{}}
	merged := reports.Load{Operations: map[string]*reports.Operation{}}
	maps.Copy(merged.Operations, old.Operations)
	maps.Copy(merged.Operations, new.Operations)
	for _, name := range merged.OperationNames() {
		c.Operations = append(c.Operations, compareOperation(name, old.Operations[name], new.Operations[name]))
	}
	if len(merged.Operations) > 1 && old.Total != nil && new.Total != nil {
		c.Operations = append(c.Operations, compareOperation(allOperations, old.Total, new.Total))
	}
	far := slices.Concat(unsent(old, new), c.farWorse(old, new), recoveredLater(old.Storm, new.Storm))
	switch {
	case len(c.NotComparable) > 0:
		c.Verdict = reports.NotComparable
		c.Reason = "The load runs cannot be compared, so their figures are shown and not judged."
	case len(far) > 0:
		c.Verdict = reports.Inconclusive
		c.Reason = "The second load run looks far worse, and two single runs cannot tell a change from chance: " +
			strings.Join(far, "; ") + "."
	default:
		c.Verdict = reports.Observed
		c.Reason = "The load figures of the two runs are shown and not judged: two single runs cannot tell a change from " +
			"chance. None looks far worse."
	}
	return c
}

// recoveredLater says that the clients of a storm were in again far later than before, whatever single answers took.
func recoveredLater(old, new *reports.Storm) []string {
	switch {
	case old == nil || new == nil || old.Recovered <= 0:
		return nil
	case new.Recovered < 0:
		return []string{"not all clients of the storm were in again (before: after " +
			figures.Elapsed(time.Duration(old.Recovered)) + ")"}
	case float64(new.Recovered-old.Recovered) > farBeyond*Rules{}.WithDefaults().Floor.P50*float64(old.Recovered) &&
		new.Recovered-old.Recovered > int64(time.Second):
		return []string{fmt.Sprintf("all clients of the storm were in again after %s (before: %s)",
			figures.Elapsed(time.Duration(new.Recovered)), figures.Elapsed(time.Duration(old.Recovered)))}
	}
	return nil
}

// unsent names the operations that the old run was made of and the new one never sent.
func unsent(old, new *reports.Load) (found []string) {
	for _, name := range old.OperationNames() {
		if o := old.Operations[name]; o.Sent > 0 && asksFor(&old.Plan, name) &&
			(new.Operations[name] == nil || new.Operations[name].Sent == 0) {
			found = append(found, fmt.Sprintf("no %s was sent (before: %s)", name, figures.Count(o.Sent)))
		}
	}
	return found
}

// asksFor tells whether a plan is made of an operation. A run may have others that mended a broken chain.
func asksFor(p *reports.Plan, operation string) bool {
	switch {
	case len(p.Mix) > 0:
		return p.Mix[operation] > 0
	case p.Workload == "lifecycle":
		return operation != "mint"
	case p.Workload == "head-end":
		return true
	}
	return operation == p.Workload
}

// farTimes is by how much a response time must have grown, besides farBeyond, to look worse: a fast service is twice
// as slow for a moment.
const farTimes = int64(time.Millisecond)

// farWorse names the figures of the second run that are so much worse that nobody should go on without asking again.
// The bounds are those from which a history needs no second run; p99 is left out here as there. What hits may have left
// late, which is in response times, is the generator's own, unless service times are far worse as well.
func (c *LoadComparison) farWorse(old, new *reports.Load) (found []string) {
	floor := Rules{}.WithDefaults().Floor
	far := func(metric string, was, is int64) bool {
		return was > 0 && float64(is-was) > farBeyond*floor.of(metric)*float64(was) && is-was > farTimes
	}
	for _, o := range c.Operations {
		if o.Operation == allOperations || o.Old == nil || o.New == nil {
			continue
		}
		for _, point := range o.Shift {
			metric := QuantileWord(point.Quantile)
			if metric != "p50" && metric != "p95" || !far(metric, point.Old, point.New) {
				continue
			}
			was, is := old.Operations[o.Operation].Service, new.Operations[o.Operation].Service
			service := far("p50", was.P50, is.P50)
			if metric == "p95" {
				service = far("p95", was.P95, is.P95)
			}
			if service || point.New-point.Old > farTimes+new.Generator.Lag.P99 {
				found = append(found, fmt.Sprintf("%s %s %s (%s, before %s)", o.Operation, metric,
					figures.Change(point.Change()), figures.Milliseconds(point.New), figures.Milliseconds(point.Old)))
			}
		}
		if o.New.Errors()-o.Old.Errors() > farBeyond*floor.Errors {
			found = append(found, fmt.Sprintf("%s of the answers to %s wrong (before: %s)",
				figures.Percent(o.New.Wrong, o.New.Sent), o.Operation, figures.Percent(o.Old.Wrong, o.Old.Sent)))
		}
	}
	return found
}

func compareOperation(name string, old, new *reports.Operation) OperationComparison {
	c := OperationComparison{Operation: name, Old: sideOf(old), New: sideOf(new)}
	if old == nil || new == nil {
		return c
	}
	was, is := quantilesOf(old), quantilesOf(new)
	fewest := min(old.Response.Count, new.Response.Count)
	for _, q := range shiftQuantiles {
		// Where fewer than ten answers lie beyond it, a quantile is the luck of single answers.
		if q >= 0.95 && float64(fewest)*(1-q) < 10 {
			continue
		}
		a, b := was(q), is(q)
		if a > 0 && b > 0 {
			c.Shift = append(c.Shift, ShiftPoint{Quantile: q, Old: a, New: b})
		}
	}
	for _, status := range unionOf(old.Statuses, new.Statuses) {
		a, b := old.Statuses[status], new.Statuses[status]
		if a*new.Sent != b*old.Sent {
			c.Statuses = append(c.Statuses, StatusShift{Status: status, Old: a, New: b})
		}
	}
	return c
}

func sideOf(o *reports.Operation) *LoadSide {
	if o == nil {
		return nil
	}
	return &LoadSide{Asked: o.Asked, Sent: o.Sent, Right: o.Right, Wrong: o.Wrong, Rate: o.Rate, Response: o.Response,
		Outcomes: o.Outcomes}
}

// quantilesOf gives the response time at any quantile, 0 where it is not known. The percentiles that the run itself
// shows are taken from it, so that one figure is the same everywhere; others come from the curve, which has the
// deciles, or lie between two of its points.
func quantilesOf(o *reports.Operation) func(q float64) int64 {
	known := map[float64]int64{0.5: o.Response.P50, 0.9: o.Response.P90, 0.95: o.Response.P95, 0.99: o.Response.P99,
		0.999: o.Response.P999}
	return func(q float64) int64 {
		if o.Response.Count == 0 {
			return 0
		}
		if value, found := known[q]; found {
			return value
		}
		for i := 1; i < len(o.Curve); i++ {
			a, b := o.Curve[i-1], o.Curve[i]
			if a.Quantile <= q && q <= b.Quantile && b.Quantile > a.Quantile {
				return a.Value + int64(math.Round((q-a.Quantile)/(b.Quantile-a.Quantile)*float64(b.Value-a.Value)))
			}
		}
		return 0
	}
}

// Errors is the share of wrong answers among those sent; NaN where nothing was sent.
func (s *LoadSide) Errors() float64 {
	if s == nil || s.Sent == 0 {
		return math.NaN()
	}
	return float64(s.Wrong) / float64(s.Sent)
}

func (c *LoadComparison) advice() []string {
	if c.Verdict == reports.NotComparable {
		return []string{"Repeat the run that the reasons name, with the plan of the other: the same workload, schedule and " +
			"clients, from the same kind of machine, and with nothing else running on it."}
	}
	advice := []string{"To judge a release, run both builds interleaved: agstest ab --env OLD --env NEW. To judge one " +
		"build at a time, compare it with at least 10 earlier runs: agstest compare --history DIR."}
	for _, operation := range c.Operations {
		a, b := operation.Old.Errors(), operation.New.Errors()
		if b-a > 0.001 && operation.Operation != allOperations {
			advice = append(advice,
				fmt.Sprintf(
					"Wrong answers of %s rose from %s to %s: look at their kinds in both runs before anything else.",
					operation.Operation, figures.Percent(operation.Old.Wrong, operation.Old.Sent),
					figures.Percent(operation.New.Wrong, operation.New.Sent)))
		}
	}
	return advice
}

// QuantileWord is how a quantile is named: p50, p99.9.
func QuantileWord(q float64) string {
	return "p" + strconv.FormatFloat(math.Round(q*1e6)/1e4, 'f', -1, 64)
}
