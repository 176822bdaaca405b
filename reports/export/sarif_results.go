package export

import (
	"net/url"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// sarifBody is the size in bytes up to which a result carries a body of its exchange.
const sarifBody = 4 << 10

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations,omitempty"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Times        int64              `json:"occurrenceCount,omitempty"`
	Request      *sarifRequest      `json:"webRequest,omitempty"`
	Response     *sarifResponse     `json:"webResponse,omitempty"`
	Properties   map[string]any     `json:"properties,omitempty"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId"`
}

type sarifRegion struct {
	Line int `json:"startLine"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifRequest struct {
	Target  string            `json:"target"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    *sarifText        `json:"body,omitempty"`
}

type sarifResponse struct {
	Status  int               `json:"statusCode,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    *sarifText        `json:"body,omitempty"`
	Nothing bool              `json:"noResponseReceived,omitempty"`
}

// add adds a result with its fingerprint, which is the same in each run.
func (s *sarif) add(r sarifResult, known string) {
	r.RuleID = s.run.Tool.Driver.Rules[r.RuleIndex].ID
	r.Message.Text = figures.Clip(r.Message.Text, 8<<10)
	r.Fingerprints = map[string]string{"agstest/v1": known}
	s.run.Results = append(s.run.Results, r)
}

// sarifLevel returns the level of a verdict on a part of a run that came to the outcome whole.
func sarifLevel(v reports.Verdict, whole reports.Outcome) string {
	switch {
	case v == reports.Known:
		return "note"
	case v.Outcome().Within(whole).Red():
		return "error"
	}
	return "warning"
}

// sarifWrong are the verdicts that have results.
var sarifWrong = []reports.Verdict{reports.Fail, reports.Error, reports.Invalid, reports.Inconclusive, reports.Warn}

func (s *sarif) conformance(c *reports.Conformance) {
	s.requirements(c.Requirements)
	whole := c.Run.Outcome(c.Verdict)
	places := places(c)
	for _, k := range c.CausesOf(append([]reports.Verdict{reports.Known}, sarifWrong...)...) {
		rule := "cause"
		if len(k.Requirements) > 0 {
			rule = k.Requirements[0]
		}
		r := sarifResult{
			RuleIndex: s.rule(rule, "Scenarios that stand for no requirement hold.", "A cause of no requirement.",
				"error"), Level: sarifLevel(k.Verdict, whole), Times: int64(k.Times),
			Message: sarifText{k.ID + " " + k.Sentence()}, Properties: map[string]any{"verdict": k.Verdict,
				"requirements": k.Requirements, "scenarios": len(k.Scenarios)},
		}
		if len(k.Requirements) > 0 {
			r.Message.Text += "; breaks " + c.Breaks(k, 20)
		}
		for _, sentence := range c.ExpiredKnown(k) {
			r.Message.Text += "\n" + sentence
		}
		if k.Known != nil && k.Verdict == reports.Known {
			r.Suppressions = []sarifSuppression{{"external", "accepted", k.Known.Reason + " (" + k.Known.Owner +
				", until " + k.Known.Expires + ")"}}
		}
		r.Locations = sarifPlace("", 0, k.Operation)
		scenario, x := c.Evidence(k)
		if scenario != nil {
			r.Locations = sarifPlace(places[scenario.File], scenario.Line, k.Operation)
		}
		if x != nil {
			r.Message.Text += "\n" + x.Brief()
			r.Request, r.Response = sarifExchange(x)
		}
		s.add(r, k.ID)
	}
	for _, q := range c.WithoutCause(sarifWrong...) {
		s.add(sarifResult{RuleIndex: s.rules[q.ID], Level: sarifLevel(q.Verdict, whole),
			Message: sarifText{q.ID + " " + q.Verdict.Word() + ": " + q.Text + " " + q.Why()}}, q.ID)
	}
	for _, scenario := range reports.LoneScenarios(c.Scenarios) {
		rule := s.rule("scenario", "Scenarios that stand for no requirement hold.",
			"A scenario of your own without the tag of a requirement.", "error")
		s.add(sarifResult{
			RuleIndex: rule, Level: sarifLevel(scenario.Verdict, whole),
			Message:   sarifText{reports.Sentence(scenario.Name) + " " + scenario.Why()},
			Locations: sarifPlace(places[scenario.File], scenario.Line, ""),
		}, hashOf(scenario.File+" "+scenario.Name))
	}
	s.finish(c.Run, c.Verdict, c.Reason)
}

func (s *sarif) load(l *reports.Load) {
	whole := l.Run.Outcome(l.Verdict)
	for _, limit := range l.Limits {
		if limit.Verdict == reports.Pass || limit.Verdict == reports.Observed {
			continue
		}
		rule := s.rule("limit", "Limits are kept.", "A limit that was given for the load.", "error")
		s.add(sarifResult{RuleIndex: rule, Level: sarifLevel(limit.Verdict, whole),
			Message: sarifText{limit.Sentence()}}, "limit "+limit.Expression)
	}
	for _, wrong := range l.KindsOfWrong() {
		r := sarifResult{
			RuleIndex: s.rule("wrong-answers", "Answers under load are right.",
				"A kind of wrong answers under load. A limit says how many are too many.", "warning"), Level: "warning",
			Times: wrong.Times,
			Message: sarifText{wrong.Operation + ": " + wrong.Kind + ", " + figures.PluralOf(wrong.Times, "time",
				"times") + ": " + wrong.Message},
			Locations: sarifPlace("", 0, wrong.Operation),
		}
		if wrong.Requirement != "" {
			r.Properties = map[string]any{"requirements": []string{wrong.Requirement}}
		}
		if wrong.Exchange != nil {
			r.Request, r.Response = sarifExchange(wrong.Exchange)
		}
		s.add(r, "wrong "+wrong.Operation+" "+wrong.Kind)
	}
	if l.SetUp != nil {
		rule := s.rule("set-up", "Before the clock starts, no call has to be made again.", "The set-up of the load.",
			"warning")
		s.add(sarifResult{RuleIndex: rule, Level: "warning", Message: sarifText{warningOfSetUp(l)}}, "set-up")
	}
	s.finish(l.Run, l.Verdict, l.Reason)
}

// sarifPlace returns the place of a result: in a file of the user's repository if there is one, and at an operation.
func sarifPlace(file string, line int, operation string) []sarifLocation {
	var at sarifLocation
	if file != "" {
		at.Physical = &sarifPhysical{sarifArtifact{(&url.URL{Path: file}).String(), "%SRCROOT%"},
			sarifRegion{max(line, 1)}}
	}
	if operation != "" {
		at.Logical = []sarifLogical{{operation, "operation"}}
	}
	if at.Physical == nil && at.Logical == nil {
		return nil
	}
	return []sarifLocation{at}
}

// sarifExchange returns an exchange, which is redacted already.
func sarifExchange(x *reports.Exchange) (*sarifRequest, *sarifResponse) {
	request := &sarifRequest{Target: x.URL, Method: x.Method, Headers: sarifHeaders(x.RequestHeader),
		Body: sarifBodyOf(x.RequestBody)}
	if x.Status == 0 {
		return request, &sarifResponse{Nothing: true}
	}
	return request, &sarifResponse{Status: x.Status, Headers: sarifHeaders(x.ResponseHeader),
		Body: sarifBodyOf(x.ResponseBody)}
}

func sarifBodyOf(text string) *sarifText {
	if text == "" {
		return nil
	}
	return &sarifText{figures.Clip(text, sarifBody)}
}

func sarifHeaders(lines [][2]string) map[string]string {
	headers := map[string]string{}
	for _, line := range lines {
		if before, known := headers[line[0]]; known {
			line[1] = strings.Join([]string{before, line[1]}, ", ")
		}
		headers[line[0]] = line[1]
	}
	return headers
}
