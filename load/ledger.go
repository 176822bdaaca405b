package load

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"agstest/reports"
)

// ledger sums up the frames of a run, in order, to its report. A live run, a run read back from its record and the merged shards of a
// run all go through it, so that their figures agree. Its memory grows with the seconds of a run and not with its hits.
type ledger struct {
	operations []string
	closed     bool
	brief      bool // of one shard of many: the sums of all operations together, in a thirtieth of the memory

	lag, gc distribution
	totals  []operationTotal
	phases  phaseTally
	rows    [][]reports.Second // of each second each operation
	seconds []window
	stride  int // seconds of one window
	weight  int // bytes of the packed distributions in windows
	wrong   []reports.Wrong
	due     int64
	health  health
	end     *ending
	frames  int
	upTo    int // the second after the last one
	scratch distribution
}

// operationTotal is one operation over the whole run.
type operationTotal struct {
	asked, sent, right, wrong, interrupted, bytes int64
	statuses, kinds                               map[string]int64
	response, service, failed                     distribution
}

// window is a part of a run, of one second at first, in little memory: what limits are judged on.
type window struct {
	from, to   int // seconds, from inclusive to exclusive
	operations []windowOperation
}

type windowOperation struct {
	sent, right, wrong, throttled int64
	response, service             packed
}

// mostWindowBytes bounds the packed distributions that are kept for limits; beyond it two neighbouring windows become one.
const mostWindowBytes = 8 << 20

// newBriefLedger is for one shard of many: its report has a total, the health of the generator, and nothing else.
func newBriefLedger(closed bool) *ledger {
	l := newLedger([]string{"all"}, closed)
	l.brief = true
	return l
}

func newLedger(operations []string, closed bool) *ledger {
	l := &ledger{operations: operations, closed: closed, totals: make([]operationTotal, len(operations)), stride: 1}
	for i := range l.totals {
		l.totals[i].statuses, l.totals[i].kinds = map[string]int64{}, map[string]int64{}
	}
	return l
}

// longestGap is how many seconds may be missing between two frames: a process that was stopped for a day. More is a damaged record, and
// would be a row each.
const longestGap = 24 * 60 * 60

var errSecond = errors.New("a second of the record is out of its place")

// add sums one frame up. Frames come in the order of their seconds.
func (l *ledger) add(f *frame) error {
	if f.Second < 0 || f.Second-l.upTo > longestGap {
		return errSecond
	}
	l.frames++
	l.upTo = max(l.upTo, f.Second+1)
	l.due = max(l.due, f.Due)
	if err := l.lag.addPacked(f.Lag); err != nil {
		return err
	}
	if err := l.gc.addPacked(f.Health.GC); err != nil {
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
			if err := d.addPacked(f.Phases[i]); err != nil {
				return err
			}
		}
	}
	if l.brief {
		return l.addBriefly(f)
	}
	l.scratch.reset()
	if err := l.scratch.addPacked(f.Lag); err != nil {
		return err
	}
	lag99 := l.scratch.quantiles(0.99)[0]
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
			sent: o.Sent, right: o.Right, wrong: o.Wrong, throttled: o.Kinds[kindThrottled], response: o.Response, service: o.Service,
		}
	}
	if len(f.Operations) > 0 && f.Connections > 0 {
		l.row(f.Second, f.Operations[0].Operation).NewConnections = f.Connections
	}
	l.example(f.Wrong)
	return l.keep(part)
}

