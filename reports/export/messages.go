package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"agstest/internal/figures"
	"agstest/reports"
)

// messagesProtocol is the version of Cucumber's messages that is written.
const messagesProtocol = "34.2.0"

// messageWriter writes messages, one JSON object a line, and hands out their ids.
type messageWriter struct {
	encoder *json.Encoder
	err     error
	last    int
	defined map[string]string // ids of step definitions, by their pattern
}

func (m *messageWriter) id() string {
	m.last++
	return strconv.Itoa(m.last)
}

func (m *messageWriter) put(e messages.Envelope) {
	if m.err == nil {
		m.err = m.encoder.Encode(e)
	}
}

// Messages writes the scenarios as Cucumber messages, one JSON object a line, which Cucumber's formatters and other
// tools render: the feature files as they were written, every step with its values, table and text, when each scenario
// began, and the exchanges of those that failed, redacted as they are. Feature files lie below the words that say whose
// they are. If the run is red and no scenario is, its verdict is one scenario more, and the exception of the run; so is
// that of the load of a gate, which may be nil.
func Messages(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	m := &messageWriter{encoder: json.NewEncoder(w), defined: map[string]string{}}
	m.encoder.SetEscapeHTML(false)
	m.put(messages.Envelope{Meta: &messages.Meta{
		ProtocolVersion: messagesProtocol, Implementation: &messages.Product{Name: "agstest",
			Version: c.Run.Tool.Version},
		Runtime: &messages.Product{Name: "go", Version: c.Run.Tool.Go}, Os: &messages.Product{Name: c.Run.Machine.OS},
		Cpu: &messages.Product{Name: c.Run.Machine.Arch},
	}})
	hook := m.id()
	m.put(messages.Envelope{Hook: &messages.Hook{
		Id: hook, Name: "every answer keeps the rules of the contract", Type: messages.HookType_AFTER_TEST_CASE,
		SourceReference: &messages.SourceReference{Uri: "agstest", Location: &messages.Location{Line: 1}},
	}})
	run := m.id()
	var cases []messageCase
	features := cucumberFeatures(c)
	verdict := verdictFeature(c, l, features)
	for _, f := range append(features, verdict...) {
		cases = append(cases, m.feature(f, c.Run, hook, run)...)
	}
	start, end := messageTimes(c, l, cases)
	m.put(messages.Envelope{TestRunStarted: &messages.TestRunStarted{Id: run, Timestamp: messageStamp(start)}})
	if about := identity(c.Run); len(about) > 0 {
		var text strings.Builder
		for _, p := range about {
			fmt.Fprintf(&text, "%s: %s\n", p[0], p[1])
		}
		m.put(messages.Envelope{Attachment: &messages.Attachment{
			Body: text.String(), ContentEncoding: messages.AttachmentContentEncoding_IDENTITY, MediaType: "text/plain",
			FileName: "run.txt", TestRunStartedId: run,
		}})
	}
	at := start
	for _, k := range cases {
		if k.Start != nil {
			at = *k.Start
		}
		at = m.play(k, at)
	}
	finished := &messages.TestRunFinished{Message: c.Reason, Success: !c.Run.Outcome(c.Verdict).Red(),
		Timestamp: messageStamp(end), TestRunStartedId: run}
	if l != nil && l.Run.Outcome(l.Verdict).Red() {
		finished.Success, finished.Message = false, finished.Message+"; load: "+l.Reason
	}
	if len(verdict) > 0 {
		first := verdict[0].scenarios[0]
		finished.Exception = &messages.Exception{Type: string(first.Steps[0].Verdict), Message: first.steps[0].message}
	}
	m.put(messages.Envelope{TestRunFinished: finished})
	if m.err != nil {
		return fmt.Errorf("writing Cucumber messages: %w", m.err)
	}
	return nil
}

// messageCase is a scenario whose test case has been told of.
type messageCase struct {
	cucumberScenario
	id    string
	steps []string // ids of its test steps, the verdict's last
}

// feature writes one feature file and its test cases.
func (m *messageWriter) feature(f cucumberFeature, run reports.Run, hook, runID string) []messageCase {
	document, pickles := m.document(&f)
	m.put(messages.Envelope{Source: &messages.Source{Uri: f.uri, Data: f.text,
		MediaType: messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_PLAIN}})
	document.Uri = f.uri
	var tags []*messages.PickleTag
	for _, name := range cucumberTags(identityTags(run)) {
		id := m.id()
		document.Feature.Tags = append(document.Feature.Tags, &messages.Tag{Location: document.Feature.Location,
			Name: name, Id: id})
		tags = append(tags, &messages.PickleTag{Name: name, AstNodeId: id})
	}
	m.put(messages.Envelope{GherkinDocument: document})
	for _, pickle := range pickles {
		pickle.Tags = append(pickle.Tags[:len(pickle.Tags):len(pickle.Tags)], tags...)
		m.put(messages.Envelope{Pickle: pickle})
	}
	var cases []messageCase
	for i, s := range f.scenarios {
		k := messageCase{cucumberScenario: s, id: m.id()}
		steps := []*messages.TestStep{}
		for n, pickled := range pickles[i].Steps {
			k.steps = append(k.steps, m.id())
			definition, values := m.definition(s.Steps[n])
			steps = append(steps, &messages.TestStep{
				Id: k.steps[n], PickleStepId: pickled.Id, StepDefinitionIds: []string{definition},
				StepMatchArgumentsLists: []*messages.StepMatchArgumentsList{{StepMatchArguments: values}},
			})
		}
		if s.verdict != nil {
			k.steps = append(k.steps, m.id())
			steps = append(steps, &messages.TestStep{Id: k.steps[len(k.steps)-1], HookId: hook})
		}
		m.put(messages.Envelope{TestCase: &messages.TestCase{Id: k.id, PickleId: pickles[i].Id, TestSteps: steps,
			TestRunStartedId: runID}})
		cases = append(cases, k)
	}
	return cases
}

