package watch

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/html"
)

//go:embed templates/watch.html
var pageTemplates string

//go:embed templates/watch.css
var ownSheet string

//go:embed templates/watch.js
var script string

var sheet = string(html.StyleSheet()) + ownSheet

// templates and policy are made when a page is, which most runs do without.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(html.Parts().Funcs(template.FuncMap{"clock": clock}).Parse(pageTemplates))
})

// policy lets the page use its own style sheet and script, ask its own server, and nothing else.
var policy = sync.OnceValue(func() string {
	return "default-src 'none'; style-src " + hashOf(sheet) + "; script-src " + hashOf(script) +
		"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
})

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// made is the rendering of one version of a page.
type made struct {
	version int
	event   []byte // as a server-sent event
	inner   template.HTML
	title   string
}

// view is the data of the templates.
type view struct {
	Options
	Title           string // of the window
	Sheet           template.CSS
	Script          template.JS
	Inner           template.HTML
	AgainSeconds    int
	Plain           string
	Over            bool
	Verdict         *Verdict
	Phase           string
	Stopping        bool
	Control         bool
	At              Standing
	Total           total
	Operations      []operationRow
	Limits          []limitRow
	News            []news
	Notes           []string
	Charts          []template.HTML
	PhaseOrFigures  bool
	Done, LastsFor  int64 // milliseconds, of the bar
	Moment, Started string
}

// total sums up the sides of a run.
type total struct {
	asked, sent, right, wrong int64
	Asked, Sent, Right        string // rates
	Wrong, Wrongs             string
	P50, P95, P99, Lag, Note  string
	UnderWay                  string
}

type operationRow struct {
	Side, Name         string
	Asked, Sent, Right string
	Count, Wrong       string
	P50, P95, P99      string
	Kinds              string
}

type limitRow struct {
	Side string
	reports.Limit
	Stands string
}

// whole is the page.
func (p *Page) whole() ([]byte, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	m, err := p.render()
	if err != nil {
		return nil, err
	}
	v := view{
		Options: p.options, Title: m.title, Sheet: template.CSS(sheet), Script: template.JS(
			script), Inner: m.inner, Over: p.verdict != nil,
		AgainSeconds: max(1,
			int(p.options.Again/time.Second)), Plain: plainPage, Control: p.options.Token != "", Stopping: p.stopping,
		Started: figures.Moment(p.began),
	}
	var text bytes.Buffer
	if err := templates().ExecuteTemplate(&text, "watch", v); err != nil {
		return nil, fmt.Errorf("writing the page of a run: %w", err)
	}
	return text.Bytes(), nil
}

// event returns the newest version as an event, a channel that closes at the next one, and whether it is the last.
func (p *Page) event() (text []byte, changed <-chan struct{}, over bool, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	m, err := p.render()
	if err != nil {
		return nil, nil, false, err
	}
	return m.event, p.changed, p.verdict != nil, nil
}

// render makes the part of the page that changes, once for each version; the mutex is held.
func (p *Page) render() (*made, error) {
	if p.made != nil && p.made.version == p.version {
		return p.made, nil
	}
	v := p.view()
	for _, chart := range p.charts() {
		drawn, err := chart.Render()
		if err != nil {
			return nil, err
		}
		v.Charts = append(v.Charts, drawn)
	}
	var text bytes.Buffer
	if err := templates().ExecuteTemplate(&text, "live", v); err != nil {
		return nil, fmt.Errorf("writing the page of a run: %w", err)
	}
	kind := "message"
	if v.Over {
		kind = "over"
	}
	var event strings.Builder
	fmt.Fprintf(&event, "event: %s\nid: %d\n", kind, p.version)
	// A carriage return ends a line of an event too, and answers of a service may hold one.
	for line := range strings.SplitSeq(strings.ReplaceAll(text.String(), "\r", "\n"), "\n") {
		if line != "" {
			event.WriteString("data: " + line + "\n")
		}
	}
	event.WriteString("\n")
	// made by our own template, which escaped all words
	p.made = &made{version: p.version, event: []byte(event.String()), inner: template.HTML(text.String()),
		title: v.Title}
	return p.made, nil
}

func (p *Page) view() view {
	v := view{
		Options: p.options, Over: p.verdict != nil, Verdict: p.verdict, Phase: p.phase, Stopping: p.stopping, At: p.at,
		News: p.news, Notes: p.notes,
		Done: p.at.Elapsed.Milliseconds(), LastsFor: (p.at.Elapsed + p.at.Left).Milliseconds(), Moment: figures.Moment(
			p.options.Now()),
		Control: p.options.Token != "",
	}
	var closed bool
	for _, s := range p.at.Sides {
		closed = closed || s.At.Closed
		for i := range s.At.Operations {
			o := &s.At.Operations[i]
			v.Operations = append(v.Operations, operationRow{
				Side: s.Name, Name: o.Name, Asked: figures.Rate(o.AskedRate), Sent: figures.Rate(o.Rate),
				Right: figures.Rate(o.RightRate),
				Count: figures.Count(o.Sent), Wrong: figures.Percent(o.Wrong, o.Right+o.Wrong),
				P50: timeShown(o.P50), P95: timeShown(o.P95), P99: timeShown(o.P99), Kinds: kindsShown(o.Kinds),
			})
		}
		for _, l := range s.At.Limits {
			v.Limits = append(v.Limits, limitRow{s.Name, l, stands(l.Verdict)})
		}
	}
	if p.verdict != nil && p.verdict.Limits != nil {
		v.Limits = nil
		for _, l := range p.verdict.Limits {
			v.Limits = append(v.Limits, limitRow{"", l, l.Verdict.Word()})
		}
	}
	v.Total = totalOf(p.at)
	v.Total.Note = "response time"
	if closed {
		v.Total.Note = "service time"
	}
	v.Title = p.options.Title
	switch {
	case p.verdict != nil:
		v.Title = p.verdict.Verdict.Word() + ": " + v.Title
	case p.phase == "" && len(p.at.Sides)+len(p.at.Shards) > 0:
		v.Title = clock(p.at.Left) + " left: " + v.Title
	}
	return v
}

