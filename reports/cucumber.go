package reports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// cucumberOutcome is a status as Cucumber's tools know it, with the message that they show.
type cucumberOutcome struct {
	status  string // passed, failed, skipped
	message string
}

// cucumberScenario is a scenario with the statuses of its steps put so that Cucumber's tools, which know nothing but steps, come to our
// verdict: a scenario fails there when, and only when, the service broke a rule or we could not tell.
type cucumberScenario struct {
	Scenario
	steps []cucumberOutcome
	// verdict is a further step after all others, where those alone would give another verdict; nil: not needed.
	verdict *cucumberOutcome
}

func cucumberView(s Scenario) cucumberScenario {
	view := cucumberScenario{Scenario: s}
	bad := s.Verdict.blocks() && s.Verdict != NotExercised
	calm := s.Verdict == Skipped || s.Verdict == Known || s.Verdict == NotExercised
	anyFailed, anySkipped := false, false
	for _, step := range s.Steps {
		outcome := cucumberOutcome{"passed", step.Message}
		switch {
		case step.Verdict == Skipped || step.Verdict == NotExercised || step.Verdict == Known:
			outcome.status = "skipped"
		case step.Verdict.blocks() && bad:
			outcome.status = "failed"
			if step.Verdict != Fail {
				outcome.message = step.Verdict.Word() + ": " + step.Message
			}
		case step.Verdict.blocks() && calm:
			outcome.status = "skipped"
		}
		anyFailed = anyFailed || outcome.status == "failed"
		anySkipped = anySkipped || outcome.status == "skipped"
		view.steps = append(view.steps, outcome)
	}
	reason := s.why()
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

// cucumberFeature is the scenarios of one feature file.
type cucumberFeature struct {
	name, uri string
	scenarios []cucumberScenario
}

func cucumberFeatures(c *Conformance) []cucumberFeature {
	var features []cucumberFeature
	at := map[string]int{}
	for _, scenario := range c.Scenarios {
		uri := cmp.Or(scenario.File, "unnamed.feature")
		i, seen := at[uri]
		if !seen {
			i = len(features)
			at[uri] = i
			features = append(features, cucumberFeature{name: cmp.Or(scenario.Feature, uri), uri: uri})
		}
		features[i].scenarios = append(features[i].scenarios, cucumberView(scenario))
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

// Cucumber writes the scenarios as Cucumber JSON, which many report tools read. What is known or skipped is skipped there.
func Cucumber(w io.Writer, c *Conformance) error {
	type result struct {
		Status   string `json:"status"`
		Duration int64  `json:"duration,omitempty"`
		Message  string `json:"error_message,omitempty"`
	}
	type match struct {
		Location string `json:"location"`
	}
	type hook struct {
		Match  match  `json:"match"`
		Result result `json:"result"`
	}
	type step struct {
		Keyword string `json:"keyword"`
		Name    string `json:"name"`
		Line    int    `json:"line"`
		Match   match  `json:"match"`
		Result  result `json:"result"`
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
		After       []hook `json:"after,omitempty"`
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
	features := []feature{}
	for _, f := range cucumberFeatures(c) {
		out := feature{URI: f.uri, ID: slug(f.name), Keyword: "Feature", Name: f.name, Line: 1, Tags: []tag{}}
		for _, s := range f.scenarios {
			e := element{ID: slug(f.name) + ";" + slug(s.Name) + ";" + strconv.Itoa(s.Line), Keyword: "Scenario", Type: "scenario", Name: s.Name, Line: max(s.Line, 1), Tags: []tag{}, Steps: []step{}}
			for _, name := range cucumberTags(s.Tags) {
				e.Tags = append(e.Tags, tag{name, max(s.Line-1, 1)})
			}
			for i, outcome := range s.steps {
				was := s.Steps[i]
				r := result{Status: outcome.status, Duration: max(was.Nanoseconds, 0)}
				if outcome.status != "passed" {
					r.Message = outcome.message
				}
				e.Steps = append(e.Steps, step{Keyword: strings.TrimSpace(was.Keyword) + " ", Name: was.Text, Line: max(was.Line, 1), Match: match{fmt.Sprintf("%s:%d", f.uri, max(was.Line, 1))}, Result: r})
			}
			if s.verdict != nil {
				e.After = []hook{{match{"agstest:1"}, result{Status: s.verdict.status, Message: s.verdict.message}}}
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

// object is a JSON object of a message.
type object = map[string]any

// messageWriter writes messages, one JSON object a line, and hands out their ids.
type messageWriter struct {
	encoder *json.Encoder
	err     error
	last    int
	now     time.Time
}

func (m *messageWriter) id() string {
	m.last++
	return strconv.Itoa(m.last)
}

func (m *messageWriter) put(kind string, message object) {
	if m.err == nil {
		m.err = m.encoder.Encode(object{kind: message})
	}
}

// stamp is the time of a message. The record knows how long steps took, not when they began, so scenarios follow one another.
func (m *messageWriter) stamp() object {
	return object{"seconds": m.now.Unix(), "nanos": m.now.Nanosecond()}
}

// Messages writes the scenarios as Cucumber messages, one JSON object a line, which @cucumber/html-formatter and other tools render.
// The exchanges of a scenario that failed are attached to it, redacted as they are.
func Messages(w io.Writer, c *Conformance) error {
	m := &messageWriter{encoder: json.NewEncoder(w), now: c.Run.Start}
	m.encoder.SetEscapeHTML(false)
	if m.now.Unix() < 0 {
		m.now = time.Unix(0, 0)
	}
	m.put("meta", object{"protocolVersion": "27.0.0", "implementation": object{"name": "agstest", "version": c.Run.Tool.Version},
		"runtime": object{"name": "go", "version": c.Run.Tool.Go}, "os": object{"name": c.Run.Machine.OS}, "cpu": object{"name": c.Run.Machine.Arch}})
	type prepared struct {
		cucumberScenario
		testCase  string
		testSteps []string
	}
	hookID := m.id()
	m.put("hook", object{"id": hookID, "name": "verdict", "sourceReference": object{"uri": "agstest", "location": object{"line": 1}}})
	var cases []prepared
	for _, f := range cucumberFeatures(c) {
		var source strings.Builder
		fmt.Fprintf(&source, "Feature: %s\n", oneLine(f.name, 1000))
		children := []object{}
		var pickles []object
		type tested struct {
			scenario cucumberScenario
			pickle   string
			steps    []string
		}
		var ours []tested
		for _, s := range f.scenarios {
			node, pickle := m.id(), m.id()
			nodeTags, pickleTags := []object{}, []object{}
			for _, name := range cucumberTags(s.Tags) {
				id := m.id()
				nodeTags = append(nodeTags, object{"location": object{"line": max(s.Line-1, 1), "column": 3}, "name": name, "id": id})
				pickleTags = append(pickleTags, object{"name": name, "astNodeId": id})
			}
			steps, pickleSteps, stepIDs := []object{}, []object{}, []string{}
			fmt.Fprintf(&source, "\n  Scenario: %s\n", oneLine(s.Name, 1000))
			for _, step := range s.Steps {
				id, pickleStep := m.id(), m.id()
				keyword := strings.TrimSpace(step.Keyword) + " "
				steps = append(steps, object{"location": object{"line": max(step.Line, 1), "column": 5}, "keyword": keyword, "keywordType": keywordType(keyword), "text": step.Text, "id": id})
				pickleSteps = append(pickleSteps, object{"astNodeIds": []string{id}, "id": pickleStep, "text": step.Text, "type": pickleType(keyword)})
				stepIDs = append(stepIDs, pickleStep)
				fmt.Fprintf(&source, "    %s%s\n", keyword, oneLine(step.Text, 1000))
			}
			name := cmp.Or(s.Name, "Unnamed scenario")
			children = append(children, object{"scenario": object{"location": object{"line": max(s.Line, 1), "column": 3}, "tags": nodeTags, "keyword": "Scenario", "name": name, "description": "", "steps": steps, "examples": []object{}, "id": node}})
			pickles = append(pickles, object{"id": pickle, "uri": f.uri, "name": name, "language": "en", "steps": pickleSteps, "tags": pickleTags, "astNodeIds": []string{node}})
			ours = append(ours, tested{s, pickle, stepIDs})
		}
		m.put("source", object{"uri": f.uri, "data": source.String(), "mediaType": "text/x.cucumber.gherkin+plain"})
		m.put("gherkinDocument", object{"uri": f.uri, "comments": []object{}, "feature": object{"location": object{"line": 1, "column": 1}, "tags": []object{}, "language": "en", "keyword": "Feature", "name": f.name, "description": "", "children": children}})
		for _, pickle := range pickles {
			m.put("pickle", pickle)
		}
		for _, t := range ours {
			p := prepared{cucumberScenario: t.scenario, testCase: m.id()}
			steps := []object{}
			for _, id := range t.steps {
				step := m.id()
				p.testSteps = append(p.testSteps, step)
				steps = append(steps, object{"id": step, "pickleStepId": id, "stepDefinitionIds": []string{}, "stepMatchArgumentsLists": []object{}})
			}
			if t.scenario.verdict != nil {
				step := m.id()
				p.testSteps = append(p.testSteps, step)
				steps = append(steps, object{"id": step, "hookId": hookID})
			}
			m.put("testCase", object{"id": p.testCase, "pickleId": t.pickle, "testSteps": steps})
			cases = append(cases, p)
		}
	}
	m.put("testRunStarted", object{"timestamp": m.stamp()})
	for _, p := range cases {
		started := m.id()
		m.put("testCaseStarted", object{"attempt": 0, "id": started, "testCaseId": p.testCase, "timestamp": m.stamp()})
		outcomes := p.steps
		if p.verdict != nil {
			outcomes = append(outcomes[:len(outcomes):len(outcomes)], *p.verdict)
		}
		attached := false
		for i, outcome := range outcomes {
			m.put("testStepStarted", object{"testCaseStartedId": started, "testStepId": p.testSteps[i], "timestamp": m.stamp()})
			took := int64(0)
			if i < len(p.Steps) {
				took = max(p.Steps[i].Nanoseconds, 0)
			}
			if outcome.status == "failed" && !attached {
				attached = true
				m.put("attachment", object{"body": clipped(xmlCharacters(evidence(p.Scenario)), junitEvidence), "contentEncoding": "IDENTITY", "mediaType": "text/plain", "testCaseStartedId": started, "testStepId": p.testSteps[i]})
			}
			m.now = m.now.Add(time.Duration(took))
			result := object{"duration": object{"seconds": took / 1e9, "nanos": took % 1e9}, "status": strings.ToUpper(outcome.status)}
			if outcome.status != "passed" && outcome.message != "" {
				result["message"] = outcome.message
			}
			m.put("testStepFinished", object{"testCaseStartedId": started, "testStepId": p.testSteps[i], "testStepResult": result, "timestamp": m.stamp()})
		}
		m.put("testCaseFinished", object{"testCaseStartedId": started, "timestamp": m.stamp(), "willBeRetried": false})
	}
	m.put("testRunFinished", object{"message": c.Reason, "success": !c.Verdict.blocks(), "timestamp": m.stamp()})
	if m.err != nil {
		return fmt.Errorf("writing Cucumber messages: %w", m.err)
	}
	return nil
}

func keywordType(keyword string) string {
	switch strings.TrimSpace(keyword) {
	case "Given":
		return "Context"
	case "When":
		return "Action"
	case "Then":
		return "Outcome"
	case "And", "But":
		return "Conjunction"
	}
	return "Unknown"
}

func pickleType(keyword string) string {
	if kind := keywordType(keyword); kind != "Conjunction" {
		return kind
	}
	return "Unknown"
}
