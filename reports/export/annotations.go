package export

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
)

// annotation is one remark beside a line of a feature file or on the whole job.
type annotation struct {
	red         bool   // else a warning
	whose       string // environment and service, for people
	check       string // what kind of finding it is: the id of a requirement, scenario, limit …
	known       string // by what it is known in each run of its sort: no line, and no count
	file        string
	line        int
	title, text string
}

// heading is the title with the name of whose it is: jobs of several environments show their marks in one list.
func (a annotation) heading() string {
	if a.whose == "" {
		return a.title
	}
	return a.title + " (" + a.whose + ")"
}

// annotationLimit is how many errors or warnings GitHub shows of one step; the rest vanishes without a word.
const annotationLimit = 10

// Annotations writes the worst findings in the form that a pipeline shows beside the code or on the job; either run may
// be nil. Kind is github or azure (commands for the log), gitlab (a code quality report as JSON), or none. GitHub shows
// 10 errors and 10 warnings of a step, so the worst come first and the last says how many more are in the report.
func Annotations(w io.Writer, kind string, c *reports.Conformance, l *reports.Load) error {
	found := annotationsOf(c, l)
	out := bufio.NewWriter(w)
	var err error
	switch kind {
	case "none", "":
	case "github":
		err = annotateLog(out, found, githubCommand)
	case "azure":
		err = annotateLog(out, found, azureCommand)
	case "gitlab":
		err = annotateGitLab(out, found)
	default:
		return fmt.Errorf("annotations of the kind %q are not known: use github, gitlab, azure or none", kind)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing annotations: %w", err)
	}
	return nil
}

// places gives where the feature files that are the user's lie in the user's repository, by the names that scenarios
// know them by.
func places(c *reports.Conformance) map[string]string {
	places := map[string]string{}
	for _, feature := range c.Features {
		if feature.Path != "" {
			places[feature.File] = feature.Path
		}
	}
	return places
}

// annotationsOf lists findings, errors before warnings.
func annotationsOf(c *reports.Conformance, l *reports.Load) []annotation {
	var found annotations
	if c != nil {
		found.whose, found.words = whoseTitle(c.Run), whoseWords(c.Run, "")
		found.conformance(c)
	}
	if l != nil {
		found.whose, found.words = whoseTitle(l.Run), whoseWords(l.Run, l.Plan.Workload)
		found.load(l)
	}
	return append(found.errors, found.warnings...)
}

type annotations struct {
	errors, warnings []annotation
	whose            string
	words            []string
}

// add adds what came to an outcome.
func (s *annotations) add(outcome reports.Outcome, a annotation) {
	a.whose, a.known = s.whose, strings.Join(append(s.words[:len(s.words):len(s.words)], a.check, a.known), "/")
	if a.red = outcome.Red(); a.red {
		s.errors = append(s.errors, a)
	} else {
		s.warnings = append(s.warnings, a)
	}
}

func (s *annotations) conformance(c *reports.Conformance) {
	scenarios, places, whole := map[string]reports.Scenario{}, places(c), c.Run.Outcome(c.Verdict)
	for _, scenario := range c.Scenarios {
		scenario.File = places[scenario.File] // a mark at a file that the repository does not have is a dead link
		scenarios[scenario.ID] = scenario
	}
	for _, requirement := range reports.ByAttention(c.Requirements) {
		switch requirement.Verdict {
		case reports.Fail, reports.Error, reports.Warn, reports.Invalid, reports.Inconclusive:
		default:
			continue
		}
		a := annotation{check: requirement.ID, known: string(requirement.Verdict),
			title: requirement.ID + " " + requirement.Verdict.Word(), text: requirement.Text}
		if why := requirement.Why(); why != "" {
			a.text += " " + why
		}
		a.file, a.line = placeOf(requirement, scenarios)
		s.add(requirement.Verdict.Outcome().Within(whole), a)
	}
	for _, scenario := range reports.LoneScenarios(c.Scenarios) {
		s.add(scenario.Verdict.Outcome().Within(whole), annotation{
			check: "scenario", known: scenario.File + " " + scenario.Name + " " + string(scenario.Verdict),
			title: scenario.ID + " " + scenario.Verdict.Word(), text: reports.Sentence(scenario.Name) + " " +
				scenario.Why(), file: places[scenario.File], line: scenario.Line,
		})
	}
	if silent := reports.OfVerdict(c.Requirements, reports.NotExercised); len(silent) > 0 {
		s.add(passed, annotation{check: "not-exercised", title: figures.Plural(int64(len(silent)), "requirement") +
			" not exercised", text: reports.IdList(silent)})
	}
	if len(s.errors) == 0 && whole.Red() {
		s.add(whole, annotation{check: "verdict", known: string(c.Verdict), title: "conformance: " + c.Verdict.Word(),
			text: partialOr(c.Run, c.Reason)})
	}
}

// placeOf returns the place to mark a requirement: the first scenario that found something, or else the first that
// covers it.
func placeOf(requirement reports.Requirement, scenarios map[string]reports.Scenario) (file string, line int) {
	var ids []string
	for _, finding := range requirement.Findings {
		ids = append(ids, finding.Scenario)
	}
	for _, id := range append(ids, requirement.Scenario...) {
		if scenario := scenarios[id]; scenario.File != "" {
			return scenario.File, scenario.Line
		}
	}
	return "", 0
}

