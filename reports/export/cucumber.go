package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"agstest/reports"
)

// cucumberOutcome is a status as Cucumber's tools know it, with the message that they show.
type cucumberOutcome struct {
	status  string // passed, failed, skipped
	message string
}

// cucumberScenario is a scenario with the statuses of its steps put so that Cucumber's tools, which know nothing but
// steps, come to our outcome: a scenario fails there when, and only when, the service broke a rule or we could not
// tell.
type cucumberScenario struct {
	reports.Scenario
	steps []cucumberOutcome
	// verdict is a further step, where the others alone would give another verdict; nil: not needed. It is a step and no
	// hook, because cucumber-html-reporter 7.2 and Allure 3.18 do not look at hooks.
	verdict *cucumberOutcome
}

// verdictStep is the text of the further step.
func (s cucumberScenario) verdictStep() string {
	if s.verdict.status == "failed" {
		return "every answer keeps the rules of the contract"
	}
	return "the scenario counts"
}

// verdictAt is before which step the further one stands. One that failed stands before those that were skipped, as
// after any failure: test-results-parser 0.4 takes what it meets first for the outcome. Others stand after all.
func (s cucumberScenario) verdictAt() int {
	if s.verdict != nil && s.verdict.status == "failed" {
		for i, outcome := range s.steps {
			if outcome.status == "skipped" {
				return i
			}
		}
	}
	return len(s.steps)
}

// cucumberView shows a scenario of a run that came to the outcome whole.
func cucumberView(s reports.Scenario, whole reports.Outcome) cucumberScenario {
	view := cucumberScenario{Scenario: s}
	of := s.Verdict.Outcome().Within(whole)
	bad, calm := of.Red(), of == skipped
	anyFailed, anySkipped := false, false
	for _, step := range s.Steps {
		outcome := cucumberStep(step, of)
		anyFailed = anyFailed || outcome.status == "failed"
		anySkipped = anySkipped || outcome.status == "skipped"
		view.steps = append(view.steps, outcome)
	}
	reason := s.Why()
	switch {
	case bad && !anyFailed:
		view.verdict = &cucumberOutcome{"failed", s.Verdict.Word() + ": " + reason}
	case calm && !anySkipped:
		view.verdict = &cucumberOutcome{"skipped", s.Verdict.Word() + ": " + reason}
	case !bad && !calm && anySkipped:
		// A step that was passed over in a scenario that is fine all the same would make it skipped there.
		for i := range view.steps {
			view.steps[i].status = "passed"
		}
	}
	return view
}

// cucumberStep is the outcome of a step of a scenario that came to an outcome.
func cucumberStep(step reports.Step, scenario reports.Outcome) cucumberOutcome {
	switch outcome := step.Verdict.Outcome(); {
	case outcome == skipped, outcome.Red() && scenario == skipped:
		return cucumberOutcome{"skipped", step.Message}
	case outcome == broken && scenario.Red():
		return cucumberOutcome{"failed", step.Verdict.Word() + ": " + step.Message}
	case outcome == failed && scenario.Red():
		return cucumberOutcome{"failed", step.Message}
	}
	return cucumberOutcome{"passed", step.Message}
}

// cucumberFeature is the scenarios of one feature file.
type cucumberFeature struct {
	name string
	// uri is the name of the file below the words that say whose it is, so that two environments' results are not taken
	// for tries of one.
	uri       string
	text      string // empty: not kept
	scenarios []cucumberScenario
}

func cucumberFeatures(c *reports.Conformance) []cucumberFeature {
	var features []cucumberFeature
	at, texts := map[string]int{}, map[string]string{}
	for _, feature := range c.Features {
		texts[feature.File] = feature.Text
	}
	for _, scenario := range c.Scenarios {
		uri := cmp.Or(scenario.File, "unnamed.feature")
		i, seen := at[uri]
		if !seen {
			i = len(features)
			at[uri] = i
			features = append(features, cucumberFeature{name: cmp.Or(scenario.Feature, uri),
				uri: path.Join(append(whoseWords(c.Run, ""), uri)...), text: texts[scenario.File]})
		}
		features[i].scenarios = append(features[i].scenarios, cucumberView(scenario, c.Run.Outcome(c.Verdict)))
	}
	return features
}

// cucumberTags are the tags of a scenario with their sign.
func cucumberTags(tags []string) []string {
	named := make([]string, 0, len(tags))
	for _, tag := range tags {
		named = append(named, "@"+strings.TrimPrefix(tag, "@"))
	}
	return named
}

// identityTags are tags that tell of whom the results are: formats of Cucumber have no other place for it.
func identityTags(r reports.Run) []string {
	var tags []string
	for _, p := range [][2]string{{"environment", r.Environment}, {"release", r.Release}, {"service", r.Service},
		{"tenant", r.Tenant}} {
		if p[1] != "" {
			tags = append(tags, p[0]+":"+strings.Join(strings.Fields(p[1]), "_"))
		}
	}
	return tags
}

