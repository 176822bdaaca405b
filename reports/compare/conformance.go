package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// ConformanceComparison is the difference between two conformance runs.
type ConformanceComparison struct {
	Verdict       reports.Verdict     `json:"verdict"`
	Reason        string              `json:"reason"`
	NotComparable []string            `json:"notComparable,omitempty"`
	Changes       []RequirementChange `json:"changes"` // in the order of their weight, then of the catalogue
	Unchanged     int                 `json:"unchanged"`
	// Drift lists differences in the form of answers, even if both runs conform.
	Drift []Drift `json:"drift,omitempty"`
	// DriftKnown tells that both runs observed the form of answers, so that no drift means none.
	DriftKnown bool `json:"driftKnown"`
}

// Direction is the meaning of a change of a requirement.
type Direction string

// The directions, those that matter first.
const (
	Broke     Direction = "broke"      // kept before, fails now
	NewlySeen Direction = "newly-seen" // fails now; the earlier run could not tell
	Lost      Direction = "lost"       // judged before, not judged now
	Worse     Direction = "worse"      // a miss that does not fail the run
	// the same verdict for another reason: fails otherwise, or another observed behaviour
	Differs Direction = "differs"
	Mended  Direction = "mended" // failed before, kept now
	Gained  Direction = "gained" // judged now, not before
	Better  Direction = "better" // a miss that did not fail the run is gone
)

var directions = []Direction{Broke, NewlySeen, Lost, Worse, Differs, Mended, Gained, Better}

// RequirementChange is one requirement with the evidence of both runs.
type RequirementChange struct {
	ID        string           `json:"id"`
	Level     string           `json:"level"`
	Text      string           `json:"text"`
	Sources   []reports.Source `json:"sources,omitempty"`
	Direction Direction        `json:"direction"`
	Old       Evidence         `json:"old"`
	New       Evidence         `json:"new"`
}

// Evidence is the evidence of one run for its verdict on a requirement.
type Evidence struct {
	Verdict  reports.Verdict   `json:"verdict"` // empty: the run's catalogue does not have the requirement
	Reason   string            `json:"reason,omitempty"`
	Findings []reports.Finding `json:"findings,omitempty"` // at most three
	Exchange *reports.Exchange `json:"exchange,omitempty"` // of the first finding that has one
}

// compareConformance compares two conformance runs. A requirement that was kept and now fails makes the result
// regressed. A requirement that only one run could judge makes it inconclusive, since there is less to go by than
// before. Drift in the form of answers is shown and judges nothing: both forms may be allowed.
func compareConformance(old, new *reports.Conformance) *ConformanceComparison {
	c := &ConformanceComparison{Changes: []RequirementChange{}}
	asked := conformanceDifferences(old, new)
	c.NotComparable = append(asked, unfinished(old, new)...)
	before := map[string]*reports.Requirement{}
	for i := range old.Requirements {
		before[old.Requirements[i].ID] = &old.Requirements[i]
	}
	seen := map[string]bool{}
	for i := range new.Requirements {
		requirement := &new.Requirements[i]
		seen[requirement.ID] = true
		c.compare(old, new, before[requirement.ID], requirement)
	}
	for i := range old.Requirements {
		if requirement := &old.Requirements[i]; !seen[requirement.ID] {
			c.compare(old, new, requirement, nil)
		}
	}
	slices.SortStableFunc(c.Changes, func(a, b RequirementChange) int {
		return slices.Index(directions, a.Direction) - slices.Index(directions, b.Direction)
	})
	c.Drift = compareShape(old.Shape, new.Shape)
	c.DriftKnown = len(old.Shape) > 0 && len(new.Shape) > 0
	c.settle(len(asked) == 0)
	return c
}

func (c *ConformanceComparison) compare(old, new *reports.Conformance, was, is *reports.Requirement) {
	change := RequirementChange{Old: evidenceOf(old, was), New: evidenceOf(new, is)}
	told := is
	if told == nil {
		told = was
	}
	change.ID, change.Level, change.Text, change.Sources = told.ID, told.Level, told.Text, told.Sources
	change.Direction = direction(change.Old, change.New)
	if was != nil && is != nil {
		change.Direction = directionOf(old, new, was, is, change)
	}
	if change.Direction == "" {
		c.Unchanged++
		return
	}
	c.Changes = append(c.Changes, change)
}

