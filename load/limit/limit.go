// Package limit reads the limits of a load, such as refresh.p99<300ms, and judges whether a run kept them.
//
// Parse reads one limit. Its metric is a row of the table metrics (metric.go): the unit of a bound, how the figure is
// computed, and which wrong answers the limit excuses. Judge takes the counts and times of a run, second by second, and
// gives each limit a verdict with an interval that holds the true figure in 95 of 100 runs. The package knows no
// service, no schedule and no file.
package limit

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"agstest/internal/failure"
	"agstest/load/hit"
)

// Limit is a bound that a run must keep, such as refresh.p99<300ms. The zero value is no limit; Parse makes one.
type Limit struct {
	// Expression is the limit as it was written, without spaces.
	Expression string
	// Operation is the population: the answers of one operation, or of all where it is empty; storm for a figure of the
	// storm.
	Operation string
	// Service: the time from the actual send, not from the intended one.
	Service bool
	// Metric is one of p50 … p99.99 (any percentile above 0 and below 100), max, mean, errors, throttled, rate,
	// throughput, recovered.
	Metric string
	// Quantile is between 0 and 1 for percentiles.
	Quantile float64
	// Above: the figure must be above the bound; otherwise below.
	Above bool
	// Inclusive: the bound itself is within the limit.
	Inclusive bool
	// Bound is in nanoseconds for times, a share of 1 for errors and throttled, per second for rate and throughput.
	Bound float64
}

// stormPopulation is the population of figures about a storm as a whole.
const stormPopulation = "storm"

// operations are the operations that limits can name, as in load.json.
var operations = []string{hit.OpSignOn, hit.OpSignOnFirst, hit.OpRefresh, hit.OpDiscover, hit.OpSignOut, hit.OpMint}

