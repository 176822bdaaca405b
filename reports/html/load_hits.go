package html

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// Maxima of the single hits shown, so that a page with many operations or kinds stays light. load.json has all.
const (
	shownWrong    = 30  // kinds of wrong answers
	shownSlow     = 100 // slow hits of all operations together
	shownExamples = 120 // wrong answers of all kinds together
	shownFully    = 12  // exchanges of all kinds together
	fewestRows    = 5   // of an operation or a kind all the same
	drawnKinds    = 6   // kinds with a chart
)

// wrongShown is one kind of wrong answers, from all of them down to single ones.
type wrongShown struct {
	ID, Operation, Kind string
	Times               int64
	Message, When       string
	Verdict             reports.Verdict // empty: it is not known
	Judged              string
	Chart               *drawing
	Statuses, Clients   *table
	Examples            *table
	Exchanges           []exchangeShown
}

// exchangeShown is the exchange of one wrong answer.
type exchangeShown struct {
	Words string
	reports.Exchange
	Correlation string
}

func wrongID(operation, kind string) string { return anchor("l-wrong", operation+" "+kind) }

// wrongsOf takes the wrong answers of a run apart by kind.
func wrongsOf(l *reports.Load) (shown []wrongShown, more string) {
	kinds := l.KindsOfWrong()
	if len(kinds) > shownWrong {
		more = figures.Plural(int64(len(kinds)-shownWrong), "more kind") + " in load.json."
		kinds = kinds[:shownWrong]
	}
	exchanges := shownFully
	for i, kind := range kinds {
		w := wrongShown{ID: wrongID(kind.Operation, kind.Kind), Operation: kind.Operation, Kind: kind.Kind,
			Times: kind.Times, Message: kind.Message}
		if _, sent := l.Operations[kind.Operation]; !sent { // of the set-up, which WrongKinds does not count
			w.Verdict, _ = l.JudgedWrong(kind.Operation, kind.Kind)
		}
		for j := range l.WrongKinds {
			if total := &l.WrongKinds[j]; total.Operation == kind.Operation && total.Kind == kind.Kind {
				w.total(l, total, i < drawnKinds)
			}
		}
		w.examples(l, max(fewestRows, shownExamples/len(kinds)), &exchanges)
		shown = append(shown, w)
	}
	return shown, more
}

// total shows when, with which statuses and to whom they came.
func (w *wrongShown) total(l *reports.Load, total *reports.WrongKind, draw bool) {
	w.Verdict, w.Judged = total.Verdict, total.Judged()
	if n := len(total.Seconds); n > 0 {
		first, last := total.Seconds[0][0], total.Seconds[n-1][0]
		w.When = fmt.Sprintf("The first came in second %d, the last in second %d, in %s of the run.", first, last,
			figures.Plural(int64(n), "second"))
	}
	if draw {
		w.Chart = kindChart(l, total, w.ID)
	}
	statuses := table{Caption: "By status", Columns: []column{{Head: "Status"}, {Head: "Times", Number: true},
		{Head: "Share", Number: true}}}
	for _, status := range slices.Sorted(maps.Keys(total.Statuses)) {
		n := total.Statuses[status]
		statuses.Rows = append(statuses.Rows,
			row{Cells: []cell{{Text: status, Head: true}, {Text: figures.Count(n), Number: true},
				{Text: figures.Percent(n, total.Times), Number: true}}})
	}
	if len(statuses.Rows) > 0 {
		w.Statuses = &statuses
	}
	w.Clients = clientsTable(total)
}

