// Package watch shows a load while it runs as a page in a browser, in the style of the reports: hits asked for, sent
// and right, percentiles, wrong answers by kind, the send lag, the state of limits, the time that is left, and the
// newest wrong answers. Server-sent events keep it fresh
// (https://html.spec.whatwg.org/multipage/server-sent-events.html); without a script it asks for itself again. When the
// run is over it shows the verdict and keeps its content.
//
// A Page takes the news of the run and renders it once a second at most, and only while somebody looks. Handler serves
// it; Serve does so on a listener until Close. The page asks for nothing but its own events. A request under the name
// of a host that is not this one is refused, so that no site can read the page through a name of its own (DNS
// rebinding).
package watch

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"agstest/load/engine"
	"agstest/reports"
)

// Options describe the run of a page. Title must be given; the zero value of everything else works.
type Options struct {
	Kind  string // the word above the title: Load, Gate, Capacity, Comparison
	Title string
	Facts []reports.Fact // under the title
	// Hosts are names by which the page may be asked for, beside localhost and addresses.
	Hosts []string
	// Token lets a viewer who knows it stop the run with Stop; empty: there is no button.
	Token string
	// Stop ends the run in order. It is called once at most, on a goroutine of the server.
	Stop func()
	// Conceal takes secrets out of texts of others; nil: they are shown as they are.
	Conceal func(string) string
	// Again is when a page without a script asks for itself again, in whole seconds; 0: 5s.
	Again time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Side is one engine of a run: the only one, or one of a comparison.
type Side struct {
	Name string // old or new; empty: the only one
	At   engine.Progress
}

// Shard is how one generator of several stands.
type Shard struct {
	Name, State string
	Sent, Wrong int64
	Rate        float64
	P99         int64 // nanoseconds
	Heard       bool  // lately
}

// Standing is how a run stands.
type Standing struct {
	Lead          string // what goes on, such as: round 1, pair 3 of 60
	Elapsed, Left time.Duration
	Sides         []Side
	Shards        []Shard
}

// Verdict is how a run ended.
type Verdict struct {
	Verdict reports.Verdict
	Reason  string
	Report  string          // its path; empty: there is none
	Limits  []reports.Limit // as they were judged; nil: as they stood last
}

const (
	maxNews   = 20 // wrong answers that are shown, the newest first
	maxNotes  = 40
	minApart  = 0.5 // seconds between two moments; the last tellings of a run come at once
	maxPoints = 300 // of a line of a chart; beyond, a point stands for several seconds
)

// Page is the state of a run as shown. Several goroutines may use it.
type Page struct {
	options Options
	began   time.Time
	stop    sync.Once

	mutex    sync.Mutex // guards what follows
	phase    string     // before there are figures, and the work after them
	at       Standing
	history  []moment
	stride   int // tellings that one moment stands for
	pending  []moment
	last     float64 // when a moment was remembered last
	news     []news
	heard    map[string]time.Duration // by side: when it was heard of last, by its own clock
	notes    []string
	verdict  *Verdict
	stopping bool
	version  int
	changed  chan struct{} // closed at the next change
	made     *made         // the newest rendering
}

// moment is one point of the charts.
type moment struct {
	at                 float64 // seconds since the page began
	asked, sent, right float64 // per second
	times              []times // by side
}

type times struct{ p50, p95, p99 int64 }

// news is a wrong answer and when it was heard of.
type news struct {
	At   time.Duration
	Side string
	reports.Wrong
}

// New makes the page of a run that begins now.
func New(o Options) *Page {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Again = cmp.Or(o.Again, 5*time.Second)
	if o.Conceal == nil {
		o.Conceal = func(text string) string { return text }
	}
	return &Page{options: o, began: o.Now(), stride: 1, heard: map[string]time.Duration{}, changed: make(chan struct{})}
}

// change makes a change and wakes the viewers. Nothing changes after the verdict.
func (p *Page) change(do func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.verdict != nil {
		return
	}
	do()
	p.version++
	close(p.changed)
	p.changed = make(chan struct{})
}

// Phase sets the words for a time without figures, such as how far the set-up is.
func (p *Page) Phase(words string) { p.change(func() { p.phase = p.options.Conceal(words) }) }

// Note adds a line about an event, such as a rate that was tried. Only the newest are kept.
func (p *Page) Note(words string) {
	p.change(func() {
		p.notes = append(p.notes, p.options.Conceal(words))
		p.notes = p.notes[max(0, len(p.notes)-maxNotes):]
	})
}

// Tell says how the run stands.
func (p *Page) Tell(at Standing) {
	p.change(func() {
		p.phase, p.at = "", at
		since := p.options.Now().Sub(p.began)
		m := moment{at: since.Seconds()}
		for _, s := range at.Sides {
			m.asked, m.sent, m.right = m.asked+s.At.AskedRate, m.sent+s.At.Rate, m.right+s.At.RightRate
			m.times = append(m.times, times{s.At.P50, s.At.P95, s.At.P99})
			// the news of a side that is slower than the others were told
			if s.At.Elapsed > 0 && s.At.Elapsed == p.heard[s.Name] {
				continue
			}
			p.heard[s.Name] = s.At.Elapsed
			for _, w := range s.At.News {
				w.Message = p.options.Conceal(w.Message)
				p.news = append([]news{{since, s.Name, w}}, p.news...)
			}
		}
		p.news = p.news[:min(len(p.news), maxNews)]
		if len(at.Sides) > 0 && m.at-p.last >= minApart {
			p.last = m.at
			p.remember(m)
		}
	})
}

// remember adds a point. Of many, neighbours become one, which keeps the largest times and the mean rates.
func (p *Page) remember(m moment) {
	p.pending = append(p.pending, m)
	if len(p.pending) < p.stride {
		return
	}
	p.history = append(p.history, joined(p.pending))
	p.pending = p.pending[:0]
	if len(p.history) <= maxPoints {
		return
	}
	var halved []moment
	for pair := range slices.Chunk(p.history, 2) {
		halved = append(halved, joined(pair))
	}
	p.history, p.stride = halved, p.stride*2
}

func joined(of []moment) moment {
	m := of[len(of)-1]
	m.times = slices.Clone(m.times)
	m.asked, m.sent, m.right = 0, 0, 0
	for _, one := range of {
		share := float64(len(of))
		m.asked, m.sent, m.right = m.asked+one.asked/share, m.sent+one.sent/share, m.right+one.right/share
		for i := range min(len(m.times), len(one.times)) {
			t, other := &m.times[i], one.times[i]
			t.p50, t.p95, t.p99 = max(t.p50, other.p50), max(t.p95, other.p95), max(t.p99, other.p99)
		}
	}
	return m
}

// Over shows the verdict. The page stays as it is from then on.
func (p *Page) Over(v Verdict) {
	v.Reason, v.Verdict = reports.Sentence(p.options.Conceal(v.Reason)), cmp.Or(v.Verdict, reports.Error)
	p.change(func() { p.verdict, p.phase = &v, "" })
}

// askToStop ends the run, once.
func (p *Page) askToStop() {
	p.change(func() { p.stopping = true })
	p.stop.Do(func() {
		if p.options.Stop != nil {
			p.options.Stop()
		}
	})
}

// isOver tells whether the verdict was said.
func (p *Page) isOver() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.verdict != nil
}
