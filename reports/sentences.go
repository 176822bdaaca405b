package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/internal/disarm"
	"agstest/internal/figures"
)

// Why says why a scenario is not plainly good: its own reason, or the first finding or step that fits its verdict.
func (s Scenario) Why() string {
	if s.Reason != "" {
		return s.Reason
	}
	for _, finding := range s.Findings {
		if finding.Verdict == s.Verdict {
			return FindingSentence(finding)
		}
	}
	for _, step := range s.Steps {
		if step.Verdict == s.Verdict && step.Message != "" {
			return step.Message
		}
	}
	return "no reason was recorded"
}

// FindingSentence is a finding in one line.
func FindingSentence(f Finding) string {
	var parts []string
	if f.Expected != "" {
		parts = append(parts, "expected "+f.Expected)
	}
	switch {
	case f.Got != "" && f.Expected == "":
		parts = append(parts, f.Got)
	case f.Got != "":
		parts = append(parts, "got "+f.Got)
	}
	sentence := cmp.Or(strings.Join(parts, ", "), f.Verdict.Word())
	if f.Requirement != "" {
		sentence = f.Requirement + ": " + sentence
	}
	if f.Times > 1 {
		sentence += fmt.Sprintf(" (%s times)", figures.Count(int64(f.Times)))
	}
	return sentence
}

func FindingsText(findings []Finding) string {
	var lines []string
	for _, finding := range findings {
		lines = append(lines, FindingSentence(finding))
	}
	return strings.Join(lines, "\n")
}

// Sentence gives the bound of a limit and its result.
func (limit Limit) Sentence() string {
	sentence := limit.Expression + ": " + cmp.Or(limit.Value, "no figure")
	if limit.Interval != "" {
		sentence += " (" + limit.Interval + ")"
	}
	if limit.Reason != "" {
		sentence += ", " + limit.Reason
	}
	return sentence
}

// LoneScenarios returns the scenarios that failed, warned or could not be judged, and that no list of requirements
// names: people's own, and those of the suite that no cause stands for.
func LoneScenarios(scenarios []Scenario) []Scenario {
	var lone []Scenario
	for _, s := range scenarios {
		caused := strings.HasPrefix(s.File, "features/") &&
			slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Cause != "" && f.Verdict == s.Verdict })
		if len(s.Requirements) == 0 && !caused && (s.Verdict == Fail || s.Verdict == Error || s.Verdict == Warn) {
			lone = append(lone, s)
		}
	}
	return lone
}

// OwnSkipped are people's own scenarios that were skipped and stand for no requirement, so that no list of requirements
// names them.
func OwnSkipped(scenarios []Scenario) []Scenario {
	var skipped []Scenario
	for _, s := range scenarios {
		if s.Verdict == Skipped && len(s.Requirements) == 0 && !strings.HasPrefix(s.File, "features/") {
			skipped = append(skipped, s)
		}
	}
	return skipped
}

// AwayInWords says how many clients of a storm were asked to wait for longer than it was waited for them, behind a
// semicolon; empty: none was.
func (s *Storm) AwayInWords() string {
	if s == nil || s.Away == 0 {
		return ""
	}
	return fmt.Sprintf("; %s asked with Retry-After to come again only after the storm was given up",
		figures.PluralOf(int64(s.Away), "client was", "clients were"))
}

func StormSentence(s *Storm) string {
	if s.Recovered < 0 {
		return fmt.Sprintf("not all of %s were signed in again; %s%s", figures.Plural(int64(s.Clients), "client"),
			figures.PluralOf(s.Retries, "retry", "retries"), s.AwayInWords())
	}
	return fmt.Sprintf("%s signed in again within %s, with %s", figures.Plural(int64(s.Clients), "client"),
		figures.Elapsed(time.Duration(s.Recovered)), figures.PluralOf(s.Retries, "retry", "retries"))
}

// why is the reason of a requirement's verdict in one line, or its first finding.
func (r Requirement) Why() string {
	if r.Reason != "" {
		return figures.OneLine(r.Reason, 400)
	}
	for _, finding := range r.Findings {
		if finding.Verdict == r.Verdict || finding.Verdict == Fail {
			finding.Requirement = ""
			return figures.OneLine(FindingSentence(finding), 400)
		}
	}
	if r.Verdict == NotExercised {
		return "No scenario of this run touched it."
	}
	return figures.OneLine(r.Needs, 400)
}

// Sentence begins with a capital and ends with a full stop. A first word that is a name of the service's keeps its
// letters.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	first, rest, _ := strings.Cut(text, " ")
	if letters := strings.Trim(first, ",:;"); letters == strings.ToLower(letters) &&
		strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz-") == "" {
		first = strings.ToUpper(first[:1]) + first[1:]
	}
	if rest != "" {
		first += " " + rest
	}
	if !strings.ContainsAny(first[len(first)-1:], ".!?") {
		first += "."
	}
	return first
}

// IdList returns the ids of requirements in one line, at most 40.
func IdList(requirements []Requirement) string {
	var ids []string
	for _, requirement := range requirements {
		ids = append(ids, disarm.Line(requirement.ID))
	}
	return figures.Some(ids, 40, " ")
}
