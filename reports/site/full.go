package site

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"agstest/internal/disarm"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/html"
	"agstest/reports/matrix"
)

const (
	maxFull  = 24 << 20 // bytes of a stored part that a full report is made of
	maxPlans = 6        // matrices of plans
)

// fullReports makes the full reports of the newest runs of each environment and kind, and of pinned ones.
func (b *builder) fullReports() error {
	h := b.history
	seen := map[[2]string]int{}
	var wanted []*digest
	for _, d := range slices.Backward(h.runs) {
		kind := [2]string{d.Environment, d.Kind}
		if seen[kind]++; seen[kind] <= b.options.Reports || len(h.pins[d.Folder]) > 0 {
			wanted = append(wanted, d)
		}
	}
	for _, d := range wanted {
		if err := b.fullReport(d); err != nil {
			return err
		}
	}
	return nil
}

// fullReport makes the pages of one run. A run that is too large for it, or has changed meanwhile, has none.
func (b *builder) fullReport(d *digest) error {
	folder := "reports/" + b.history.slugs[d]
	key := shortSum(b.making + "\x00" + d.Folder + "\x00" + d.Stamp)
	var names []page
	switch {
	case d.Conformance != nil && d.Load != nil:
		names = []page{{"Conformance", "conformance.html"}, {"Load", "load.html"}}
	case d.Conformance != nil:
		names = []page{{"Conformance", "conformance.html"}}
	case d.Load != nil:
		names = []page{{"Load", "load.html"}}
	default:
		names = []page{{"Comparison", "compare.html"}}
	}
	current := true
	for _, name := range append(names, page{"", "report.css"}) {
		current = current && b.target.current(folder+"/"+name.Path, key)
	}
	var c *reports.Conformance
	var l *reports.Load
	var compared *compare.Comparison
	if !current {
		var err error
		if c, err = fullPart(b, d.Folder+"/"+reports.ConformanceFile, d.Conformance != nil,
			reports.ReadConformance); err != nil {
			return nil
		}
		if l, err = fullPart(b, d.Folder+"/"+reports.LoadFile, d.Load != nil, reports.ReadLoad); err != nil {
			return nil
		}
		if compared, err = fullPart(b, d.Folder+"/"+reports.ComparisonFile, d.Conformance == nil && d.Load == nil,
			compare.ReadComparison); err != nil {
			return nil
		}
	}
	for _, name := range names {
		at := folder + "/" + name.Path
		b.history.pages[d] = append(b.history.pages[d], page{name.Name, "../" + at})
		if current {
			b.target.keep(at)
			continue
		}
		var text bytes.Buffer
		var err error
		switch name.Path {
		case "conformance.html":
			err = html.Conformance(&text, c, reportStyle)
		case "load.html":
			err = html.Load(&text, l, reportStyle)
		default:
			err = html.Comparison(&text, compared, reportStyle)
		}
		if err == nil {
			err = b.target.put(at, key, text.Bytes())
		}
		if err != nil {
			return fmt.Errorf("the full report of %s: %w", d.Folder, err)
		}
	}
	if current {
		b.target.keep(folder + "/report.css")
		return nil
	}
	return b.target.put(folder+"/report.css", key, html.StyleSheet())
}

// fullPart reads a whole part of a run; nil where it is not wanted.
func fullPart[T any](b *builder, name string, wanted bool, read func(io.Reader) (*T, error)) (*T, error) {
	if !wanted {
		return nil, nil
	}
	file, err := openPlain(b.root, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Size() > maxFull {
		return nil, fmt.Errorf("%s is too large", name)
	}
	return read(io.LimitReader(file, maxFull))
}

// planPages shows the results of the newest plans, all environments side by side, with links to the runs in this site.
func (b *builder) planPages(places []place) error {
	slices.SortFunc(places, func(x, y place) int { return strings.Compare(y.folder, x.folder) })
	byFolder := map[string]*digest{}
	all := ""
	for _, d := range b.history.runs {
		byFolder[d.Folder] = d
		for _, p := range b.history.pages[d] {
			all += p.Path
		}
	}
	for _, place := range places[:min(len(places), maxPlans)] {
		at, key := "plans/"+fileName(place.folder)+".html", shortSum(b.making+"\x00"+place.folder+"\x00"+place.stamp+
			"\x00"+all)
		file, err := openPlain(b.root, place.folder+"/"+matrix.File)
		if err != nil {
			continue
		}
		m, err := matrix.Read(io.LimitReader(file, maxFull))
		file.Close()
		if err != nil {
			b.history.damaged = append(b.history.damaged, disarm.Line(place.folder+"/"+matrix.File+": "+err.Error()))
			continue
		}
		b.plans = append(b.plans, page{strings.TrimSpace(minute(m.Start)+" "+m.Name+" "+m.Release) + ": " +
			m.Verdict.Word(), at})
		if b.target.current(at, key) {
			b.target.keep(at)
			continue
		}
		m.Relink(func(link string) string { return b.linkOfPlan(place.folder, link, byFolder) })
		m.Home = "../index.html"
		var text bytes.Buffer
		if err := matrix.HTML(&text, m, reportStyle); err != nil {
			return err
		}
		if err := b.target.put(at, key, text.Bytes()); err != nil {
			return err
		}
	}
	if len(b.plans) > 0 {
		return b.target.put("plans/report.css", "", matrix.StyleSheet())
	}
	return nil
}

// linkOfPlan maps a link of a plan's matrix into the site: to the page of the full report, or to that of the run. Links
// to anything else are dropped.
func (b *builder) linkOfPlan(plan, link string, byFolder map[string]*digest) string {
	link, fragment, _ := strings.Cut(link, "#")
	d := byFolder[path.Join(plan, path.Dir(link))]
	if d == nil {
		return ""
	}
	if fragment != "" {
		fragment = "#" + fragment
	}
	for _, p := range b.history.pages[d] {
		if path.Base(p.Path) == path.Base(link) {
			return p.Path + fragment
		}
	}
	return "../" + b.runPath(d)
}