func totalOf(at Standing) total {
	var t total
	var asked, sent, right float64
	var p50, p95, p99, lag, underWay int64
	for _, s := range at.Sides {
		a := &s.At
		asked, sent, right = asked+a.AskedRate, sent+a.Rate, right+a.RightRate
		t.asked, t.sent, t.right, t.wrong = t.asked+a.Asked, t.sent+a.Sent, t.right+a.Right, t.wrong+a.Wrong
		p50, p95, p99, lag, underWay = max(p50, a.P50), max(p95, a.P95), max(p99, a.P99), max(lag,
			a.Lag99), underWay+a.InFlight
	}
	t.Asked, t.Sent, t.Right = figures.Rate(asked), figures.Rate(sent), figures.Rate(right)
	t.Wrong, t.Wrongs = figures.Percent(t.wrong, t.right+t.wrong), figures.Count(t.wrong)
	t.P50, t.P95, t.P99, t.Lag, t.UnderWay = timeShown(p50), timeShown(p95), timeShown(p99), figures.Milliseconds(
		lag), figures.Count(underWay)
	return t
}

// AskedCount and its like are counts since the start.
func (t total) AskedCount() string { return figures.Count(t.asked) }
func (t total) SentCount() string  { return figures.Count(t.sent) }
func (t total) RightCount() string { return figures.Count(t.right) }

// charts draws the remembered figures; the caller holds the mutex.
func (p *Page) charts() []html.Series {
	points := p.history
	if len(points) < 2 {
		return nil
	}
	at := make([]time.Time, len(points))
	var asked, sent, right []float64
	for i, m := range points {
		at[i] = time.Unix(0, int64(m.at*1e9))
		asked, sent, right = append(asked, m.asked), append(sent, m.sent), append(right, m.right)
	}
	words := fmt.Sprintf("Asked %s, sent %s, right %s per second, recently.", figures.Rate(asked[len(asked)-1]),
		figures.Rate(sent[len(sent)-1]), figures.Rate(right[len(right)-1]))
	rates := html.Series{
		ID: "w-rates", Title: "Asked, sent and right", Description: words, Unit: "per second", Elapsed: true, Times: at,
		Height: 220,
		Lines: []html.SeriesLine{{Name: "asked", Look: "asked", Values: asked},
			{Name: "sent", Look: "s1", Values: sent}, {Name: "right", Look: "s3", Values: right}},
	}
	drawn := html.Series{ID: "w-times", Title: "Times of right answers", Unit: "ms", Elapsed: true, Times: at,
		Height: 240}
	for i, s := range p.at.Sides {
		lines := []html.SeriesLine{{Name: "p99", Look: "p99"}, {Name: "p95", Look: "p95"}, {Name: "p50", Look: "p50"}}
		if len(p.at.Sides) > 1 { // what each side is told by has to be told apart too
			lines = []html.SeriesLine{{Name: s.Name + " p99", Look: fmt.Sprintf("s%d", 2*i+1)},
				{Name: s.Name + " p50", Look: fmt.Sprintf("s%d", 2*i+2)}}
		}
		for _, m := range points {
			if i >= len(m.times) {
				continue
			}
			values := []int64{m.times[i].p99, m.times[i].p95, m.times[i].p50}
			if len(lines) == 2 {
				values = []int64{m.times[i].p99, m.times[i].p50}
			}
			for n, value := range values {
				lines[n].Values = append(lines[n].Values, float64(value)/1e6)
			}
		}
		drawn.Lines = append(drawn.Lines, lines...)
	}
	drawn.Description = "Each point is of the ten seconds before it."
	return []html.Series{drawn, rates}
}

// timeShown returns a percentile as text; there is none if no answer was right.
func timeShown(nanoseconds int64) string {
	if nanoseconds == 0 {
		return "–"
	}
	return figures.Milliseconds(nanoseconds)
}

// kindsShown names the kinds of wrong answers and how many of each there are.
func kindsShown(kinds map[string]int64) string {
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		words = append(words, kind+" "+figures.Count(kinds[kind]))
	}
	return strings.Join(words, ", ")
}

// clock shows a time as minutes and seconds.
func clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// stands says how a limit stands before its verdict.
func stands(v reports.Verdict) string {
	switch v {
	case reports.Pass:
		return "kept so far"
	case reports.Fail:
		return "not kept so far"
	}
	return "not known yet"
}