// verdictFeature returns a feature with a failing scenario for each red part of a run that no other scenario shows: the
// conformance was interrupted or judged too little, or the load of a gate, of which nothing else stands here, is red.
// The format has no other place for it, and the file would be green. The load may be nil.
func verdictFeature(c *reports.Conformance, l *reports.Load, features []cucumberFeature) []cucumberFeature {
	red := func(s cucumberScenario) bool { return s.Verdict.Outcome().Red() }
	told := slices.ContainsFunc(features, func(f cucumberFeature) bool { return slices.ContainsFunc(f.scenarios, red) })
	var scenarios []cucumberScenario
	if whole := conformanceVerdict(c); whole.outcome.Red() && !told {
		scenarios = append(scenarios, verdictScenario("verdict of the run", "the run comes to its end, and enough is judged",
			c.Verdict, whole.why))
	}
	if l != nil {
		if whole := verdictTest("load", l.Run, l.Verdict, l.Reason); whole.outcome.Red() {
			scenarios = append(scenarios, verdictScenario("verdict of the load", "the load is sent, and keeps what it must",
				l.Verdict, whole.why))
		}
	}
	if scenarios == nil {
		return nil
	}
	return []cucumberFeature{{name: "Verdict", uri: path.Join(append(whoseWords(c.Run, ""), "verdict.feature")...),
		scenarios: scenarios}}
}

// verdictScenario is a verdict in the form of a failing scenario of one step.
func verdictScenario(name, text string, verdict reports.Verdict, why string) cucumberScenario {
	step := reports.Step{Keyword: "* ", Text: text, Line: 1, Verdict: verdict, Message: why}
	return cucumberScenario{Scenario: reports.Scenario{ID: reports.Slug(name), Name: name, Line: 1,
		Steps: []reports.Step{step}}, steps: []cucumberOutcome{{"failed", verdict.Word() + ": " + why}}}
}

// Cucumber writes the scenarios as Cucumber JSON, which many report tools read. Known and skipped results are skipped
// there. If the run is red and no scenario is, its verdict is one scenario more, and so is that of the load of a gate,
// which may be nil.
func Cucumber(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	type result struct {
		Status   string `json:"status"`
		Duration int64  `json:"duration,omitempty"`
		Message  string `json:"error_message,omitempty"`
	}
	type match struct {
		Location string `json:"location"`
	}
	type docString struct {
		Value       string `json:"value"`
		ContentType string `json:"content_type"`
		Line        int    `json:"line"`
	}
	type row struct {
		Cells []string `json:"cells"`
	}
	type step struct {
		Keyword   string     `json:"keyword"`
		Name      string     `json:"name"`
		Line      int        `json:"line"`
		DocString *docString `json:"doc_string,omitempty"`
		Rows      []row      `json:"rows,omitempty"`
		Match     match      `json:"match"`
		Result    result     `json:"result"`
	}
	type tag struct {
		Name string `json:"name"`
		Line int    `json:"line"`
	}
	type element struct {
		ID          string `json:"id"`
		Keyword     string `json:"keyword"`
		Type        string `json:"type"`
		Name        string `json:"name"`
		Description string `json:"description"`
		Line        int    `json:"line"`
		Tags        []tag  `json:"tags"`
		Steps       []step `json:"steps"`
	}
	type feature struct {
		URI         string    `json:"uri"`
		ID          string    `json:"id"`
		Keyword     string    `json:"keyword"`
		Name        string    `json:"name"`
		Description string    `json:"description"`
		Line        int       `json:"line"`
		Tags        []tag     `json:"tags"`
		Elements    []element `json:"elements"`
	}
	features, told := []feature{}, cucumberFeatures(c)
	for _, f := range append(told, verdictFeature(c, l, told)...) {
		out := feature{URI: f.uri, ID: strings.Join(append(whoseWords(c.Run, ""), reports.Slug(f.name)), ";"),
			Keyword: "Feature", Name: f.name, Line: 1, Tags: []tag{}}
		for _, name := range cucumberTags(identityTags(c.Run)) {
			out.Tags = append(out.Tags, tag{name, 1})
		}
		names := uniqueNames{}
		for _, s := range f.scenarios {
			s.Name = names.unique("", s.Name) // Allure takes equal names of a file for tries of one test
			e := element{ID: reports.Slug(f.name) + ";" + reports.Slug(s.Name) + ";" + strconv.Itoa(s.Line),
				Keyword: "Scenario", Type: "scenario", Name: s.Name, Line: max(s.Line, 1), Tags: []tag{},
				Steps: []step{}}
			for _, name := range cucumberTags(s.Tags) {
				e.Tags = append(e.Tags, tag{name, max(s.Line-1, 1)})
			}
			for i, outcome := range s.steps {
				was := s.Steps[i]
				r := result{Status: outcome.status, Duration: max(was.Nanoseconds, 0)}
				if outcome.status != "passed" {
					r.Message = ended(outcome.message)
				}
				now := step{Keyword: strings.TrimSpace(was.Keyword) + " ", Name: was.Text, Line: max(was.Line, 1),
					Match: match{fmt.Sprintf("%s:%d", f.uri, max(was.Line, 1))}, Result: r}
				if was.DocString != "" {
					now.DocString = &docString{was.DocString, "text/plain", max(was.Line, 1) + 1}
				}
				for _, cells := range was.Table {
					now.Rows = append(now.Rows, row{cells})
				}
				e.Steps = append(e.Steps, now)
			}
			if s.verdict != nil {
				e.Steps = slices.Insert(e.Steps, s.verdictAt(), step{Keyword: "* ", Name: s.verdictStep(),
					Line: max(s.Line, 1), Match: match{"agstest:1"}, Result: result{Status: s.verdict.status,
						Message: ended(s.verdict.message)}})
			}
			out.Elements = append(out.Elements, e)
		}
		features = append(features, out)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(features); err != nil {
		return fmt.Errorf("writing Cucumber JSON: %w", err)
	}
	return nil
}

// ended closes a reason with a line break: test-results-parser 0.4 takes the last letter of one for the stack trace.
func ended(reason string) string {
	if reason == "" {
		return ""
	}
	return reason + "\n"
}
