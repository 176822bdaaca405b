package html

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// runTrust says whether the run is whole, and when the service was our own mock.
func runTrust(r reports.Run) []statement {
	var found []statement
	if r.Partial != "" {
		text := "The run ended early and is partial: " + r.Partial
		if parts, merged := strings.CutPrefix(r.Partial, "partial: "); merged {
			text = "The run is partial: " + parts
		}
		found = append(found, statement{reports.Invalid, text})
	} else {
		found = append(found, statement{reports.Pass, "The run is whole: it came to its end by itself."})
	}
	if r.Mock != nil {
		text := "The service is the built-in mock, not a live one"
		if len(r.Mock.Choices) > 0 {
			text += "; choices: " + strings.Join(r.Mock.Choices, ", ")
		}
		if len(r.Mock.Faults) > 0 {
			text += "; faults: " + strings.Join(r.Mock.Faults, ", ")
		}
		found = append(found, statement{reports.Observed, text + "."})
	}
	return found
}

// runAbout returns the facts that make a run repeatable.
func runAbout(r reports.Run) []reports.Fact {
	var facts []reports.Fact
	add := func(name, value string, code bool) {
		if value != "" {
			facts = append(facts, reports.Fact{Name: name, Value: value, Code: code})
		}
	}
	add("Run", r.ID, true)
	add("Command", commandLine(r.Command), true)
	add("Started", figures.Moment(r.Start), false)
	add("Ended", figures.Moment(r.End), false)
	version := strings.TrimSpace("agstest " + r.Tool.Version)
	if r.Tool.Commit != "" {
		version += " (" + r.Tool.Commit + ")"
	}
	add("Tool", strings.TrimSpace(version+" "+r.Tool.Go), false)
	machine := strings.Trim(r.Machine.OS+"/"+r.Machine.Arch, "/")
	if r.Machine.CPUs > 0 {
		machine += ", " + figures.PluralOf(int64(r.Machine.CPUs), "CPU", "CPUs")
	}
	add("Machine", machine, false)
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		add(name, r.Settings[name], false)
	}
	return facts
}

// commandLine joins the words of a command so that a shell would take them apart again.
func commandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if word == "" || strings.ContainsAny(word, " \t\n\"'\\$`<>|&;()*?[]#~!{}") {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		if strings.ContainsAny(word, "\n\r\x00") {
			quoted[i] = strconv.Quote(word)
		}
	}
	return strings.Join(quoted, " ")
}

// gateDetails is what the template "gate" shows.
type gateDetails struct{ Conformance, Load *page }

// Gate writes one page of both runs with one verdict.
func Gate(w io.Writer, g *reports.Gate, s Style) error {
	p := page{Kind: "Gate", Title: "Release gate for " + g.Run.Target(), Style: s, Verdict: g.Verdict,
		Reason: cmp.Or(g.Reason, "No reason was recorded."),
		Facts:  reports.RunFacts(g.Run), About: runAbout(
			g.Run), FirstNone: "Nothing needs attention: conformance and load are both as they should be."}
	var d gateDetails
	if g.Run.Partial != "" {
		p.Trust = append(p.Trust, statement{reports.Invalid, "The gate ended early: " + g.Run.Partial})
	}
	add := func(name, id string, part page) *page {
		for _, s := range part.Trust {
			// What holds of both parts is said once.
			if i := slices.Index(p.Trust, statement{s.Verdict, "Conformance: " + s.Text}); i >= 0 {
				p.Trust[i].Text = "Conformance and load: " + s.Text
				continue
			}
			p.Trust = append(p.Trust, statement{s.Verdict, name + ": " + s.Text})
		}
		p.First = append(p.First, part.First...)
		p.Tiles = append(p.Tiles, tile{name, part.Verdict.Word(), ""})
		p.Links = append(p.Links, sectionLink{id, name})
		p.Links = append(p.Links, part.Links[:len(part.Links)-1]...)
		return &part
	}
	if g.Conformance != nil {
		d.Conformance = add("Conformance", "c-part", conformancePage(g.Conformance))
	} else {
		p.Trust = append(p.Trust, statement{reports.Error, "Conformance was not run."})
	}
	if g.Load != nil {
		d.Load = add("Load", "l-part", loadPage(g.Load, s.Baseline))
	} else {
		p.Trust = append(p.Trust, statement{reports.Error, "Load was not run."})
	}
	p.Links = append(p.Links, sectionLink{"about", "About this run"})
	if d.Conformance != nil {
		p.Shares = d.Conformance.Shares
		p.Tiles = append(p.Tiles, d.Conformance.Tiles[2])
	}
	if d.Load != nil {
		p.Tiles = append(p.Tiles, d.Load.Tiles[0], d.Load.Tiles[1], d.Load.Tiles[len(d.Load.Tiles)-1])
	}
	slices.SortStableFunc(p.First, func(a, b first) int { return a.Verdict.Rank() - b.Verdict.Rank() })
	p.Details = d
	return p.write(w, "gate")
}