// document returns a feature file as Gherkin reads it, with a pickle for each scenario of the run. If the text was not
// kept, or does not fit the run, it is made from the scenarios.
func (m *messageWriter) document(f *cucumberFeature) (*messages.GherkinDocument, []*messages.Pickle) {
	if f.text != "" {
		document, err := gherkin.ParseGherkinDocument(strings.NewReader(f.text), m.id)
		if err == nil && document.Feature != nil {
			if pickles, ok := picklesOf(f.scenarios, gherkin.Pickles(*document, f.uri, m.id)); ok {
				return document, pickles
			}
		}
	}
	if f.text == "" {
		f.text = f.retoldText()
	}
	document := m.retold(*f)
	pickles := gherkin.Pickles(*document, f.uri, m.id)
	return document, pickles
}

// picklesOf finds the pickle of each scenario by its line.
func picklesOf(scenarios []cucumberScenario, all []*messages.Pickle) ([]*messages.Pickle, bool) {
	at := map[int]*messages.Pickle{}
	for _, pickle := range all {
		at[int(pickle.Location.Line)] = pickle
	}
	var found []*messages.Pickle
	for _, s := range scenarios {
		pickle := at[s.Line]
		if pickle == nil || len(pickle.Steps) != len(s.Steps) {
			return nil, false
		}
		delete(at, s.Line)
		found = append(found, pickle)
	}
	return found, true
}

// retold makes a document from the scenarios.
func (m *messageWriter) retold(f cucumberFeature) *messages.GherkinDocument {
	place := func(line int, column int64) *messages.Location {
		return &messages.Location{Line: int64(max(line, 1)), Column: column}
	}
	feature := &messages.Feature{Location: place(1, 1), Tags: []*messages.Tag{}, Language: "en", Keyword: "Feature",
		Name: f.name, Children: []*messages.FeatureChild{}}
	for _, s := range f.scenarios {
		scenario := &messages.Scenario{
			Location: place(s.Line, 3), Tags: []*messages.Tag{}, Keyword: "Scenario", Name: cmp.Or(s.Name,
				"Unnamed scenario"), Steps: []*messages.Step{}, Examples: []*messages.Examples{}, Id: m.id(),
		}
		for _, name := range cucumberTags(s.Tags) {
			scenario.Tags = append(scenario.Tags, &messages.Tag{Location: place(s.Line-1, 3), Name: name, Id: m.id()})
		}
		for _, was := range s.Steps {
			keyword := strings.TrimSpace(was.Keyword) + " "
			step := &messages.Step{Location: place(was.Line, 5), Keyword: keyword, KeywordType: keywordType(keyword),
				Text: was.Text, Id: m.id()}
			switch {
			case was.DocString != "":
				step.DocString = &messages.DocString{Location: place(was.Line+1, 7), Content: was.DocString,
					Delimiter: `"""`}
			case len(was.Table) > 0:
				step.DataTable = &messages.DataTable{Location: place(was.Line+1, 7)}
				for r, cells := range was.Table {
					row := &messages.TableRow{Location: place(was.Line+1+r, 7), Cells: []*messages.TableCell{},
						Id: m.id()}
					for _, cell := range cells {
						row.Cells = append(row.Cells, &messages.TableCell{Location: place(was.Line+1+r, 9),
							Value: cell})
					}
					step.DataTable.Rows = append(step.DataTable.Rows, row)
				}
			}
			scenario.Steps = append(scenario.Steps, step)
		}
		feature.Children = append(feature.Children, &messages.FeatureChild{Scenario: scenario})
	}
	return &messages.GherkinDocument{Feature: feature, Comments: []*messages.Comment{}}
}

// retoldText is the text of a feature file as far as the scenarios tell it.
func (f *cucumberFeature) retoldText() string {
	var text strings.Builder
	fmt.Fprintf(&text, "Feature: %s\n", figures.OneLine(f.name, 1000))
	for _, s := range f.scenarios {
		fmt.Fprintf(&text, "\n  Scenario: %s\n", figures.OneLine(s.Name, 1000))
		for _, step := range s.Steps {
			fmt.Fprintf(&text, "    %s %s\n", strings.TrimSpace(step.Keyword), figures.OneLine(step.Text, 1000))
		}
	}
	return text.String()
}