var (
	shape      = regexp.MustCompile(`^([A-Za-z0-9.-]+)\s*(<=|>=|<|>|==|=)\s*(\S.*)$`)
	numberForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(\S*)$`)
	percentile = regexp.MustCompile(`^p([0-9]{1,2}(?:\.[0-9]{1,6})?|999|9999)$`)
)

const example = "write it like refresh.p99<300ms, errors<0.1% or throughput>190/s"

// Parse reads a limit: a population (an operation and a dot; left out: all answers), optionally "service." for times
// from the actual send, a metric, < or <= (for rate and throughput > or >=), a number and its unit, which is never left
// out. Errors are of the kind failure.Usage and say what would be right.
func Parse(text string) (Limit, error) {
	form := shape.FindStringSubmatch(strings.TrimSpace(text))
	if form == nil {
		return Limit{}, failure.Usagef("the limit %q is not understood; %s", text, example)
	}
	subject, operator, value := form[1], form[2], strings.TrimSpace(form[3])
	l := Limit{Expression: subject + operator + value, Inclusive: len(operator) == 2, Above: operator[0] == '>'}

	names := strings.Split(subject, ".")
	// The dot of p99.9 belongs to the metric.
	if last := len(names) - 1; last > 0 && strings.HasPrefix(names[last-1], "p") &&
		strings.Trim(names[last], "0123456789") == "" {
		names = append(names[:last-1], names[last-1]+"."+names[last])
	}
	l.Metric = names[len(names)-1]
	for i, name := range names[:len(names)-1] {
		switch {
		case name == "service" && i == len(names)-2:
			l.Service = true
		case i == 0 && (name == stormPopulation || slices.Contains(operations, name)):
			l.Operation = name
		case i == 0:
			return Limit{},
				failure.Usagef("the limit %q names the operation %q, which there is not; the operations are %s", text,
					name, strings.Join(operations, ", "))
		default:
			return Limit{}, failure.Usagef("the limit %q is not understood at %q; %s", text, name, example)
		}
	}
	if operator == "=" || operator == "==" {
		return Limit{}, failure.Usagef("the limit %q compares with %s; a measured figure is never equal, use < or >",
			text, operator)
	}

	number, unit, err := numberOf(value)
	if err != nil {
		return Limit{}, failure.Usagef("the limit %q: %w; %s", text, err, example)
	}
	if err := l.setBound(number, unit); err != nil {
		return Limit{}, failure.Usagef("the limit %q: %w", text, err)
	}
	return l, nil
}

func numberOf(value string) (float64, string, error) {
	form := numberForm.FindStringSubmatch(value)
	if form == nil {
		return 0, "", fmt.Errorf("%q is not a number with a unit", value)
	}
	number, err := strconv.ParseFloat(form[1], 64)
	if err != nil || math.IsInf(number, 0) {
		return 0, "", fmt.Errorf("%q is too large", form[1])
	}
	return number, form[2], nil
}

// setBound checks that metric, direction and unit belong together.
func (l *Limit) setBound(number float64, unit string) error {
	if percentile.MatchString(l.Metric) {
		digits := l.Metric[1:]
		if digits == "999" || digits == "9999" {
			digits = "99." + digits[2:]
			l.Metric = "p" + digits
		}
		percent, err := strconv.ParseFloat(digits, 64)
		if err != nil || percent <= 0 {
			return fmt.Errorf("%s is not a percentile; they are above 0 and below 100", l.Metric)
		}
		l.Quantile = percent / 100
	}
	m := l.metric()
	if m == nil || m.storm && l.Operation != stormPopulation {
		return fmt.Errorf("%s is not a metric; they are p50, p90, p95, p99, p99.9 (any percentile), max, mean, errors, "+
			"throttled, rate, throughput, and storm.recovered", l.Metric)
	}
	if l.Operation == stormPopulation && !m.storm {
		return fmt.Errorf("storm has one figure, storm.recovered")
	}
	if l.Service && (m.unit != asTime || m.storm) {
		return fmt.Errorf("service. belongs before a response time, not before %s", l.Metric)
	}
	if above := m.unit == asRate; l.Above != above {
		if above {
			return fmt.Errorf("%s is limited from below; use > or >=", l.Metric)
		}
		return fmt.Errorf("%s is limited from above; use < or <=", l.Metric)
	}
	var err error
	l.Bound, err = m.unit.bound(l, number, unit)
	return err
}

// ParseAll reads several limits and refuses two of the same figure.
func ParseAll(texts []string) ([]Limit, error) {
	var limits []Limit
	for _, text := range texts {
		limit, err := Parse(text)
		if err != nil {
			return nil, err
		}
		for _, other := range limits {
			if limit.Figure() == other.Figure() {
				return nil, failure.Usagef("the limits %s and %s speak of the same figure; keep one",
					other.Expression, limit.Expression)
			}
		}
		limits = append(limits, limit)
	}
	return limits, nil
}

// Figure is the same for two limits on one figure, however its percentile is written: p99 and p99.0, p999 and p99.9.
func (l Limit) Figure() string {
	metric := l.Metric
	if l.Quantile > 0 {
		metric = strconv.FormatFloat(l.Quantile, 'g', -1, 64)
	}
	return fmt.Sprintf("%s/%t/%s", l.Operation, l.Service, metric)
}

// Check refuses limits on figures that a run will not have: an operation that its workload does not send, the end of a
// storm if there is none, or a response time if no schedule says when a hit was due.
func Check(limits []Limit, workload string, operations []string, closed, storm bool) error {
	for _, l := range limits {
		switch {
		case l.Operation == stormPopulation && !storm:
			return failure.Usagef("the limit %s needs a storm; add --storm, or leave the limit out", l.Expression)
		case l.Operation != "" && l.Operation != stormPopulation && !slices.Contains(operations, l.Operation):
			return failure.Usagef("the limit %s names %s, which the workload %s does not send; it sends %s",
				l.Expression, l.Operation, workload, strings.Join(operations, ", "))
		case closed && l.IsTime() && !l.Service && l.Operation != stormPopulation:
			subject := ""
			if l.Operation != "" {
				subject = l.Operation + "."
			}
			return failure.Usagef(
				"the limit %s speaks of response time, which a run with --rate max does not know; limit %sservice.%s",
				l.Expression, subject, l.Metric)
		}
	}
	return nil
}

// Keeps tells whether a figure is within the limit.
func (l Limit) Keeps(figure float64) bool {
	switch {
	case l.Inclusive && figure == l.Bound:
		return true
	case l.Above:
		return figure > l.Bound
	}
	return figure < l.Bound
}

// MinAnswers is how many answers a run needs at least for the limit to be kept for sure.
func (l Limit) MinAnswers() float64 {
	switch {
	case l.Quantile > 0:
		return math.Ceil(math.Log((1-level)/2) / math.Log(l.Quantile))
	case l.OfShare() && l.Bound > 0:
		return math.Ceil(math.Log((1-level)/2) / math.Log1p(-l.Bound))
	}
	return 1
}