func clientsTable(total *reports.WrongKind) *table {
	if total.Clients < 0 {
		return nil
	}
	t := table{Caption: "By client: " + figures.PluralOf(int64(total.Clients), "client", "clients"),
		Columns: []column{{Head: "Client"}, {Head: "Times", Number: true}, {Head: "Share", Number: true}}}
	for _, c := range total.Most {
		t.Rows = append(t.Rows,
			row{Cells: []cell{{Text: c.Client, Head: true}, {Text: figures.Count(c.Times), Number: true},
				{Text: figures.Percent(c.Times, total.Times), Number: true}}})
	}
	switch {
	case len(t.Rows) == 0:
		return nil
	case total.ClientsMore:
		t.More = fmt.Sprintf("The wrong answers of these %s were counted; there were more clients.",
			figures.Plural(int64(total.Clients), "client"))
	case total.Clients > len(total.Most):
		t.More = "Those that got the most; " + figures.Plural(int64(total.Clients-len(total.Most)),
			"further client") + " got no more than the last of them."
	}
	return &t
}

// kindChart draws when the wrong answers of a kind came.
func kindChart(l *reports.Load, total *reports.WrongKind, id string) *drawing {
	end := int64(math.Ceil(l.Plan.Seconds)) - 1
	for _, s := range l.Seconds {
		end = max(end, int64(s.At))
	}
	if n := len(total.Seconds); n == 0 || end < 1 || end >= longestTimeline || total.Seconds[0][0] < 0 ||
		total.Seconds[n-1][0] > end {
		return nil
	}
	t := timeline{seconds: make([]reports.Second, end+1)}
	for _, s := range l.Seconds {
		if s.Operation == total.Operation && s.At >= 0 {
			t.seconds[s.At].Asked, t.seconds[s.At].Sent = s.Asked, s.Sent
		}
	}
	for _, s := range total.Seconds {
		if s[0] >= 0 && s[0] <= end {
			t.seconds[s[0]].Wrong += s[1]
		}
	}
	d := chart{ID: id + "-chart", Title: "When: " + total.Operation + " " + total.Kind,
		X: axis{Label: "since the start", Time: true}, Y: axis{Label: "per second", Format: axisRate},
		Height: 150, Description: figures.PluralOf(total.Times, "wrong answer",
			"wrong answers") + " in " + figures.Plural(int64(len(total.Seconds)), "second") + "." +
			t.rateWords(smallPoints),
		Readout: func(float64) string { return "" },
		Lines: []line{t.rate(line{Name: total.Kind, Look: "wrong", Area: true}, smallPoints,
			func(s reports.Second) int64 { return s.Wrong })}}.draw()
	return &d
}

// examples lists the kept answers of a kind, and shows the exchanges of the first, of one between and of the last.
func (w *wrongShown) examples(l *reports.Load, most int, exchanges *int) {
	kept := l.ExamplesOf(w.Operation, w.Kind)
	var hits []reports.Hit
	var places []string
	for _, one := range kept {
		if one.Hit != nil {
			hits, places = append(hits, *one.Hit), append(places, one.Place)
		}
	}
	if len(hits) > 0 {
		hits, places, more := thinned(hits, places, most)
		t := hitsTable(fmt.Sprintf("Examples: %d of %s, the first, the last and some between", len(hits),
			figures.Count(w.Times)), hits, places)
		t.ID, t.Search, t.More = w.ID+"-hits", len(hits) > 20, more
		if int64(len(kept)) == w.Times {
			t.Caption = "All " + figures.Count(w.Times)
		}
		w.Examples = &t
	}
	for _, one := range l.SomeExamplesOf(w.Operation, w.Kind) {
		if one.Exchange == nil || *exchanges == 0 {
			continue
		}
		*exchanges--
		shown := exchangeShown{Exchange: *one.Exchange}
		if h := one.Hit; h != nil {
			shown.Words, shown.Correlation = h.Sentence(), h.CorrelationID
		}
		w.Exchanges = append(w.Exchanges, shown)
	}
}

// thinned leaves rows out evenly.
func thinned(hits []reports.Hit, places []string, most int) ([]reports.Hit, []string, string) {
	if len(hits) <= most {
		return hits, places, ""
	}
	var some []reports.Hit
	var of []string
	for i := range most {
		at := i * (len(hits) - 1) / max(1, most-1)
		some, of = append(some, hits[at]), append(of, places[at])
	}
	return some, of, fmt.Sprintf("%d more in load.json.", len(hits)-most)
}