// addBriefly sums up what says whether a generator was well.
func (l *ledger) addBriefly(f *frame) error {
	t := &l.totals[0]
	for i := range f.Operations {
		o := &f.Operations[i]
		t.sent, t.right, t.wrong = t.sent+o.Sent, t.right+o.Right, t.wrong+o.Wrong
		if err := t.response.addPacked(o.Response); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) addOperation(total *operationTotal, o *operationFrame, row *reports.Second) error {
	for second, n := range o.Asked {
		// It may lie after the frame: on a machine that is too busy to take a second out in time, later hits are counted in it.
		if second < 0 || second-l.upTo > longestGap {
			return errSecond
		}
		total.asked += n
		l.row(second, o.Operation).Asked += n
	}
	total.sent += o.Sent
	total.right += o.Right
	total.wrong += o.Wrong
	total.interrupted += o.Interrupted
	total.bytes += o.Bytes
	for kind, n := range o.Kinds {
		total.kinds[kind] += n
	}
	row.Sent += o.Sent
	row.Right += o.Right
	row.Wrong += o.Wrong
	for status, n := range o.Statuses {
		total.statuses[status] += n
	}
	for status, n := range o.Missed {
		if row.Statuses == nil {
			row.Statuses = map[string]int64{}
		}
		row.Statuses[status] += n
	}
	shown := o.Response
	if l.closed {
		shown = o.Service
	}
	second := &l.scratch
	second.reset()
	if err := second.addPacked(shown); err != nil {
		return err
	}
	if second.count > 0 {
		v := second.quantiles(0.5, 0.95, 0.99)
		row.P50, row.P95, row.P99, row.Max = v[0], v[1], v[2], second.max
	}
	if err := total.response.addPacked(o.Response); err != nil {
		return err
	}
	if err := total.service.addPacked(o.Service); err != nil {
		return err
	}
	return total.failed.addPacked(o.Failed)
}

// row is the second of an operation in the report.
func (l *ledger) row(second, operation int) *reports.Second {
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

func (l *ledger) example(wrong []reports.Wrong) {
	for _, w := range wrong {
		same := 0
		for _, kept := range l.wrong {
			if kept.Operation == w.Operation && kept.Kind == w.Kind {
				same++
			}
		}
		if same < mostExamples {
			l.wrong = append(l.wrong, w)
		}
	}
}

// keep holds a window for the limits.
func (l *ledger) keep(w window) error {
	n := len(l.seconds)
	if n > 0 && l.seconds[n-1].to-l.seconds[n-1].from < l.stride {
		return l.join(&l.seconds[n-1], &w)
	}
	l.seconds = append(l.seconds, w)
	l.weight += w.bytes()
	for l.weight > mostWindowBytes && len(l.seconds) > 64 {
		l.stride *= 2
		var halved []window
		l.weight = 0
		for i := 0; i < len(l.seconds); i += 2 {
			w := l.seconds[i]
			if i+1 < len(l.seconds) {
				if err := l.join(&w, &l.seconds[i+1]); err != nil {
					return err
				}
			}
			halved = append(halved, w)
			l.weight += w.bytes()
		}
		l.seconds = halved
	}
	return nil
}

func (w *window) bytes() int {
	sum := 0
	for i := range w.operations {
		sum += len(w.operations[i].response) + len(w.operations[i].service)
	}
	return sum
}

func (l *ledger) join(into, from *window) error {
	before := into.bytes()
	into.to = from.to
	into.operations = slices.Clone(into.operations)
	for i := range into.operations {
		a, b := &into.operations[i], &from.operations[i]
		a.sent, a.right, a.wrong, a.throttled = a.sent+b.sent, a.right+b.right, a.wrong+b.wrong, a.throttled+b.throttled
		var err error
		if a.response, err = addUp(a.response, b.response); err != nil {
			return err
		}
		if a.service, err = addUp(a.service, b.service); err != nil {
			return err
		}
	}
	l.weight += into.bytes() - before
	return nil
}

// stretch sums up the seconds from inclusive to exclusive of one operation, or of all for the empty name.
func (l *ledger) stretch(operation string, from, to int) stretch {
	var s stretch
	var response, service packed
	for _, w := range l.seconds {
		if middle := (w.from + w.to - 1) / 2; middle < from || middle >= to {
			continue
		}
		for i := range w.operations {
			if operation != "" && l.operations[i] != operation {
				continue
			}
			o := &w.operations[i]
			s.Sent, s.Right, s.Wrong, s.Throttled = s.Sent+o.sent, s.Right+o.right, s.Wrong+o.wrong, s.Throttled+o.throttled
			// They were read before, when they were added.
			response, _ = addUp(response, o.response)
			service, _ = addUp(service, o.service)
		}
	}
	s.Response, s.Service = response.values(), service.values()
	return s
}

func (p packed) values() []valueCount {
	var values []valueCount
	_, _, _, _ = p.each(func(value, count int64) { values = append(values, valueCount{Value: value, Count: count}) })
	return values
}

// report writes the figures into a report that says already what was asked for.
func (l *ledger) report(r *reports.Load) {
	r.Schema = reports.LoadSchema
	elapsed := time.Duration(l.health.Elapsed)
	// What was sent is divided by the time it took to send it, which is that of the schedule unless hits were late.
	sending := max(time.Duration(l.health.Sending), min(elapsed, time.Duration(r.Plan.Seconds*float64(time.Second))))
	r.Operations = map[string]*reports.Operation{}
	var all operationTotal
	all.statuses, all.kinds = map[string]int64{}, map[string]int64{}
	busy := 0
	for i := range l.totals {
		if l.totals[i].sent > 0 {
			busy++
		}
	}
	for i := range l.totals {
		t := &l.totals[i]
		if t.sent == 0 && len(l.totals) > 1 {
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
			if s.Asked+s.Sent+s.Right+s.Wrong > 0 || l.totals[i].sent > 0 {
				r.Seconds = append(r.Seconds, s)
			}
		}
	}
	r.Wrong = slices.Clone(l.wrong)
	for i := range r.Wrong {
		if o := r.Operations[r.Wrong[i].Operation]; o != nil {
			r.Wrong[i].Times = o.Outcomes[r.Wrong[i].Kind]
		}
	}
	slices.SortStableFunc(r.Wrong, func(a, b reports.Wrong) int {
		return cmp.Or(slices.Index(l.operations, a.Operation)-slices.Index(l.operations, b.Operation), strings.Compare(a.Kind, b.Kind))
	})
	h := &l.health
	r.Generator = reports.Generator{
		Lag: l.lag.percentiles(), MaxInFlight: h.MaxInFlight, CPUSeconds: float64(h.CPU) / 1e9, GCPause: l.gc.percentiles(),
		AtCap: h.AtCap, Starved: h.Starved, Behind: h.Behind, ClockStep: h.ClockStep, Dropped: max(0, l.due-all.sent),
		StartLate: h.StartLate, Throttled: h.Throttled, ThrottledTimes: h.ThrottledTimes,
	}
	if elapsed > 0 && h.CPUs > 0 {
		r.Generator.CPUShare = r.Generator.CPUSeconds / elapsed.Seconds() / float64(h.CPUs)
	}
	if l.end != nil {
		r.Run.Partial, r.Storm = l.end.Partial, l.end.Storm
		r.Notes = slices.Clone(l.end.Notes)
	}
}

func (t *operationTotal) merge(from *operationTotal) {
	t.asked, t.sent, t.right, t.wrong = t.asked+from.asked, t.sent+from.sent, t.right+from.right, t.wrong+from.wrong
	t.interrupted, t.bytes = t.interrupted+from.interrupted, t.bytes+from.bytes
	for status, n := range from.statuses {
		t.statuses[status] += n
	}
	for kind, n := range from.kinds {
		t.kinds[kind] += n
	}
	t.response.merge(&from.response)
	t.service.merge(&from.service)
	t.failed.merge(&from.failed)
}

func (t *operationTotal) report(sending time.Duration) *reports.Operation {
	o := &reports.Operation{
		Asked: t.asked, Sent: t.sent, Right: t.right, Wrong: t.wrong, Statuses: maps.Clone(t.statuses), Outcomes: maps.Clone(t.kinds),
		Response: t.response.percentiles(), Service: t.service.percentiles(), Failed: t.failed.percentiles(), Bytes: t.bytes,
		Interrupted: t.interrupted, Curve: t.response.curve(),
	}
	if sending > 0 {
		o.Rate = float64(t.sent) / sending.Seconds()
	}
	return o
}
