package tally

import (
	"errors"
	"slices"
	"time"

	"agstest/load/hit"
	"agstest/reports"
)

// Ledger sums up the frames of a run, in order, to its report. A live run, a run read back from its record and the
// merged shards of a run all go through it, so that their figures agree. Its memory grows with the seconds of a run and
// not with its hits.
type Ledger struct {
	operations []string
	closed     bool
	brief      *briefSums // of one shard of many; nil: of a whole run

	lag, gc Histogram
	totals  []operationTotal
	phases  phaseTally
	rows    [][]reports.Second // of each second each operation
	seconds []window
	stride  int // seconds of one window
	weight  int // bytes of the packed distributions in windows
	hits    ledgerHits
	traces  traceCounts
	due     int64
	health  Health
	end     *Ending
	frames  int
	upTo    int // the second after the last one
	missing int // seconds that no frame came for
	scratch Histogram
}

// newBriefLedger is for one shard of many: its report has a total, the health of the generator, and nothing else.
func newBriefLedger(closed bool) *Ledger {
	l := NewLedger([]string{"all"}, closed)
	l.brief = &briefSums{}
	return l
}

// briefSums are the times of one shard of many, of all operations together, in a thirtieth of the memory. Some seconds
// are added at once, because those of the other shards come in between and take the processor's cache.
type briefSums struct {
	lag, response   sheet
	lags, responses []Packed // that are not added yet
}

// atOnce is how many seconds of a shard are added at once.
const atOnce = 16

func (b *briefSums) add() error {
	err := errors.Join(b.lag.addAll(b.lags), b.response.addAll(b.responses))
	clear(b.lags)
	clear(b.responses)
	b.lags, b.responses = b.lags[:0], b.responses[:0]
	return err
}

func NewLedger(operations []string, closed bool) *Ledger {
	l := &Ledger{operations: operations, closed: closed, totals: make([]operationTotal, len(operations)), stride: 1}
	for i := range l.totals {
		l.totals[i].statuses, l.totals[i].kinds = map[string]int64{}, map[string]int64{}
	}
	return l
}

// longestGap is how many seconds may be missing between frames, all gaps together: a process that was stopped for a
// day. More is a damaged record, and would be a row each.
const longestGap = 24 * 60 * 60

var errSecond = errors.New("a second of the record is out of its place")

// Add sums one frame up. Frames come in the order of their seconds.
func (l *Ledger) Add(f *Frame) error {
	if l.missing += max(0, f.Second-l.upTo); f.Second < 0 || l.missing > longestGap {
		return errSecond
	}
	l.frames++
	l.upTo = max(l.upTo, f.Second+1)
	l.due = max(l.due, f.Due)
	if err := l.gc.AddPacked(f.Health.GC); err != nil {
		return err
	}
	l.health = f.Health
	if f.End != nil {
		l.end = f.End
	}
	l.phases.connections += f.Connections
	l.phases.exchanges += f.Exchanges
	for i, d := range l.phases.all() {
		if i < len(f.Phases) {
			if err := d.AddPacked(f.Phases[i]); err != nil {
				return err
			}
		}
	}
	if l.brief != nil {
		return l.addBriefly(f)
	}
	if err := l.lag.AddPacked(f.Lag); err != nil {
		return err
	}
	l.scratch.Reset()
	if err := l.scratch.AddPacked(f.Lag); err != nil {
		return err
	}
	lag99 := l.scratch.Quantiles(0.99)[0]
	part := window{from: f.Second, to: f.Second + 1, operations: make([]windowOperation, len(l.operations))}
	for i := range f.Operations {
		o := &f.Operations[i]
		if o.Operation < 0 || o.Operation >= len(l.totals) {
			return errPacked
		}
		row := l.row(f.Second, o.Operation)
		if err := l.addOperation(&l.totals[o.Operation], o, row); err != nil {
			return err
		}
		row.Lag99 = lag99
		part.operations[o.Operation] = windowOperation{
			counts: o.counts, throttled: o.Kinds[hit.KindThrottled], response: o.Response, service: o.Service,
		}
	}
	if len(f.Operations) > 0 && f.Connections > 0 {
		l.row(f.Second, f.Operations[0].Operation).NewConnections = f.Connections
	}
	l.traces.add(f.Traces)
	l.addHits(f)
	return l.keep(part)
}

// addBriefly sums up what says whether a generator was well.
func (l *Ledger) addBriefly(f *Frame) error {
	for i := range f.Operations {
		o := &f.Operations[i]
		l.totals[0].counts.add(counts{Sent: o.Sent, Right: o.Right, Wrong: o.Wrong})
		l.brief.responses = append(l.brief.responses, o.Response)
	}
	if l.brief.lags = append(l.brief.lags, f.Lag); len(l.brief.lags) < atOnce {
		return nil
	}
	return l.brief.add()
}

