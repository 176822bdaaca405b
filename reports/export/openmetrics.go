package export

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"agstest/internal/figures"
	"agstest/reports"
)

// OpenMetrics writes the figures as OpenMetrics text (application/openmetrics-text; version=1.0.0), for GitLab's
// metrics reports; either run may be nil. Times are seconds, rounded to the digits that the pages show, so that a
// reader that compares values as strings sees no change where there is none. Names and label values do not hold a run's
// id or time; labels tell environment, release, service, tenant, kind of run and workload, so that files of several
// runs can lie side by side.
func OpenMetrics(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	return writeMetrics(w, c, l, false)
}

// Prometheus writes the same figures in Prometheus' text format 0.0.4, for the textfile collector of node_exporter
// (which reads files that end in .prom) and Pushgateway, and beside them agstest_run_info with the versions and the
// time of the run.
func Prometheus(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	return writeMetrics(w, c, l, true)
}

func writeMetrics(w io.Writer, c *reports.Conformance, l *reports.Load, plain bool) error {
	m := &metricFamilies{}
	if plain {
		m.runs(c, l)
	}
	if c != nil {
		m.of(c.Run, "")
		m.conformance(c)
	}
	if l != nil {
		m.of(l.Run, l.Plan.Workload)
		m.load(l)
	}
	out := bufio.NewWriter(w)
	err := m.write(out, plain)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	return nil
}

// metricFamilies are the figures in the order in which they were added. Prometheus' own encoder writes them.
type metricFamilies struct {
	all   []*dto.MetricFamily
	whose []string // labels of every sample, name and value by turns
}

// write leaves out families without samples.
func (m *metricFamilies) write(w io.Writer, plain bool) error {
	for _, f := range m.all {
		var err error
		switch {
		case len(f.Metric) == 0:
		case plain:
			_, err = expfmt.MetricFamilyToText(w, f)
		default:
			_, err = expfmt.MetricFamilyToOpenMetrics(w, f)
		}
		if err != nil {
			return err
		}
	}
	if plain {
		return nil
	}
	_, err := expfmt.FinalizeOpenMetrics(w)
	return err
}

// of labels what follows with whose figures they are.
func (m *metricFamilies) of(r reports.Run, workload string) {
	m.whose = nil
	for _, p := range whose(r, workload) {
		m.whose = append(m.whose, p[0], p[1])
	}
	if r.Release != "" {
		m.whose = append(m.whose, "release", r.Release)
	}
}

// runs adds when runs began and ended, and what made them; both parts of a gate are told apart by the workload.
func (m *metricFamilies) runs(c *reports.Conformance, l *reports.Load) {
	type one struct {
		reports.Run
		workload string
	}
	var runs []one
	if c != nil {
		runs = append(runs, one{c.Run, ""})
	}
	if l != nil && (c == nil || l.Plan.Workload != "") {
		runs = append(runs, one{l.Run, l.Plan.Workload})
	}
	m.family("agstest_run_info", dto.MetricType_GAUGE, "", "What made the figures; always 1.")
	for _, r := range runs {
		m.of(r.Run, r.workload)
		m.gauge(1, "version", r.Tool.Version, "go", r.Tool.Go)
	}
	for _, f := range []struct {
		name, help string
		of         func(reports.Run) time.Time
	}{
		{"agstest_run_start_time_seconds", "When the run began, in Unix time.", func(r reports.Run) time.Time { return r.Start }},
		{"agstest_run_end_time_seconds", "When the run ended, in Unix time.", func(r reports.Run) time.Time { return r.End }},
	} {
		m.family(f.name, dto.MetricType_GAUGE, "seconds", f.help)
		for _, r := range runs {
			m.of(r.Run, r.workload)
			m.gauge(float64(max(f.of(r.Run).Unix(), 0)))
		}
	}
}

// family opens a metric family; its samples must follow at once.
func (m *metricFamilies) family(name string, kind dto.MetricType, unit, help string) {
	f := &dto.MetricFamily{Name: &name, Type: &kind, Help: &help}
	if unit != "" {
		f.Unit = &unit
	}
	m.all = append(m.all, f)
}

