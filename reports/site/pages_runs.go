package site

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
)

// monthPages lists runs month by month; runs.html shows the newest month.
func (b *builder) monthPages() error {
	type monthLink struct {
		Name, Path string
		Here       bool
	}
	type view struct {
		Frame   frame
		Months  []monthLink
		Heading string
		Runs    runTable
	}
	byMonth := map[string][]*digest{}
	var names []string
	for _, d := range b.history.runs {
		name := d.Start.Format("2006-01")
		if byMonth[name] == nil {
			names = append(names, name)
		}
		byMonth[name] = append(byMonth[name], d)
	}
	if len(names) == 0 {
		return b.render("runs.html", "runs", "", view{Frame: b.frame("Runs", "runs.html", ""),
			Heading: "There is no run yet", Runs: runTable{Caption: "No runs"}})
	}
	slices.Sort(names)
	slices.Reverse(names)
	for i, name := range names {
		v := view{Frame: b.frame("Runs", "runs.html", ""), Heading: name,
			Runs: runTable{Caption: "The runs of " + name + ", the newest first",
				Runs: b.rows(byMonth[name], "", true)}}
		if first, err := time.Parse("2006-01", name); err == nil {
			v.Heading = first.Format("January 2006")
		}
		// Each page leads to its neighbours and to those of a year, so that a new month changes few of them.
		for k := max(0, i-1); k < min(len(names), i+12); k++ {
			v.Months = append(v.Months, monthLink{names[k], b.monthPath(names[k]), k == i})
		}
		if err := b.render(b.monthPath(name), "runs", "", v); err != nil {
			return err
		}
		if i == 0 {
			if err := b.render("runs.html", "runs", "", v); err != nil {
				return err
			}
		}
	}
	return nil
}

type fact struct{ Name, Value string }

// compared is a run beside an earlier one.
type compared struct {
	Run              *runCell
	Name, Release    string
	Old, New         string
	Both             bool // have a conformance part
	Requirements     []different
	MoreRequirements string
	Figures          []figureRow
}

type different struct {
	ID, Link string
	Now, Was reports.Verdict
}

type figureRow struct {
	Operation string
	Cells     []figureCell
}

type figureCell struct{ Now, Was, Change string }

func (b *builder) compare(now, was *digest, name string) *compared {
	if was == nil {
		return nil
	}
	c := &compared{Run: b.cell(was, "../"), Name: name, Release: was.Release, Old: was.Folder, New: now.Folder}
	if now.Conformance != nil && was.Conformance != nil {
		c.Both = true
		is, old := b.verdictsOf(now), b.verdictsOf(was)
		for _, rule := range b.history.rules {
			if is[rule.ID] != old[rule.ID] {
				c.Requirements = append(c.Requirements, different{rule.ID, "../" + requirementPath(rule.ID),
					is[rule.ID], old[rule.ID]})
			}
		}
		slices.SortStableFunc(c.Requirements, func(x, y different) int { return rank(x.Now) - rank(y.Now) })
		if n := len(c.Requirements) - maxDifferent; n > 0 {
			c.Requirements, c.MoreRequirements = c.Requirements[:maxDifferent], figures.Plural(int64(n),
				"other requirement")+" differ too."
		}
	}
	if now.Load != nil && was.Load != nil {
		for _, operation := range operations(now.Load) {
			is := now.Load.Operations[operation]
			old, found := was.Load.Operations[operation]
			if !found {
				continue
			}
			row := figureRow{Operation: operation}
			for _, of := range [][2]int64{{is.P50, old.P50}, {is.P95, old.P95}, {is.P99, old.P99}} {
				cell := figureCell{Now: milliseconds(of[0]), Was: milliseconds(of[1])}
				if of[0] > 0 && of[1] > 0 {
					cell.Change = figures.Change(float64(of[0])/float64(of[1]) - 1)
				}
				row.Cells = append(row.Cells, cell)
			}
			row.Cells = append(row.Cells, figureCell{Now: figures.Percent(is.Wrong, is.Right+is.Wrong),
				Was: figures.Percent(old.Wrong, old.Right+old.Wrong)})
			c.Figures = append(c.Figures, row)
		}
	}
	return c
}