// slowestTables list the slowest hits of each operation.
func slowestTables(l *reports.Load) []table {
	names := l.OperationNames()
	most := shownSlow / max(1, len(names))
	var tables []table
	for _, name := range names {
		var hits []reports.Hit
		for _, h := range l.Slowest {
			if h.Operation == name {
				hits = append(hits, h)
			}
		}
		if len(hits) == 0 {
			continue
		}
		shown := min(len(hits), max(fewestRows, most), reports.KeptSlow)
		t := hitsTable("Slowest hits of "+name, hits[:shown], nil)
		t.ID, t.Search = anchor("l-slow", name), shown > 20
		if left := len(hits) - shown; left > 0 {
			t.More = fmt.Sprintf("%d more in load.json.", left)
		}
		tables = append(tables, t)
	}
	return tables
}

// hitsTable lists hits. Columns that no hit has anything for are left out.
func hitsTable(caption string, hits []reports.Hit, places []string) table {
	t := table{Caption: caption}
	type field struct {
		column
		of func(i int, h *reports.Hit) cell
	}
	fields := []field{
		{column{Head: "Which"}, func(i int, _ *reports.Hit) cell {
			if places == nil {
				return cell{}
			}
			return cell{Text: places[i], Head: true}
		}},
		{column{Head: "Took ms", Number: true}, func(_ int, h *reports.Hit) cell {
			c := cell{Text: figures.Number(h.Took()), Number: true, Head: places == nil}
			if h.Response > 0 {
				c.Note = "service " + figures.Number(h.Service)
			}
			return c
		}},
		{column{Head: "x-correlation-id"}, func(_ int, h *reports.Hit) cell { return cell{Text: h.CorrelationID, Code: h.CorrelationID != ""} }},
		{column{Head: "Sent at"}, func(_ int, h *reports.Hit) cell {
			c := cell{Text: "–", Note: "after " + figures.Seconds(h.Sent) + " s"}
			if !h.SentAt.IsZero() {
				c.Text = h.SentAt.UTC().Format("15:04:05.000Z")
			}
			if late := h.Sent - h.Due; late > 0 {
				c.Note += "; due " + figures.Milliseconds(late) + " before"
			}
			return c
		}},
		{column{Head: "Client"}, func(_ int, h *reports.Hit) cell { return cell{Text: h.Client} }},
		{column{Head: "Answer"}, func(_ int, h *reports.Hit) cell { return cell{Text: h.Answer(), Note: resentNote(h)} }},
		{column{Head: "Trace"}, func(_ int, h *reports.Hit) cell {
			return cell{Text: h.TraceID(), Code: h.TraceID() != "", Note: figures.Clip(h.TraceBack, 80)}
		}},
		{column{Head: "Phases in ms"}, func(_ int, h *reports.Hit) cell { return cell{Text: phasesOf(h.Phases)} }},
		{column{Head: "Shard"}, func(_ int, h *reports.Hit) cell { return cell{Text: h.Shard} }},
	}
	t.Rows = make([]row, len(hits))
	for _, f := range fields {
		cells, any := make([]cell, len(hits)), false
		for i := range hits {
			cells[i] = f.of(i, &hits[i])
			any = any || cells[i].Text != ""
		}
		if !any {
			continue
		}
		t.Columns = append(t.Columns, f.column)
		for i := range t.Rows {
			t.Rows[i].Cells = append(t.Rows[i].Cells, cells[i])
		}
	}
	return t
}

func resentNote(h *reports.Hit) string {
	if h.Resent {
		return "sent once more"
	}
	return ""
}

// phasesOf says where the time of one exchange went.
func phasesOf(p *reports.HitPhases) string {
	if p == nil {
		return ""
	}
	var words []string
	for _, phase := range []struct {
		name string
		took int64
	}{{"DNS", p.DNS}, {"connect", p.Connect}, {"TLS", p.TLS}, {"wait", p.Wait}, {"read", p.Read}} {
		if phase.took > 0 {
			words = append(words, phase.name+" "+figures.Number(phase.took))
		}
	}
	return strings.Join(words, " · ")
}