// sample adds a sample to the family that was opened last; labels are name and value by turns.
func (m *metricFamilies) sample(labels ...string) *dto.Metric {
	one := &dto.Metric{}
	labels = append(m.whose[:len(m.whose):len(m.whose)], labels...)
	for i := 0; i+1 < len(labels); i += 2 {
		value := strings.ToValidUTF8(labels[i+1], "\uFFFD")
		one.Label = append(one.Label, &dto.LabelPair{Name: &labels[i], Value: &value})
	}
	last := m.all[len(m.all)-1]
	last.Metric = append(last.Metric, one)
	return one
}

func (m *metricFamilies) gauge(value float64, labels ...string) {
	m.sample(labels...).Gauge = &dto.Gauge{Value: &value}
}

// summary adds percentiles, rounded to the digits that the pages show.
func (m *metricFamilies) summary(times reports.Percentiles, labels ...string) {
	count, sum := uint64(max(times.Count, 0)), seconds(times.Mean*times.Count)
	s := &dto.Summary{SampleCount: &count, SampleSum: &sum}
	for _, p := range times.List() {
		quantile, err := strconv.ParseFloat(p.Quantile, 64)
		if err != nil {
			continue
		}
		value := seconds(p.Nanoseconds)
		s.Quantile = append(s.Quantile, &dto.Quantile{Quantile: &quantile, Value: &value})
	}
	m.sample(labels...).Summary = s
}

// histogram adds the buckets of an operation. Their sum is that of its times.
func (m *metricFamilies) histogram(o *reports.Operation, times reports.Percentiles, labels ...string) {
	h := &dto.Histogram{}
	cumulative := uint64(0)
	for i, n := range o.Buckets {
		cumulative += uint64(max(n, 0))
		if i < len(reports.BucketBounds) {
			upTo, bound := cumulative, float64(reports.BucketBounds[i])/1e9
			h.Bucket = append(h.Bucket, &dto.Bucket{CumulativeCount: &upTo, UpperBound: &bound})
		}
	}
	sum := seconds(times.Mean * times.Count)
	h.SampleCount, h.SampleSum = &cumulative, &sum
	m.sample(labels...).Histogram = h
}

// seconds is a time as the pages round it.
func seconds(nanoseconds int64) float64 {
	value, _ := strconv.ParseFloat(figures.Seconds(nanoseconds), 64) // which is a number
	return value
}

func (m *metricFamilies) truth(name, help string, holds bool) {
	m.family(name, dto.MetricType_GAUGE, "", help)
	m.gauge(oneIf(holds))
}