// directionOf is the direction of a requirement that both runs have. What the service does counts, not what the list of
// known departures makes of it: what comes on the list or off it does not change the service.
func directionOf(old, new *reports.Conformance, was, is *reports.Requirement, change RequirementChange) Direction {
	change.Old.Verdict, change.New.Verdict = was.Itself(), is.Itself()
	found := direction(change.Old, change.New)
	switch {
	case found == "" && was.Verdict != is.Verdict && was.Itself() == is.Itself():
		return Differs
	case found == Broke && is.Verdict == reports.Known:
		return Worse
	case found == NewlySeen && is.Verdict == reports.Known:
		return Gained
	case found == Mended && !new.Mended(old, was, is):
		return Lost
	}
	return found
}

// direction is empty where nothing changed.
func direction(old, new Evidence) Direction {
	was, is := standing(old.Verdict), standing(new.Verdict)
	switch {
	case old.Verdict == new.Verdict:
		if old.Verdict != reports.Pass && was != unjudged && !slices.Equal(gists(old), gists(new)) {
			return Differs
		}
		return ""
	case was == unjudged && is == unjudged:
		return ""
	case old.Verdict == reports.Observed && new.Verdict == "", old.Verdict == "" && new.Verdict == reports.Observed:
		return "" // what only the load of a gate shows, and one of the two runs had none; it gates nothing
	case is == broken && was == unjudged:
		return NewlySeen
	case is == broken:
		return Broke
	case is == unjudged:
		return Lost
	case was == unjudged:
		return Gained
	}
	return shade(was, is, new.Verdict)
}

// shade is the direction of what both runs judged, and which does not fail in the second.
func shade(was, is standingOf, verdict reports.Verdict) Direction {
	switch {
	case was == broken && (is == good || verdict == reports.Partly):
		return Mended
	case is == weak && was == good:
		return Worse
	case is == good && was == weak, was == broken:
		return Better
	}
	return Differs
}

// standing is how much a verdict says about the service.
type standingOf int

const (
	unjudged standingOf = iota
	good
	weak
	broken
)

func standing(v reports.Verdict) standingOf {
	switch v {
	case reports.Pass, reports.Observed:
		return good
	case reports.Partly, reports.Warn:
		return weak
	case reports.Fail, reports.Known:
		return broken
	}
	return unjudged
}

// gists returns the evidence for a requirement, without where and how often it was found.
func gists(e Evidence) []string {
	var found []string
	for _, finding := range e.Findings {
		found = append(found, finding.Expected+"\x00"+finding.Got)
	}
	slices.Sort(found)
	if len(found) == 0 {
		found = []string{e.Reason}
	}
	return slices.Compact(found)
}

const findingsShown = 3

func evidenceOf(run *reports.Conformance, requirement *reports.Requirement) Evidence {
	if requirement == nil {
		return Evidence{Reason: "This run does not have the requirement."}
	}
	e := Evidence{Verdict: requirement.Verdict, Reason: requirement.Reason}
	for _, finding := range requirement.Findings {
		if finding.Verdict == reports.Pass {
			continue
		}
		if len(e.Findings) < findingsShown {
			e.Findings = append(e.Findings, finding)
		}
		if e.Exchange != nil || finding.Exchange < 0 {
			continue
		}
		for i := range run.Scenarios {
			if scenario := &run.Scenarios[i]; scenario.ID == finding.Scenario &&
				finding.Exchange < len(scenario.Transcript) {
				e.Exchange = &scenario.Transcript[finding.Exchange]
			}
		}
	}
	return e
}

// conformanceDifferences lists how the questions of two runs differ. The record of a run that ended before it asked
// anything, as of a service that was not reached, does not tell what it would have asked.
func conformanceDifferences(old, new *reports.Conformance) []string {
	var reasons []string
	differ := func(what, a, b string) {
		if a != b {
			reasons = append(reasons, fmt.Sprintf("The two runs differ in %s: %s in the first, %s in the second.", what,
				cmp.Or(a, "none"), cmp.Or(b, "none")))
		}
	}
	if !neverAsked(old) && !neverAsked(new) {
		differ("profile", old.Profile.Name, new.Profile.Name)
		for _, setting := range [][2]string{{"tags", "selection of tags"}, {"only", "choice of requirements (--only)"},
			{"features", "set of features"}, {"strictness", "strictness"}} {
			differ(setting[1], old.Run.Settings[setting[0]], new.Run.Settings[setting[0]])
		}
	}
	differ("major version of agstest", reports.MajorOf(old.Run.Tool.Version), reports.MajorOf(new.Run.Tool.Version))
	return reasons
}

func neverAsked(c *reports.Conformance) bool {
	return c.Run.Partial != "" && c.Profile.Name == "" && len(c.Scenarios) == 0
}

