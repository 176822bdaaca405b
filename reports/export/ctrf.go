package export

import (
	"encoding/json"
	"fmt"
	"io"

	"agstest/reports"
)

// CTRF writes the run in the Common Test Report Format (https://ctrf.io, schema 0.0), for its reporters and summaries.
func CTRF(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	type object = map[string]any
	run := runOf(c, l)
	statuses := map[reports.Outcome]string{passed: "passed", failed: "failed", broken: "failed", skipped: "skipped"}
	counts := map[string]int{}
	tests := []object{}
	for _, t := range testsOf(c, l) {
		status := statuses[t.outcome]
		counts[status]++
		one := object{
			"name": t.name, "status": status, "rawStatus": t.outcome, "duration": t.took.Milliseconds(),
			"start": milliseconds(t.start), "stop": milliseconds(t.start.Add(t.took)),
			"suite": []string{run.Environment, t.kind, t.suite}, "type": t.kind,
			"tags": append(append([]string{}, t.requirements...), t.tags...),
		}
		if t.why != "" {
			one["message"] = t.why
		}
		if t.evidence != "" {
			one["trace"] = t.evidence
		}
		if t.file != "" {
			one["filePath"], one["line"] = t.file, t.line
		}
		if t.tries != nil {
			one["retries"], one["flaky"] = t.tries.Times-1, t.tries.Sometimes()
		}
		if len(t.requirements) > 0 {
			one["extra"] = object{"requirements": t.requirements}
		}
		steps := []object{}
		for _, s := range t.steps {
			steps = append(steps, object{"name": s.name, "status": statuses[s.outcome]})
		}
		if len(steps) > 0 {
			one["steps"] = steps
		}
		tests = append(tests, one)
	}
	end := run.End
	if l != nil && l.Run.End.After(end) {
		end = l.Run.End
	}
	extra := object{}
	for _, p := range identity(run) {
		extra[p[0]] = p[1]
	}
	environment := object{"testEnvironment": run.Environment, "extra": extra}
	if run.Release != "" {
		environment["buildName"] = run.Release
	}
	report := object{
		"reportFormat": "CTRF", "specVersion": "0.0.0", "reportId": uuid(run.ID, "ctrf"),
		"timestamp": run.Start.UTC().Format("2006-01-02T15:04:05Z"), "generatedBy": "agstest",
		"results": object{
			"tool": object{"name": "agstest", "version": run.Tool.Version},
			"summary": object{
				"tests": len(tests), "passed": counts["passed"], "failed": counts["failed"], "skipped": counts["skipped"],
				"pending": 0, "other": 0,
				"start": milliseconds(run.Start), "stop": milliseconds(end),
			},
			"tests": tests, "environment": environment,
		},
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return fmt.Errorf("writing CTRF: %w", err)
	}
	return nil
}