func oneIf(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

func (m *metricFamilies) conformance(c *reports.Conformance) {
	m.truth("agstest_conformance_passed", "1 when the verdict of the conformance run is pass or better.",
		!c.Run.Outcome(c.Verdict).Red())
	if v := c.Coverage; v != nil {
		m.truth("agstest_coverage_kept", "1 when as much was judged as the environment file or --coverage asks for.",
			v.Kept)
		m.family("agstest_documented_requirements", dto.MetricType_GAUGE, "",
			"Documented requirements that were asked of the run, and those that were judged.")
		m.gauge(float64(v.Documented), "part", "asked")
		m.gauge(float64(v.Judged), "part", "judged")
	}
	m.family("agstest_requirements", dto.MetricType_GAUGE, "", "Requirements by verdict.")
	counts := reports.RequirementCounts(c.Requirements)
	for _, verdict := range reports.Verdicts {
		if runVerdict(verdict) {
			m.gauge(float64(counts[verdict]), "verdict", string(verdict))
		}
	}
	m.family("agstest_scenarios", dto.MetricType_GAUGE, "", "Scenarios by verdict.")
	counts = reports.ScenarioCounts(c.Scenarios)
	for _, verdict := range reports.Verdicts {
		if runVerdict(verdict) {
			m.gauge(float64(counts[verdict]), "verdict", string(verdict))
		}
	}
	m.family("agstest_requirement_failed", dto.MetricType_GAUGE, "",
		"1 for a requirement that failed, 0 for one that was judged and did not.")
	seen := map[string]bool{}
	for _, requirement := range c.Requirements {
		if seen[requirement.ID] {
			continue
		}
		switch requirement.Verdict {
		case reports.Fail:
			m.gauge(1, "requirement", requirement.ID)
		case reports.Pass, reports.Partly, reports.Warn:
			m.gauge(0, "requirement", requirement.ID)
		default:
			continue
		}
		seen[requirement.ID] = true
	}
}

// runVerdict tells verdicts that requirements and scenarios may have from those of whole runs and of comparisons.
func runVerdict(v reports.Verdict) bool {
	return v != reports.NotEnough && v != reports.Regressed && v != reports.Improved && v != reports.NotComparable
}

func (m *metricFamilies) load(l *reports.Load) {
	m.truth("agstest_load_passed", "1 when the verdict of the load run is pass or better.",
		!l.Run.Outcome(l.Verdict).Red())
	m.truth("agstest_load_valid", "1 when the generator kept its schedule, so that the figures speak of the service.",
		l.Valid)
	type named struct {
		name string
		*reports.Operation
	}
	var operations []named
	for _, name := range l.OperationNames() {
		operations = append(operations, named{name, l.Operations[name]})
	}
	if _, taken := l.Operations["total"]; l.Total != nil && !taken {
		operations = append(operations, named{"total", l.Total})
	}
	for _, f := range []struct {
		name, help string
		of         func(*reports.Operation) int64
	}{
		{"agstest_requests_asked", "Requests that the schedule asked for.", func(o *reports.Operation) int64 { return o.Asked }},
		{"agstest_requests_sent", "Requests that were sent.", func(o *reports.Operation) int64 { return o.Sent }},
		{"agstest_requests_right", "Requests with the wanted status and a right answer.", func(o *reports.Operation) int64 { return o.Right }},
		{"agstest_requests_wrong", "Requests with any other answer, or none.", func(o *reports.Operation) int64 { return o.Wrong }},
	} {
		m.family(f.name, dto.MetricType_GAUGE, "", f.help)
		for _, o := range operations {
			m.gauge(float64(f.of(o.Operation)), "operation", o.name)
		}
	}
	m.family("agstest_answers", dto.MetricType_GAUGE, "", "Answers by status; none: no answer came.")
	for _, o := range operations {
		for _, status := range slices.Sorted(maps.Keys(o.Statuses)) {
			m.gauge(float64(o.Statuses[status]), "operation", o.name, "status", status)
		}
	}
	for _, f := range []struct {
		name, help string
		of         func(*reports.Operation) reports.Percentiles
	}{
		{"agstest_response_seconds", "Response time of right answers, from when the request was due. Quantile 1 is the maximum.", func(o *reports.Operation) reports.Percentiles { return o.Response }},
		{"agstest_service_seconds", "Service time of right answers, from when the request was sent. Quantile 1 is the maximum.", func(o *reports.Operation) reports.Percentiles { return o.Service }},
	} {
		m.family(f.name, dto.MetricType_SUMMARY, "seconds", f.help)
		for _, o := range operations {
			times := f.of(o.Operation)
			if times.Count == 0 {
				continue
			}
			m.summary(times, "operation", o.name)
		}
	}
	// Figures that add up need no total.
	if l.Plan.Closed {
		m.family("agstest_service_time_seconds", dto.MetricType_HISTOGRAM, "seconds",
			"Service time of right answers, from when the request was sent.")
	} else {
		m.family("agstest_response_time_seconds", dto.MetricType_HISTOGRAM, "seconds",
			"Response time of right answers, from when the request was due.")
	}
	for _, name := range l.OperationNames() {
		if o := l.Operations[name]; len(o.Buckets) == len(reports.BucketBounds)+1 {
			times := o.Response
			if l.Plan.Closed {
				times = o.Service
			}
			m.histogram(o, times, "operation", name)
		}
	}
	m.family("agstest_limit_kept", dto.MetricType_GAUGE, "",
		"1 for a limit that was kept, 0 for one that was not or could not be judged.")
	seen := map[string]bool{}
	for _, limit := range l.Limits {
		if seen[limit.Expression] {
			continue
		}
		seen[limit.Expression] = true
		m.gauge(oneIf(limit.Verdict == reports.Pass), "limit", limit.Expression)
	}
}
