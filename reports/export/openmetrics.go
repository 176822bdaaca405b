package export

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
)

// OpenMetrics writes the figures as OpenMetrics text (application/openmetrics-text; version=1.0.0), for GitLab's metrics reports; either run
// may be nil. Times are seconds, rounded to the digits that the pages show, so that a reader that compares values as strings sees no change
// where there is none. Names and label values do not hold a run's id or time; labels tell environment, release, service and tenant, so that
// files of several environments can lie side by side.
func OpenMetrics(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	return writeMetrics(w, c, l, false)
}

// Prometheus writes the same figures in Prometheus' text format 0.0.4, for the textfile collector of node_exporter (which reads files that
// end in .prom) and Pushgateway, and beside them agstest_run_info with the versions and the time of the run.
func Prometheus(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	return writeMetrics(w, c, l, true)
}

func writeMetrics(w io.Writer, c *reports.Conformance, l *reports.Load, plain bool) error {
	m := &metricsWriter{w: bufio.NewWriter(w), plain: plain}
	var runs []reports.Run
	if c != nil {
		runs = append(runs, c.Run)
	}
	if l != nil {
		runs = append(runs, l.Run)
	}
	if plain {
		m.runs(runs)
	}
	if c != nil {
		m.of(c.Run)
		m.conformance(c)
	}
	if l != nil {
		m.of(l.Run)
		m.load(l)
	}
	if !plain {
		m.raw("# EOF\n")
	}
	if m.err == nil {
		m.err = m.w.Flush()
	}
	if m.err != nil {
		return fmt.Errorf("writing metrics: %w", m.err)
	}
	return nil
}

type metricsWriter struct {
	w     *bufio.Writer
	plain bool     // Prometheus' text format, not OpenMetrics
	whose []string // labels of every sample, name and value by turns
	err   error
}

// of labels what follows with whose figures they are.
func (m *metricsWriter) of(r reports.Run) {
	m.whose = nil
	for _, p := range [][2]string{{"environment", r.Environment}, {"release", r.Release}, {"service", r.Service}, {"tenant", r.Tenant}} {
		if p[1] != "" {
			m.whose = append(m.whose, p[0], p[1])
		}
	}
}

// runs tells when runs began and ended, and what made them.
func (m *metricsWriter) runs(runs []reports.Run) {
	m.family("agstest_run_info", "gauge", "", "What made the figures; always 1.")
	for _, r := range runs {
		m.of(r)
		m.sample("agstest_run_info", "1", "kind", r.Kind, "version", r.Tool.Version, "go", r.Tool.Go)
	}
	for _, f := range []struct {
		name, help string
		of         func(reports.Run) time.Time
	}{
		{"agstest_run_start_time_seconds", "When the run began, in Unix time.", func(r reports.Run) time.Time { return r.Start }},
		{"agstest_run_end_time_seconds", "When the run ended, in Unix time.", func(r reports.Run) time.Time { return r.End }},
	} {
		m.family(f.name, "gauge", "seconds", f.help)
		for _, r := range runs {
			m.of(r)
			m.sample(f.name, strconv.FormatInt(max(f.of(r).Unix(), 0), 10), "kind", r.Kind)
		}
	}
}

func (m *metricsWriter) raw(text string) {
	if m.err == nil {
		_, m.err = m.w.WriteString(text)
	}
}

// family opens a metric family of a kind (gauge or summary); its samples must follow at once.
func (m *metricsWriter) family(name, kind, unit, help string) {
	m.raw("# TYPE " + name + " " + kind + "\n")
	if unit != "" && !m.plain {
		m.raw("# UNIT " + name + " " + unit + "\n")
	}
	m.raw("# HELP " + name + " " + help + "\n")
}