func (l *Ledger) addOperation(total *operationTotal, o *operationFrame, row *reports.Second) error {
	for second, n := range o.Asked {
		// It may lie after the frame: on a machine that is too busy to take a second out in time, later hits are
		// counted in it.
		if second < 0 || second-l.upTo > longestGap {
			return errSecond
		}
		total.asked += n
		l.row(second, o.Operation).Asked += n
	}
	total.counts.add(o.counts)
	addTo(total.kinds, o.Kinds)
	row.Sent += o.Sent
	row.Right += o.Right
	row.Wrong += o.Wrong
	addTo(total.statuses, o.Statuses)
	if len(o.Missed) > 0 && row.Statuses == nil {
		row.Statuses = map[string]int64{}
	}
	addTo(row.Statuses, o.Missed)
	shown := o.Response
	if l.closed {
		shown = o.Service
	}
	second := &l.scratch
	second.Reset()
	if err := second.AddPacked(shown); err != nil {
		return err
	}
	if second.count > 0 {
		v := second.Quantiles(0.5, 0.95, 0.99)
		row.P50, row.P95, row.P99, row.Max = v[0], v[1], v[2], second.max
	}
	if err := total.response.AddPacked(o.Response); err != nil {
		return err
	}
	if err := total.service.AddPacked(o.Service); err != nil {
		return err
	}
	return total.failed.AddPacked(o.Failed)
}

// row is the second of an operation in the report.
func (l *Ledger) row(second, operation int) *reports.Second {
	for len(l.rows) <= second {
		at := len(l.rows)
		row := make([]reports.Second, len(l.operations))
		for i, name := range l.operations {
			row[i] = reports.Second{At: at, Operation: name}
		}
		l.rows = append(l.rows, row)
	}
	return &l.rows[second][operation]
}

// Sent is how many hits were sent so far.
func (l *Ledger) Sent() int64 {
	sum := int64(0)
	for i := range l.totals {
		sum += l.totals[i].Sent
	}
	return sum
}

// Note adds a remark to the report of a run that is over.
func (l *Ledger) Note(text string) { l.end.Notes = append(l.end.Notes, text) }

// sending is for how long hits were sent, of which the rate is: as long as the schedule, unless hits were late.
func (l *Ledger) sending(r *reports.Load) time.Duration {
	elapsed, scheduled := time.Duration(l.health.Elapsed), time.Duration(r.Plan.Seconds*float64(time.Second))
	return max(time.Duration(l.health.Sending), min(elapsed, scheduled))
}

// report writes the figures into a report that says already what was asked for.
func (l *Ledger) report(r *reports.Load) {
	r.Schema = reports.LoadSchema
	if l.brief != nil {
		_ = l.brief.add() // where it is damaged, the sum over all shards says so
		l.brief.lag.moveTo(&l.lag)
		l.brief.response.moveTo(&l.totals[0].response)
		*l.brief = briefSums{}
	}
	elapsed, sending := time.Duration(l.health.Elapsed), l.sending(r)
	r.Operations = map[string]*reports.Operation{}
	var all operationTotal
	all.statuses, all.kinds = map[string]int64{}, map[string]int64{}
	busy := 0
	for i := range l.totals {
		if l.totals[i].Sent > 0 {
			busy++
		}
	}
	for i := range l.totals {
		t := &l.totals[i]
		if t.Sent == 0 && len(l.totals) > 1 {
			continue
		}
		o := t.report(sending)
		if busy <= 1 {
			o.Asked = l.due // what was never begun was meant for this one
		}
		r.Operations[l.operations[i]] = o
		all.merge(t)
	}
	r.Total = all.report(sending)
	r.Total.Asked = l.due
	r.Total.Phases = l.phases.report()
	r.Seconds = r.Seconds[:0]
	for _, row := range l.rows {
		for i, s := range row {
			if s.Asked+s.Sent+s.Right+s.Wrong > 0 || l.totals[i].Sent > 0 {
				r.Seconds = append(r.Seconds, s)
			}
		}
	}
	l.reportHits(r)
	h := &l.health
	r.Generator = reports.Generator{
		Lag: l.lag.Percentiles(), MaxInFlight: h.MaxInFlight, CPUSeconds: float64(
			h.CPU) / 1e9, GCPause: l.gc.Percentiles(),
		AtCap: h.AtCap, Starved: h.Starved, Behind: h.Behind, ClockStep: h.ClockStep, Dropped: max(0, l.due-all.Sent),
		StoodStill: h.StoodStill, StartLate: h.StartLate, Throttled: h.Throttled, ThrottledTimes: h.ThrottledTimes,
	}
	if elapsed > 0 && h.CPUs > 0 {
		r.Generator.CPUShare = r.Generator.CPUSeconds / elapsed.Seconds() / float64(h.CPUs)
	}
	if l.end != nil {
		r.Run.Partial, r.Storm, r.SetUp, r.Judging = l.end.Partial, l.end.Storm, l.end.SetUp, l.end.Judging
		r.Notes = slices.Clone(l.end.Notes)
	}
}
