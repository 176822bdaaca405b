package load

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/internal/failure"
	"agstest/load/hit"
)

// Limit is what a run must keep, such as refresh.p99<300ms. The zero value is no limit; ParseLimit makes one.
type Limit struct {
	// Expression is the limit as it was written, without spaces.
	Expression string
	// Operation is the population: the answers of one operation, or of all where it is empty; storm for a figure of the storm.
	Operation string
	// Service: the time from the actual send, not from the intended one.
	Service bool
	// Metric is one of p50 … p99.99 (any percentile above 0 and below 100), max, mean, errors, throttled, rate, throughput, recovered.
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

// limitOperations are the operations that limits can name, as in load.json.
var limitOperations = []string{hit.OpSignOn, hit.OpSignOnFirst, hit.OpRefresh, hit.OpDiscover, hit.OpSignOut, hit.OpMint}

var (
	limitForm  = regexp.MustCompile(`^([A-Za-z0-9.-]+)\s*(<=|>=|<|>|==|=)\s*(\S.*)$`)
	numberForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(\S*)$`)
	percentile = regexp.MustCompile(`^p([0-9]{1,2}(?:\.[0-9]{1,6})?|999|9999)$`)
)

const limitExample = "write it like refresh.p99<300ms, errors<0.1% or throughput>190/s"

// ParseLimit reads a limit: a population (an operation and a dot; left out: all answers), optionally "service." for times from the actual
// send, a metric, < or <= (for rate and throughput > or >=), a number and its unit, which is never left out. Errors are of the kind
// failure.Usage and say what would be right.
func ParseLimit(text string) (Limit, error) {
	form := limitForm.FindStringSubmatch(strings.TrimSpace(text))
	if form == nil {
		return Limit{}, failure.Usagef("the limit %q is not understood; %s", text, limitExample)
	}
	subject, operator, value := form[1], form[2], strings.TrimSpace(form[3])
	l := Limit{Expression: subject + operator + value, Inclusive: len(operator) == 2, Above: operator[0] == '>'}

	names := strings.Split(subject, ".")
	// The dot of p99.9 belongs to the metric.
	if last := len(names) - 1; last > 0 && strings.HasPrefix(names[last-1], "p") && strings.Trim(names[last], "0123456789") == "" {
		names = append(names[:last-1], names[last-1]+"."+names[last])
	}
	l.Metric = names[len(names)-1]
	for i, name := range names[:len(names)-1] {
		switch {
		case name == "service" && i == len(names)-2:
			l.Service = true
		case i == 0 && (name == stormPopulation || slices.Contains(limitOperations, name)):
			l.Operation = name
		case i == 0:
			return Limit{}, failure.Usagef("the limit %q names the operation %q, which there is not; the operations are %s", text, name, strings.Join(limitOperations, ", "))
		default:
			return Limit{}, failure.Usagef("the limit %q is not understood at %q; %s", text, name, limitExample)
		}
	}
	if operator == "=" || operator == "==" {
		return Limit{}, failure.Usagef("the limit %q compares with %s; a measured figure is never equal, use < or >", text, operator)
	}

	number, unit, err := limitNumber(value)
	if err != nil {
		return Limit{}, failure.Usagef("the limit %q: %w; %s", text, err, limitExample)
	}
	if err := l.setBound(number, unit); err != nil {
		return Limit{}, failure.Usagef("the limit %q: %w", text, err)
	}
	return l, nil
}

func limitNumber(value string) (float64, string, error) {
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

var timeUnits = map[string]float64{
	"us": float64(time.Microsecond), "µs": float64(time.Microsecond), "ms": float64(time.Millisecond), "s": float64(time.Second), "m": float64(time.Minute),
}

// setBound checks that metric, direction and unit belong together.
func (l *Limit) setBound(number float64, unit string) error {
	kind, wantAbove := "", false
	switch {
	case l.Metric == "max" || l.Metric == "mean":
		kind = "time"
	case percentile.MatchString(l.Metric):
		kind = "time"
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
	case l.Metric == "errors" || l.Metric == "throttled":
		kind = "share"
	case l.Metric == "rate" || l.Metric == "throughput":
		kind, wantAbove = "rate", true
	case l.Metric == "recovered" && l.Operation == stormPopulation:
		kind = "time"
	default:
		return fmt.Errorf("%s is not a metric; they are p50, p90, p95, p99, p99.9 (any percentile), max, mean, errors, throttled, rate, throughput, and storm.recovered", l.Metric)
	}
	if l.Operation == stormPopulation && l.Metric != "recovered" {
		return fmt.Errorf("storm has one figure, storm.recovered")
	}
	if l.Service && (kind != "time" || l.Metric == "recovered") {
		return fmt.Errorf("service. belongs before a response time, not before %s", l.Metric)
	}
	if l.Above != wantAbove {
		if wantAbove {
			return fmt.Errorf("%s is limited from below; use > or >=", l.Metric)
		}
		return fmt.Errorf("%s is limited from above; use < or <=", l.Metric)
	}
	switch kind {
	case "time":
		factor, ok := timeUnits[unit]
		if !ok {
			return fmt.Errorf("%s needs a time with a unit: us, ms, s or m, such as 300ms", l.Metric)
		}
		l.Bound = number * factor
		if l.Bound <= 0 || l.Bound > float64(24*time.Hour) {
			return fmt.Errorf("the time must be above 0 and at most 24 hours")
		}
	case "share":
		if unit != "%" {
			return fmt.Errorf("%s needs a share in percent, such as 0.1%%", l.Metric)
		}
		l.Bound = number / 100
		if l.Bound > 1 || l.Bound == 1 && l.Inclusive {
			return fmt.Errorf("every run keeps a share of %s%%", strconv.FormatFloat(number, 'f', -1, 64))
		}
		if l.Bound == 0 && !l.Inclusive {
			return fmt.Errorf("no run can keep a share under 0%%; for none at all write %s<=0%%", l.Metric)
		}
	case "rate":
		switch unit {
		case "/s":
			l.Bound = number
		case "/m":
			l.Bound = number / 60
		default:
			return fmt.Errorf("%s needs a rate with a unit, such as 190/s", l.Metric)
		}
		if l.Bound <= 0 {
			return fmt.Errorf("every run keeps a rate above 0; the bound must be above 0")
		}
	}
	return nil
}

// ParseLimits reads several limits and refuses two of the same figure.
func ParseLimits(texts []string) ([]Limit, error) {
	var limits []Limit
	for _, text := range texts {
		limit, err := ParseLimit(text)
		if err != nil {
			return nil, err
		}
		for _, other := range limits {
			if limit.figure() == other.figure() {
				return nil, failure.Usagef("the limits %s and %s speak of the same figure; keep one", other.Expression, limit.Expression)
			}
		}
		limits = append(limits, limit)
	}
	return limits, nil
}

func (l Limit) figure() string { return fmt.Sprintf("%s/%t/%s", l.Operation, l.Service, l.Metric) }

// CheckLimits refuses limits on figures that a run will not have: an operation that its workload does not send, the end of a storm where
// there is none, or a response time where no schedule says when a hit was due.
func CheckLimits(limits []Limit, workload string, operations []string, closed, storm bool) error {
	for _, l := range limits {
		switch {
		case l.Operation == stormPopulation && !storm:
			return failure.Usagef("the limit %s needs a storm; add --storm, or leave the limit out", l.Expression)
		case l.Operation != "" && l.Operation != stormPopulation && !slices.Contains(operations, l.Operation):
			return failure.Usagef("the limit %s names %s, which the workload %s does not send; it sends %s", l.Expression, l.Operation, workload, strings.Join(operations, ", "))
		case closed && l.isTime() && !l.Service && l.Operation != stormPopulation:
			subject, _, _ := strings.Cut(l.Expression, l.Metric)
			return failure.Usagef("the limit %s speaks of response time, which a run with --rate max does not know; limit %sservice.%s", l.Expression, subject, l.Metric)
		}
	}
	return nil
}

func (l Limit) isTime() bool { return l.Quantile > 0 || l.Metric == "max" || l.Metric == "mean" }

// keeps tells whether a figure is within the limit.
func (l Limit) keeps(figure float64) bool {
	switch {
	case l.Inclusive && figure == l.Bound:
		return true
	case l.Above:
		return figure > l.Bound
	}
	return figure < l.Bound
}

// leastHits is how many hits a run needs at least for the limit to be kept for sure.
func (l Limit) leastHits(o *Options) float64 {
	answers := 1.0
	switch {
	case l.Quantile > 0:
		answers = math.Ceil(math.Log((1-limitLevel)/2) / math.Log(l.Quantile))
	case (l.Metric == "errors" || l.Metric == "throttled") && l.Bound > 0:
		answers = math.Ceil(math.Log((1-limitLevel)/2) / math.Log1p(-l.Bound))
	}
	if share := shares(o.Workload, o.Mix, o.Refreshes)[l.Operation]; share > 0 {
		return answers / share
	}
	return answers
}
