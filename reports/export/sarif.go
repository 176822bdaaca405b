package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
)

// sarifSchema is where the schema of SARIF 2.1.0 is published: schemas of OASIS, errata 01.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID            string           `json:"id"`
	Short         sarifText        `json:"shortDescription"`
	Full          sarifText        `json:"fullDescription"`
	Help          sarifText        `json:"help"`
	HelpURI       string           `json:"helpUri,omitempty"`
	Configuration sarifLevelOfRule `json:"defaultConfiguration"`
	Properties    map[string]any   `json:"properties,omitempty"`
}

type sarifLevelOfRule struct {
	Level string `json:"level"`
}

type sarifRun struct {
	Tool struct {
		Driver struct {
			Name    string      `json:"name"`
			Version string      `json:"version"`
			Rules   []sarifRule `json:"rules"`
		} `json:"driver"`
	} `json:"tool"`
	Automation struct {
		ID          string    `json:"id"`
		Description sarifText `json:"description"`
	} `json:"automationDetails"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	Properties  map[string]string `json:"properties"`
}

type sarifInvocation struct {
	// Successful tells whether the run came to its end with figures that show the service; it is not the verdict.
	Successful    bool                `json:"executionSuccessful"`
	Start         string              `json:"startTimeUtc"`
	End           string              `json:"endTimeUtc"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

// SARIF writes the runs as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html); either may
// be nil. Each is a run of its own, with whose results they are in its automationDetails, so that readers tell
// environments apart. The rules are the requirements; a result is a cause, a limit that was not kept, a kind of wrong
// answers, or the verdict if nothing else says why the run is red. Known results are suppressed, with their reason. A
// result has the same partialFingerprints in each run, and a file only if the scenario is one of the user's own.
func SARIF(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	runs := []*sarifRun{}
	if c != nil {
		s := newSARIF("conformance", "", c.Run, c.Verdict, c.Reason)
		s.conformance(c)
		runs = append(runs, s.run)
	}
	if l != nil {
		s := newSARIF("load", l.Plan.Workload, l.Run, l.Verdict, l.Reason)
		s.load(l)
		runs = append(runs, s.run)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]any{"$schema": sarifSchema, "version": "2.1.0", "runs": runs}); err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	return nil
}

// sarif collects a run and knows its rules by their ids.
type sarif struct {
	run   *sarifRun
	rules map[string]int
}

func newSARIF(kind, workload string, run reports.Run, verdict reports.Verdict, reason string) *sarif {
	s := &sarif{run: &sarifRun{Results: []sarifResult{}, Properties: map[string]string{"verdict": string(verdict),
		"reason": reason}}, rules: map[string]int{}}
	driver := &s.run.Tool.Driver
	driver.Name, driver.Version, driver.Rules = "agstest", cmp.Or(run.Tool.Version, "unknown"), []sarifRule{}
	// The part before the last slash names runs of one kind.
	s.run.Automation.ID = "agstest/" + strings.Join(append(whoseWords(run, workload), kind, run.ID), "/")
	s.run.Automation.Description.Text = kind + " of " + cmp.Or(run.Environment, run.URL, "a service")
	for _, p := range identity(run) {
		s.run.Properties[p[0]] = p[1]
	}
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
	invocation := sarifInvocation{Successful: run.Partial == "", Start: stamp(run.Start), End: stamp(run.End)}
	if run.Partial != "" {
		invocation.Notifications = append(invocation.Notifications,
			sarifNotification{"error", sarifText{"partial: " + run.Partial}})
	}
	s.run.Invocations = []sarifInvocation{invocation}
	return s
}

// rule gives the number of a rule, which is added where it is new.
func (s *sarif) rule(id, text, help, level string) int {
	if at, known := s.rules[id]; known {
		return at
	}
	s.rules[id] = len(s.run.Tool.Driver.Rules)
	s.run.Tool.Driver.Rules = append(s.run.Tool.Driver.Rules, sarifRule{ID: id, Short: sarifText{text},
		Full: sarifText{text + " " + help}, Help: sarifText{help}, Configuration: sarifLevelOfRule{level}})
	return s.rules[id]
}

// requirements makes rules of the catalogue, in its order.
func (s *sarif) requirements(all []reports.Requirement) {
	for _, r := range all {
		level := map[string]string{"fails": "error", "warns": "warning"}[r.Gating]
		sources, page := "", ""
		for _, source := range r.Sources {
			sources += "\n" + source.Title
			page = cmp.Or(page, pageOf(source))
		}
		rule := &s.run.Tool.Driver.Rules[s.rule(r.ID, r.Text, "Level: "+r.Level+"."+sources, cmp.Or(level, "note"))]
		rule.HelpURI, rule.Properties = page, map[string]any{"tags": []string{r.Level}}
	}
}

// finish sees to it that a red run has an error, and says that figures do not speak of the service.
func (s *sarif) finish(run reports.Run, verdict reports.Verdict, reason string) {
	invocation := &s.run.Invocations[0]
	if verdict == reports.Invalid {
		invocation.Successful = false
		invocation.Notifications = append(invocation.Notifications,
			sarifNotification{"error", sarifText{figures.OneLine(verdict.Word()+": "+reason, 2000)}})
	}
	for _, r := range s.run.Results {
		if r.Level == "error" {
			return
		}
	}
	if t := verdictTest("", run, verdict, reason); t.outcome.Red() {
		rule := s.rule("verdict", "The run comes to its end, and what it found is right.",
			"The verdict of the run as a whole.", "error")
		s.add(sarifResult{RuleIndex: rule, Level: "error", Message: sarifText{verdict.Word() + ": " + t.why}},
			"verdict")
	}
}
