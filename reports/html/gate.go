package html

import (
	"cmp"
	"io"
	"slices"

	"agstest/reports"
)

// gateDetails is what the template "gate" shows.
type gateDetails struct{ Conformance, Load *page }

// Gate writes one page of both runs with one verdict.
func Gate(w io.Writer, g *reports.Gate, s Style) error {
	p := page{Kind: "Gate", Title: "Release gate for " + g.Run.Target(), Style: s, Verdict: g.Verdict, Reason: cmp.Or(g.Reason, "No reason was recorded."),
		Facts: reports.RunFacts(g.Run), About: runAbout(g.Run), FirstNone: "Nothing needs attention: conformance and load are both as they should be."}
	var d gateDetails
	if g.Run.Partial != "" {
		p.Trust = append(p.Trust, statement{reports.Invalid, "The gate ended early: " + g.Run.Partial})
	}
	add := func(name, id string, part page) *page {
		for _, s := range part.Trust {
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