func (s *annotations) load(l *reports.Load) {
	before, whole := len(s.errors), l.Run.Outcome(l.Verdict)
	if !l.Valid && l.Verdict != reports.Error { // one that was never sent says why, below
		s.add(validity(l).Within(whole), annotation{check: "valid", title: "load: figures not valid",
			text: whyInvalid(l)})
	}
	for _, limit := range l.Limits {
		if limit.Verdict != reports.Pass && limit.Verdict != reports.Observed {
			s.add(limit.Verdict.Outcome().Within(whole), annotation{check: "limit", known: limit.Expression,
				title: "limit " + limit.Verdict.Word(), text: limit.Sentence()})
		}
	}
	for _, wrong := range l.KindsOfWrong() {
		verdict, _ := l.JudgedWrong(wrong.Operation, wrong.Kind)
		s.add(verdict.Outcome().Within(whole), annotation{
			check: "wrong-answers", known: wrong.Operation + " " + wrong.Kind,
			title: "wrong answers of " + wrong.Operation, text: wrong.Kind + ", " + figures.PluralOf(wrong.Times,
				"time", "times") + ": " + wrong.Message,
		})
	}
	if l.SetUp != nil {
		s.add(passed, annotation{check: "set-up", title: "load: set-up", text: l.SetUp.String()})
	}
	if len(s.errors) == before && whole.Red() {
		s.add(whole, annotation{check: "verdict", known: "load " + string(l.Verdict),
			title: "load: " + l.Verdict.Word(), text: partialOr(l.Run, l.Reason)})
	}
}

// annotateLog writes at most annotationLimit of each kind; where there are more, the last one says so.
func annotateLog(w *bufio.Writer, found []annotation, command func(annotation) string) error {
	total := map[bool]int{}
	for _, a := range found {
		total[a.red]++
	}
	shown := map[bool]int{}
	for _, a := range found {
		shown[a.red]++
		switch {
		case shown[a.red] > annotationLimit:
			continue
		case shown[a.red] == annotationLimit && total[a.red] > annotationLimit:
			kind := "warnings"
			if a.red {
				kind = "errors"
			}
			a = annotation{red: a.red, whose: a.whose, title: "agstest",
				text: fmt.Sprintf("%s more %s are in the report.", figures.Count(int64(total[a.red]-annotationLimit+1)),
					kind)}
		}
		if _, err := w.WriteString(command(a) + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// githubCommand is a workflow command of GitHub Actions.
func githubCommand(a annotation) string {
	kind := "warning"
	if a.red {
		kind = "error"
	}
	var properties []string
	if a.file != "" {
		properties = append(properties, "file="+githubProperty.Replace(disarm.Line(a.file)))
		if a.line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", a.line))
		}
	}
	properties = append(properties, "title="+githubProperty.Replace(disarm.Line(a.heading())))
	return "::" + kind + " " + strings.Join(properties,
		",") + "::" + githubText.Replace(disarm.Text(figures.OneLine(a.text, 2000)))
}

var (
	githubText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	azureProperty  = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", ";", "%3B", "]", "%5D")
)

// azureCommand is a logging command of Azure Pipelines.
func azureCommand(a annotation) string {
	kind := "warning"
	if a.red {
		kind = "error"
	}
	properties := "type=" + kind
	if a.file != "" {
		properties += ";sourcepath=" + azureProperty.Replace(disarm.Line(a.file))
		if a.line > 0 {
			properties += fmt.Sprintf(";linenumber=%d", a.line)
		}
	}
	text := strings.ReplaceAll(disarm.Text(figures.OneLine(a.heading()+": "+a.text, 2000)), "%", "%AZP25")
	return "##vso[task.logissue " + properties + "]" + text
}

// gitlabLimit bounds a code quality report; GitLab reads it whole.
const gitlabLimit = 1000

// gitlabPipeline is the path of findings that have none in the user's repository. GitLab wants a path for everything
// and makes a link of it, and every repository with a pipeline has this file.
const gitlabPipeline = ".gitlab-ci.yml"

// annotateGitLab writes a code quality report. Its fingerprints say whose a finding is, since GitLab keeps one of each,
// and hold no line numbers, so that a finding that moves stays the same.
func annotateGitLab(w *bufio.Writer, found []annotation) error {
	type lines struct {
		Begin int `json:"begin"`
	}
	type location struct {
		Path  string `json:"path"`
		Lines lines  `json:"lines"`
	}
	type issue struct {
		Description string   `json:"description"`
		CheckName   string   `json:"check_name"`
		Fingerprint string   `json:"fingerprint"`
		Severity    string   `json:"severity"`
		Location    location `json:"location"`
	}
	issues := []issue{}
	seen := map[string]int{}
	for _, a := range found {
		if len(issues) == gitlabLimit {
			break
		}
		severity := "minor"
		if a.red {
			severity = "major"
		}
		print := a.known
		seen[print]++
		if seen[print] > 1 {
			print = fmt.Sprintf("%s/%d", print, seen[print])
		}
		issues = append(issues, issue{Description: figures.OneLine(a.heading()+": "+a.text, 2000), CheckName: a.check,
			Fingerprint: hashOf(print), Severity: severity,
			Location: location{Path: cmp.Or(a.file, gitlabPipeline), Lines: lines{max(a.line, 1)}}})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(issues)
}

// hashOf is a short stable name of a text.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}