// unfinished lists which of two runs did not come to its end, or judged nothing.
func unfinished(old, new *reports.Conformance) []string {
	var reasons []string
	for _, side := range []struct {
		name string
		run  *reports.Conformance
	}{{"first", old}, {"second", new}} {
		if side.run.Run.Partial != "" {
			reasons = append(reasons, fmt.Sprintf("The %s run ended early: %s.", side.name,
				strings.TrimSuffix(side.run.Run.Partial, ".")))
		}
		judged := slices.ContainsFunc(side.run.Requirements,
			func(r reports.Requirement) bool { return standing(r.Verdict) != unjudged })
		if !judged {
			reasons = append(reasons, fmt.Sprintf("The %s run judged no requirement.", side.name))
		}
	}
	return reasons
}

// Count is how many requirements changed in a direction.
func (c *ConformanceComparison) Count(direction Direction) int {
	n := 0
	for _, change := range c.Changes {
		if change.Direction == direction {
			n++
		}
	}
	return n
}

// settle gives the verdict; sameAsked tells that both runs asked the same questions, whether or not they came to an
// end.
func (c *ConformanceComparison) settle(sameAsked bool) {
	broke, seen, lost, mended := c.Count(Broke), c.Count(NewlySeen), c.Count(Lost), c.Count(Mended)
	ids := func(direction Direction) string {
		var found []string
		for _, change := range c.Changes {
			if change.Direction == direction {
				found = append(found, change.ID)
			}
		}
		return figures.Some(found, 8, ", ")
	}
	switch {
	case len(c.NotComparable) > 0:
		c.Verdict = reports.NotComparable
		c.Reason = "The conformance runs asked different questions, so their verdicts are shown and not judged."
		if sameAsked {
			c.Reason = strings.TrimSuffix(c.NotComparable[0], ".") +
				", so the verdicts of both are shown and not judged."
		}
		return
	case broke > 0:
		c.Verdict = reports.Regressed
		c.Reason = fmt.Sprintf("%s that the first run saw kept %s in the second: %s.",
			figures.Plural(int64(broke), "requirement"), figures.Verb(broke, "fails", "fail"), ids(Broke))
		return
	case seen > 0:
		c.Verdict = reports.Inconclusive
		c.Reason = fmt.Sprintf("%s %s in the second run that the first could not judge: %s.",
			figures.Plural(int64(seen), "requirement"), figures.Verb(seen, "fails", "fail"), ids(NewlySeen))
		return
	case lost > 0:
		c.Verdict = reports.Inconclusive
		c.Reason = fmt.Sprintf("%s that the first run judged %s not judged in the second: %s.",
			figures.Plural(int64(lost), "requirement"), figures.Verb(lost, "was", "were"), ids(Lost))
		return
	case mended > 0:
		c.Verdict = reports.Improved
		c.Reason = fmt.Sprintf("%s that failed in the first run %s kept in the second: %s.",
			figures.Plural(int64(mended), "requirement"), figures.Verb(mended, "is", "are"), ids(Mended))
	default:
		c.Verdict = reports.Pass
		c.Reason = "No requirement that the first run saw kept fails in the second."
	}
	c.Reason += c.failsStill()
}

// failsStill says of what fails in the second run without having broken why it does.
func (c *ConformanceComparison) failsStill() (text string) {
	for _, of := range []struct{ was, why string }{
		{"broken", "still %s, for another reason"},
		{"known", "still %s, and no entry of the known departures excuses it any more"},
		{"kept", "%s only by an entry of the known departures that is out of date"},
	} {
		n := 0
		for _, change := range c.Changes {
			was := map[reports.Verdict]string{reports.Fail: "broken", reports.Known: "known"}[change.Old.Verdict]
			if change.Direction == Differs && change.New.Verdict == reports.Fail && cmp.Or(was, "kept") == of.was {
				n++
			}
		}
		if n > 0 {
			text += fmt.Sprintf(" %s "+of.why+".", figures.Plural(int64(n), "requirement"), figures.Verb(n, "fails", "fail"))
		}
	}
	return text
}

func (c *ConformanceComparison) advice() []string {
	var advice []string
	if c.Count(Broke) > 0 {
		advice = append(advice, "Look at the requirements that broke first: each shows the exchange of both runs.")
	}
	if len(c.NotComparable) == 0 && c.Count(Lost)+c.Count(NewlySeen) > 0 {
		advice = append(advice,
			"Give both environment files the same situations, so that both runs can judge the same requirements.")
	}
	if len(c.Drift) > 0 {
		advice = append(advice,
			fmt.Sprintf("The form of answers differs in %s. Clients that rely on the older form may break although both "+
				"forms conform.",
				figures.Plural(int64(len(c.Drift)), "place")))
	}
	return advice
}
