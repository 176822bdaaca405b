package site

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// levels are said as the other reports say them.
var levels = map[string]string{"documented": "Stated by the documentation",
	"sampled": "Shown by samples of the documentation only", "probe": "A probe: shown, never judged"}

// words tell the story of a requirement in one sentence.
func (s *story) words() string {
	if len(s.Tracks) == 0 {
		return "No stored run judged it."
	}
	var fails, known, turns []string
	mended, since := "", ""
	for _, t := range s.Tracks {
		newest := t.Spans[0]
		switch since := t.Environment.Name + " since " + at(newest.First); newest.Verdict {
		case reports.Fail:
			fails = append(fails, since)
		case reports.Known:
			known = append(known, since)
		}
		if t.Turns >= 3 {
			turns = append(turns, t.Environment.Name)
		}
		for i, span := range t.Spans[:len(t.Spans)-1] {
			before := t.Spans[i+1]
			if moment := day(span.First.Start); held(newest.Verdict) && broken(before.Verdict) &&
				span.First.host() == before.Last.host() && moment > since {
				mended, since = t.Environment.Name+" since "+at(span.First), moment
			}
		}
	}
	var said []string
	if len(fails) > 0 {
		said = append(said, "Fails in "+enumerated(fails)+".")
	}
	if len(known) > 0 {
		said = append(said, "A known departure in "+enumerated(known)+".")
	}
	if mended != "" {
		said = append(said, "Mended in "+mended+".")
	}
	if len(turns) > 0 {
		said = append(said, "Changes from run to run in "+enumerated(turns)+".")
	}
	if len(said) == 0 {
		said = append(said, fmt.Sprintf("Never failed in %s.", figures.Plural(int64(len(s.Tracks)), "environment")))
		for _, t := range s.Tracks {
			for _, span := range t.Spans {
				if broken(span.Verdict) {
					said[0] = "Failed in earlier runs."
				}
			}
		}
	}
	return strings.Join(said, " ")
}

// at says when a run was: its release, where it has one, and its day.
func at(d *digest) string {
	if d.Release != "" {
		return d.Release + " (" + day(d.Start) + ")"
	}
	return day(d.Start)
}

func (b *builder) requirements() error {
	type requirementRow struct {
		ID, Link, Text, Class, Story string
		Cells                        []reports.Verdict
	}
	type view struct {
		Frame        frame
		Environments []string
		Rows         []requirementRow
	}
	v := view{Frame: b.frame("Requirements", "requirements.html", "")}
	for _, e := range b.history.environments {
		v.Environments = append(v.Environments, e.Name)
	}
	var failing, others []requirementRow
	for _, s := range b.history.stories {
		row := requirementRow{ID: s.Rule.ID, Link: requirementPath(s.Rule.ID), Text: s.Rule.Text, Story: s.words(),
			Cells: make([]reports.Verdict, len(v.Environments))}
		for _, t := range s.Tracks {
			for i, e := range b.history.environments {
				if t.Environment == e {
					row.Cells[i] = t.Spans[0].Verdict
				}
			}
		}
		if len(s.Failing) > 0 {
			row.Class = reports.Fail.Class()
			failing = append(failing, row)
			continue
		}
		others = append(others, row)
	}
	v.Rows = append(failing, others...)
	return b.render("requirements.html", "requirements", "", v)
}

func (b *builder) requirement(s *story) error {
	type spanRow struct {
		Verdict  reports.Verdict
		From, To *runCell
		Runs     int
	}
	type trackView struct {
		ID, Environment, Words, More string
		Spans                        []spanRow
	}
	type releaseCell struct {
		Verdict reports.Verdict
		Link    string
	}
	type releaseRow struct {
		Name  string
		Cells []releaseCell
	}
	type view struct {
		Frame              frame
		Text, Level, Story string
		Environments       []string
		Releases           []releaseRow
		Tracks             []trackView
	}
	v := view{Frame: b.frame(s.Rule.ID, "requirements.html", "../"), Text: s.Rule.Text,
		Level: cmp.Or(levels[s.Rule.Level], s.Rule.Level), Story: s.words()}
	var seen []*environment
	for i, t := range s.Tracks {
		seen = append(seen, t.Environment)
		v.Environments = append(v.Environments, t.Environment.Name)
		shown := trackView{ID: fmt.Sprint("e-", i+1), Environment: t.Environment.Name,
			Words: fmt.Sprintf("Judged in %d of %s.", t.Judged, figures.Plural(int64(t.Of), "conformance run"))}
		if t.Turns >= 3 {
			shown.Words += fmt.Sprintf(
				" It turned %d times in the last ten runs: look for what differs from run to run.", t.Turns)
		}
		for _, span := range t.Spans[:min(len(t.Spans), maxSpans)] {
			row := spanRow{Verdict: span.Verdict, From: b.cell(span.First, "../"), Runs: span.Runs}
			if span.Last != span.First {
				row.To = b.cell(span.Last, "../")
			}
			shown.Spans = append(shown.Spans, row)
		}
		if n := len(t.Spans) - len(shown.Spans); n > 0 {
			shown.More = figures.Plural(int64(n), "earlier change") + " left out."
		}
		v.Tracks = append(v.Tracks, shown)
	}
	for _, r := range b.history.releases[:min(len(b.history.releases), maxReleases)] {
		row, some := releaseRow{Name: r.Name, Cells: make([]releaseCell, len(seen))}, false
		for i, e := range seen {
			if d := r.Conformance[e.Name]; d != nil {
				if verdict := b.verdictsOf(d)[s.Rule.ID]; verdict != "" &&
					!slices.Contains(strings.Fields(d.Conformance.OnTheWay), s.Rule.ID) {
					row.Cells[i], some = releaseCell{verdict, "../" + b.runPath(d)}, true
				}
			}
		}
		if some {
			v.Releases = append(v.Releases, row)
		}
	}
	return b.render(requirementPath(s.Rule.ID), "requirement", "", v)
}

func (b *builder) releases() error {
	type releaseRun struct {
		Link, Kind string
		Verdict    reports.Verdict
		Before     bool
	}
	type releaseRow struct {
		ID, Name, When string
		Cells          [][]releaseRun
	}
	type view struct {
		Frame        frame
		Environments []string
		Releases     []releaseRow
	}
	v := view{Frame: b.frame("Releases", "releases.html", "")}
	for _, e := range b.history.environments {
		v.Environments = append(v.Environments, e.Name)
	}
	for i, r := range b.history.releases {
		row := releaseRow{ID: fmt.Sprint("r-", i+1), Name: r.Name, When: day(r.First)}
		if last := day(r.Last); last != row.When {
			row.When += " to " + last
		}
		for _, e := range b.history.environments {
			var cell []releaseRun
			c, l := r.Conformance[e.Name], r.Load[e.Name]
			if c != nil {
				kind, verdict := "conformance", c.Conformance.Verdict
				if c == l {
					kind, verdict = "gate", c.Verdict
				}
				cell = append(cell, releaseRun{b.runPath(c), kind, verdict, b.history.release[c] != nil})
			}
			if l != nil && l != c {
				cell = append(cell, releaseRun{b.runPath(l), "load", l.Load.Verdict, b.history.release[l] != nil})
			}
			row.Cells = append(row.Cells, cell)
		}
		v.Releases = append(v.Releases, row)
	}
	return b.render("releases.html", "releases", "", v)
}