// run writes the page of one run, unless it is there and was made of the same.
func (b *builder) run(d *digest) error {
	type missRow struct {
		ID, Link, Why string
		Verdict       reports.Verdict
	}
	type loadRow struct {
		Operation            string
		Right                int64
		Share, P50, P95, P99 string
	}
	type view struct {
		Frame                 frame
		Verdict               reports.Verdict
		Reason, Folder, Asked string
		Tiles                 []fact
		Pages                 []page
		Causes                []causeDigest
		Misses                []missRow
		Figures               []loadRow
		Limits                []limitDigest
		NotValid              bool
		Before, ReleaseBefore *compared
	}
	h := b.history
	path := b.runPath(d)
	key := b.keyOf(d)
	if b.target.current(path, key) {
		b.target.keep(path)
		return nil
	}
	v := view{Frame: b.frame(upper(d.Kind)+" of "+d.Environment, "runs.html", "../"), Verdict: d.Verdict,
		Reason: cmp.Or(d.Reason, "No reason was recorded."), Folder: d.Folder, Pages: h.pages[d]}
	v.Frame.Facts = slices.DeleteFunc([]reports.Fact{
		{Name: "Started", Value: figures.Moment(d.Start)}, {Name: "Took", Value: took(d)},
		{Name: "Release", Value: d.Release}, {Name: "Service under test", Value: d.URL, Code: true},
		{Name: "Authentication service", Value: d.Service}, {Name: "Pinned as", Value: strings.Join(h.pins[d.Folder], ", ")},
		{Name: "Id", Value: d.ID, Code: true}, {Name: "Partial", Value: d.Partial}, {Name: "agstest", Value: d.Tool},
	}, func(f reports.Fact) bool { return f.Value == "" })
	if c := d.Conformance; c != nil {
		n := c.counts()
		v.Tiles = append(v.Tiles, fact{"Held", fmt.Sprint(n.Held)}, fact{"Failed", fmt.Sprint(n.Failed)},
			fact{"Warned, known", fmt.Sprint(n.Warned)}, fact{"Not judged", fmt.Sprint(n.NotJudged)})
		v.Causes = c.Causes
		for _, miss := range c.Misses {
			v.Misses = append(v.Misses, missRow{miss.ID, "../" + requirementPath(miss.ID), miss.Why, miss.Verdict})
		}
	}
	if l := d.Load; l != nil {
		v.Asked, v.NotValid, v.Limits = l.Asked, l.NotValid, l.Limits
		if l.Closed {
			v.Asked += ". Closed loop: these are service times"
		}
		for _, name := range operations(l) {
			of := l.Operations[name]
			v.Figures = append(v.Figures, loadRow{name, of.Right, figures.Percent(of.Wrong, of.Right+of.Wrong),
				milliseconds(of.P50), milliseconds(of.P95), milliseconds(of.P99)})
		}
	}
	v.Before = b.compare(d, h.before[d], "beside the run before")
	v.ReleaseBefore = b.compare(d, h.release[d], "beside the release before")
	return b.render(path, "run", key, v)
}

// keyOf stands for everything that the page of a run is made from.
func (b *builder) keyOf(d *digest) string {
	h := b.history
	parts := []string{b.making, b.options.Name, d.Folder, d.Stamp, strings.Join(h.pins[d.Folder], ","), b.rulesKey}
	for _, other := range []*digest{h.before[d], h.release[d]} {
		if other != nil {
			parts = append(parts, other.Folder, other.Stamp)
		}
		parts = append(parts, "|")
	}
	for _, p := range h.pages[d] {
		parts = append(parts, p.Path)
	}
	return shortSum(strings.Join(parts, "\x00"))
}

func took(d *digest) string {
	if d.End.Before(d.Start) || d.End.IsZero() {
		return ""
	}
	return figures.Elapsed(d.End.Sub(d.Start))
}

func upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// searchPage lists everything; a script hides the rows that do not match.
func (b *builder) searchPage() error {
	type item struct{ Path, Name, Words string }
	type group struct {
		Name, More string
		Items      []item
	}
	type view struct {
		Frame  frame
		Groups []group
	}
	h := b.history
	v := view{Frame: b.frame("Search", "search.html", "")}
	v.Frame.Policy, v.Frame.Script = policy(searchScript), template.JS(searchScript) // ours, embedded
	var environments, releases, requirements, runs []item
	for _, e := range h.environments {
		word := "no verdict"
		if e.Verdict != "" {
			word = e.Verdict.Word()
		}
		environments = append(environments, item{"environments/" + e.Slug + ".html", e.Name, word})
	}
	for i, r := range h.releases {
		releases = append(releases, item{fmt.Sprint("releases.html#r-", i+1), r.Name, "since " + day(r.First)})
	}
	for _, s := range h.stories {
		words := s.Rule.Text
		if len(s.Failing) > 0 {
			words += " – fails in " + enumerated(s.Failing)
		}
		requirements = append(requirements, item{requirementPath(s.Rule.ID), s.Rule.ID, words})
	}
	for _, d := range slices.Backward(h.runs) {
		if len(runs) == maxInSearch {
			break
		}
		words := []string{d.Environment, d.Kind, d.Verdict.Word(), d.Release, d.ID, strings.Join(h.pins[d.Folder], " ")}
		if d.Conformance != nil {
			words = append(words,
				strings.Join(strings.Fields(d.Conformance.Requirements[reports.Fail])[:min(8,
					len(strings.Fields(d.Conformance.Requirements[reports.Fail])))], " "))
		}
		runs = append(runs, item{b.runPath(d), minute(d.Start),
			strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")})
	}
	for _, g := range []group{{"Environments", "", environments}, {"Releases", "", releases}, {"Runs", "", runs},
		{"Requirements", "", requirements}} {
		if g.Name == "Runs" && len(runs) < len(h.runs) {
			g.More = fmt.Sprintf("%s older runs stand on the pages of their months.",
				figures.Count(int64(len(h.runs)-len(runs))))
		}
		if len(g.Items) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	return b.render("search.html", "search-page", "", v)
}