// sample writes one value; labels are name and value by turns.
func (m *metricsWriter) sample(name, value string, labels ...string) {
	var pairs []string
	labels = append(m.whose[:len(m.whose):len(m.whose)], labels...)
	for i := 0; i+1 < len(labels); i += 2 {
		pairs = append(pairs, labels[i]+`="`+metricsLabel.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD"))+`"`)
	}
	set := ""
	if len(pairs) > 0 {
		set = "{" + strings.Join(pairs, ",") + "}"
	}
	m.raw(name + set + " " + value + "\n")
}

var metricsLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (m *metricsWriter) truth(name, help string, holds bool) {
	m.family(name, "gauge", "", help)
	value := "0"
	if holds {
		value = "1"
	}
	m.sample(name, value)
}

func (m *metricsWriter) conformance(c *reports.Conformance) {
	m.truth("agstest_conformance_passed", "1 when the verdict of the conformance run is pass or better.", !c.Verdict.Blocks())
	if v := c.Coverage; v != nil {
		m.truth("agstest_coverage_kept", "1 when as much was judged as the environment file or --coverage asks for.", v.Kept)
		m.family("agstest_documented_requirements", "gauge", "", "Documented requirements that were asked of the run, and those that were judged.")
		m.sample("agstest_documented_requirements", strconv.Itoa(v.Documented), "part", "asked")
		m.sample("agstest_documented_requirements", strconv.Itoa(v.Judged), "part", "judged")
	}
	m.family("agstest_requirements", "gauge", "", "Requirements by verdict.")
	counts := reports.RequirementCounts(c.Requirements)
	for _, verdict := range reports.Verdicts {
		if runVerdict(verdict) {
			m.sample("agstest_requirements", strconv.Itoa(counts[verdict]), "verdict", string(verdict))
		}
	}
	m.family("agstest_scenarios", "gauge", "", "Scenarios by verdict.")
	counts = reports.ScenarioCounts(c.Scenarios)
	for _, verdict := range reports.Verdicts {
		if runVerdict(verdict) {
			m.sample("agstest_scenarios", strconv.Itoa(counts[verdict]), "verdict", string(verdict))
		}
	}
	m.family("agstest_requirement_failed", "gauge", "", "1 for a requirement that failed, 0 for one that was judged and did not.")
	seen := map[string]bool{}
	for _, requirement := range c.Requirements {
		if seen[requirement.ID] {
			continue
		}
		switch requirement.Verdict {
		case reports.Fail:
			m.sample("agstest_requirement_failed", "1", "requirement", requirement.ID)
		case reports.Pass, reports.Partly, reports.Warn:
			m.sample("agstest_requirement_failed", "0", "requirement", requirement.ID)
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

func (m *metricsWriter) load(l *reports.Load) {
	m.truth("agstest_load_passed", "1 when the verdict of the load run is pass or better.", !l.Verdict.Blocks())
	m.truth("agstest_load_valid", "1 when the generator kept its schedule, so that the figures speak of the service.", l.Valid)
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
		m.family(f.name, "gauge", "", f.help)
		for _, o := range operations {
			m.sample(f.name, strconv.FormatInt(f.of(o.Operation), 10), "operation", o.name)
		}
	}
	m.family("agstest_answers", "gauge", "", "Answers by status; none: no answer came.")
	for _, o := range operations {
		for _, status := range reports.SortedKeys(o.Statuses) {
			m.sample("agstest_answers", strconv.FormatInt(o.Statuses[status], 10), "operation", o.name, "status", status)
		}
	}
	for _, f := range []struct {
		name, help string
		of         func(*reports.Operation) reports.Percentiles
	}{
		{"agstest_response_seconds", "Response time of right answers, from when the request was due. Quantile 1 is the maximum.", func(o *reports.Operation) reports.Percentiles { return o.Response }},
		{"agstest_service_seconds", "Service time of right answers, from when the request was sent. Quantile 1 is the maximum.", func(o *reports.Operation) reports.Percentiles { return o.Service }},
	} {
		m.family(f.name, "summary", "seconds", f.help)
		for _, o := range operations {
			times := f.of(o.Operation)
			if times.Count == 0 {
				continue
			}
			for _, p := range times.List() {
				m.sample(f.name, figures.Seconds(p.Nanoseconds), "operation", o.name, "quantile", p.Quantile)
			}
			m.sample(f.name+"_count", strconv.FormatInt(times.Count, 10), "operation", o.name)
		}
	}
	m.family("agstest_limit_kept", "gauge", "", "1 for a limit that was kept, 0 for one that was not or could not be judged.")
	seen := map[string]bool{}
	for _, limit := range l.Limits {
		if seen[limit.Expression] {
			continue
		}
		seen[limit.Expression] = true
		kept := "0"
		if limit.Verdict == reports.Pass {
			kept = "1"
		}
		m.sample("agstest_limit_kept", kept, "limit", limit.Expression)
	}
}