func keywordType(keyword string) messages.StepKeywordType {
	switch strings.TrimSpace(keyword) {
	case "Given":
		return messages.StepKeywordType_CONTEXT
	case "When":
		return messages.StepKeywordType_ACTION
	case "Then":
		return messages.StepKeywordType_OUTCOME
	case "And", "But":
		return messages.StepKeywordType_CONJUNCTION
	}
	return messages.StepKeywordType_UNKNOWN
}

// definition writes the sentence of a step, once, and returns its id and the values in the step. Their places count
// UTF-16 code units, as the JavaScript that shows them does.
func (m *messageWriter) definition(s reports.Step) (string, []*messages.StepMatchArgument) {
	text := []rune(s.Text)
	pattern, done := "", 0
	values := []*messages.StepMatchArgument{}
	for _, value := range s.Values {
		end := value.At + len([]rune(value.Text))
		if value.At < done || end > len(text) {
			continue
		}
		pattern += regexp.QuoteMeta(string(text[done:value.At])) + "(.+)"
		done = end
		values = append(values, &messages.StepMatchArgument{Group: &messages.Group{
			Children: []*messages.Group{}, Start: int64(len(utf16.Encode(text[:value.At]))), Value: value.Text,
		}})
	}
	pattern = "^" + pattern + regexp.QuoteMeta(string(text[done:])) + "$"
	id, known := m.defined[pattern]
	if !known {
		id = m.id()
		m.defined[pattern] = id
		m.put(messages.Envelope{StepDefinition: &messages.StepDefinition{
			Id: id, Pattern: &messages.StepDefinitionPattern{Source: pattern,
				Type: messages.StepDefinitionPatternType_REGULAR_EXPRESSION},
			SourceReference: &messages.SourceReference{Uri: "agstest", Location: &messages.Location{Line: 1}},
		}})
	}
	return id, values
}

// play tells how a test case went from its start on, and gives its end.
func (m *messageWriter) play(k messageCase, at time.Time) time.Time {
	started := m.id()
	m.put(messages.Envelope{TestCaseStarted: &messages.TestCaseStarted{Id: started, TestCaseId: k.id,
		Timestamp: messageStamp(at)}})
	end := at.Add(time.Duration(max(k.Nanoseconds, 0)))
	outcomes := k.cucumberScenario.steps
	if k.verdict != nil {
		outcomes = append(outcomes[:len(outcomes):len(outcomes)], *k.verdict)
	}
	attached := false
	for i, outcome := range outcomes {
		m.put(messages.Envelope{TestStepStarted: &messages.TestStepStarted{TestCaseStartedId: started,
			TestStepId: k.steps[i], Timestamp: messageStamp(at)}})
		if outcome.status == "failed" && !attached {
			attached = true
			m.put(messages.Envelope{Attachment: &messages.Attachment{
				Body: shortEvidence(k.Scenario), ContentEncoding: messages.AttachmentContentEncoding_IDENTITY,
				MediaType:         "text/plain",
				TestCaseStartedId: started, TestStepId: k.steps[i], Timestamp: messageStamp(at),
			}})
		}
		took := time.Duration(0)
		if i < len(k.Steps) {
			took = time.Duration(max(k.Steps[i].Nanoseconds, 0))
		}
		at = at.Add(took)
		result := &messages.TestStepResult{
			Duration: &messages.Duration{Seconds: int64(took / time.Second),
				Nanos: int64(took % time.Second)},
			Status: messages.TestStepResultStatus(strings.ToUpper(outcome.status)),
		}
		if outcome.status != "passed" {
			result.Message = outcome.message
		}
		m.put(messages.Envelope{TestStepFinished: &messages.TestStepFinished{TestCaseStartedId: started,
			TestStepId: k.steps[i], TestStepResult: result, Timestamp: messageStamp(at)}})
	}
	if end.After(at) {
		at = end
	}
	m.put(messages.Envelope{TestCaseFinished: &messages.TestCaseFinished{TestCaseStartedId: started,
		Timestamp: messageStamp(at)}})
	return at
}

// messageTimes gives when a run began and ended: no scenario lies outside of it, and the load of a gate, which may be
// nil, does not end after it.
func messageTimes(c *reports.Conformance, l *reports.Load, cases []messageCase) (start, end time.Time) {
	start, end = c.Run.Start, c.Run.End
	if l != nil && l.Run.End.After(end) {
		end = l.Run.End
	}
	for _, k := range cases {
		if k.Start == nil {
			continue
		}
		if k.Start.Before(start) {
			start = *k.Start
		}
		if last := k.Start.Add(time.Duration(max(k.Nanoseconds, 0))); last.After(end) {
			end = last
		}
	}
	if end.Before(start) {
		end = start
	}
	return start, end
}

// messageStamp returns a point in time; the protocol knows none before 1970.
func messageStamp(t time.Time) *messages.Timestamp {
	if t.Unix() < 0 {
		return &messages.Timestamp{}
	}
	return &messages.Timestamp{Seconds: t.Unix(), Nanos: int64(t.Nanosecond())}
}
