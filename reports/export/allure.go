package export

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// AllureFolder is the folder of the results, below that of the run.
const AllureFolder = "allure-results"

type allureDetails struct {
	Message string `json:"message,omitempty"`
	Trace   string `json:"trace,omitempty"`
	Known   bool   `json:"known,omitempty"`
	Flaky   bool   `json:"flaky,omitempty"`
}

type allurePair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type allureLink struct {
	Type string `json:"type"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

type allureAttachment struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	Type   string `json:"type"`
}

type allureStep struct {
	Name        string             `json:"name"`
	Status      reports.Outcome    `json:"status"`
	Details     *allureDetails     `json:"statusDetails,omitempty"`
	Stage       string             `json:"stage"`
	Start       int64              `json:"start"`
	Stop        int64              `json:"stop"`
	Attachments []allureAttachment `json:"attachments"`
}

type allureResult struct {
	UUID        string             `json:"uuid"`
	HistoryID   string             `json:"historyId"`
	TestCaseID  string             `json:"testCaseId"`
	FullName    string             `json:"fullName"`
	Name        string             `json:"name"`
	Status      reports.Outcome    `json:"status"`
	Details     *allureDetails     `json:"statusDetails,omitempty"`
	Stage       string             `json:"stage"`
	Start       int64              `json:"start"`
	Stop        int64              `json:"stop"`
	Labels      []allurePair       `json:"labels"`
	Parameters  []allurePair       `json:"parameters"`
	Links       []allureLink       `json:"links"`
	Steps       []allureStep       `json:"steps"`
	Attachments []allureAttachment `json:"attachments"`
}

// Allure writes the results of a run as Allure's own files, through write, which gets names below the run's folder: a
// result for each scenario and limit and for the verdict, the evidence of failures as an attachment,
// environment.properties and categories.json. Links lead from requirements to the pages that state them. Whose results
// they are is part of each test's identity: Allure takes equal tests for tries of one.
func Allure(write func(name string, render func(io.Writer) error) error, c *reports.Conformance,
	l *reports.Load) error {
	run := runOf(c, l)
	pages := map[string]string{}
	if c != nil {
		for _, r := range c.Requirements {
			for _, s := range r.Sources {
				if pages[r.ID] == "" {
					pages[r.ID] = pageOf(s)
				}
			}
		}
	}
	text := func(name, body string) error {
		return write(path.Join(AllureFolder, name),
			func(w io.Writer) error { _, err := io.WriteString(w, body); return err })
	}
	of := map[string][][2]string{}
	if c != nil {
		of["conformance"] = whose(c.Run, "")
	}
	if l != nil {
		of["load"] = whose(l.Run, l.Plan.Workload)
	}
	for _, t := range testsOf(c, l) {
		result := allureOf(t, run, of[t.kind], pages)
		for i, s := range t.steps {
			if s.text == "" {
				continue
			}
			source := fmt.Sprintf("%s-%d-attachment.txt", result.UUID, i)
			result.Steps[i].Attachments = append(result.Steps[i].Attachments, allureAttachment{"below the step", source,
				"text/plain"})
			if err := text(source, s.text); err != nil {
				return err
			}
		}
		if t.evidence != "" {
			source := result.UUID + "-attachment.txt"
			result.Attachments = append(result.Attachments, allureAttachment{"steps, findings and exchanges", source,
				"text/plain"})
			if err := text(source, t.evidence); err != nil {
				return err
			}
		}
		if err := write(path.Join(AllureFolder, result.UUID+"-result.json"),
			func(w io.Writer) error { return json.NewEncoder(w).Encode(result) }); err != nil {
			return err
		}
	}
	var properties strings.Builder
	for _, p := range identity(run) {
		fmt.Fprintf(&properties, "%s=%s\n", p[0], propertyValue.Replace(p[1]))
	}
	if err := text("environment.properties", properties.String()); err != nil {
		return err
	}
	return write(path.Join(AllureFolder, "categories.json"),
		func(w io.Writer) error { return json.NewEncoder(w).Encode(allureCategories(c)) })
}

var propertyValue = strings.NewReplacer("\\", "\\\\", "\n", " ", "\r", " ")

func allureOf(t test, run reports.Run, of [][2]string, pages map[string]string) allureResult {
	parameters, words, parts := []allurePair{}, []string{}, []string{}
	for _, p := range of {
		parameters, words, parts = append(parameters, allurePair{p[0], p[1]}), append(words, p[1]), append(parts,
			p[0]+"="+p[1])
	}
	known := id(append(parts, t.kind, t.key)...)
	r := allureResult{
		UUID: uuid(run.ID, t.kind, t.key), HistoryID: known, TestCaseID: known, FullName: strings.Join(append(words,
			t.suite, t.name), ": "), Name: t.name,
		Status: t.outcome, Stage: "finished", Start: milliseconds(t.start), Stop: milliseconds(t.start.Add(t.took)),
		Labels: []allurePair{
			{"framework", "agstest"}, {"language", "gherkin"}, {"parentSuite", run.Environment}, {"suite", t.kind},
			{"subSuite", t.suite}, {"epic", t.kind}, {"feature", t.suite}, {"severity", t.severity},
		},
		Parameters: parameters, Links: []allureLink{}, Steps: []allureStep{}, Attachments: []allureAttachment{},
	}
	if t.why != "" && t.outcome != passed {
		r.Details = &allureDetails{Message: t.why, Trace: t.evidence, Known: strings.HasPrefix(t.why, "known"),
			Flaky: t.tries.Sometimes()}
	}
	for _, tag := range t.tags {
		r.Labels = append(r.Labels, allurePair{"tag", tag})
	}
	for _, requirement := range t.requirements {
		r.Labels = append(r.Labels, allurePair{"story", requirement}, allurePair{"tag", requirement})
		if page := pages[requirement]; page != "" {
			r.Links = append(r.Links, allureLink{"tms", requirement, page})
		}
	}
	at := t.start
	for _, s := range t.steps {
		step := allureStep{Name: s.name, Status: s.outcome, Stage: "finished", Start: milliseconds(at),
			Attachments: []allureAttachment{}}
		at = at.Add(s.took)
		step.Stop = milliseconds(at)
		if s.why != "" && s.outcome != passed {
			step.Details = &allureDetails{Message: s.why}
		}
		r.Steps = append(r.Steps, step)
	}
	return r
}

// documentation is the address of the public pages on which requirements rest.
const documentation = "https://docs.nagra.vision/opentv-docs/"

// pageOf returns the address of a source; empty if it has none.
func pageOf(s reports.Source) string {
	if s.Where == "" || strings.ContainsFunc(s.Where,
		func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return ""
	}
	return documentation + s.Where
}

type allureCategory struct {
	Name            string            `json:"name"`
	MatchedStatuses []reports.Outcome `json:"matchedStatuses"`
	MessageRegex    string            `json:"messageRegex,omitempty"`
}

// allureCategories group failures by their cause, whose id is in the message.
func allureCategories(c *reports.Conformance) []allureCategory {
	var categories []allureCategory
	if c != nil {
		for _, k := range c.Causes {
			categories = append(categories, allureCategory{Name: k.ID + " " + figures.Unbroken(k.Sentence()),
				MatchedStatuses: []reports.Outcome{failed, broken}, MessageRegex: "[\\s\\S]*\\(" + k.ID +
					"\\)[\\s\\S]*"})
		}
	}
	return append(categories,
		allureCategory{Name: "The service broke a rule", MatchedStatuses: []reports.Outcome{failed}},
		allureCategory{Name: "It could not be told", MatchedStatuses: []reports.Outcome{broken}},
		allureCategory{Name: "Skipped, with the reason", MatchedStatuses: []reports.Outcome{skipped}})
}
