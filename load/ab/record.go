package ab

import (
	"math"
	"slices"
	"sync"
	"time"

	"agstest/load/engine"
	"agstest/load/hit"
	"agstest/load/tally"
	"agstest/reports/compare"
)

// blockCounter is a workload that keeps, for each block of its side, how the hits of that block fared. Its inner
// workload does the work.
type blockCounter struct {
	engine.Workload
	schedule turns
	settle   time.Duration // at the start of each block, not counted
	began    time.Time

	mu     sync.Mutex // guards what follows
	blocks []turnBlock
	totals []tally.Histogram // by operation: response times of right answers that count
}

// turnBlock is one block.
type turnBlock struct {
	answered   uint64 // counted or not
	operations []turnOperation
	settling   []compare.Answers // by operation: those that are not counted
}

type turnOperation struct {
	sent, wrong int64
	right       []int64 // response times in nanoseconds
}

func newBlockCounter(w engine.Workload, schedule turns, settle time.Duration, began time.Time) *blockCounter {
	r := &blockCounter{Workload: w, schedule: schedule, settle: settle, began: began,
		blocks: make([]turnBlock, len(schedule.starts)), totals: make([]tally.Histogram, len(w.Operations()))}
	for i := range r.blocks {
		r.blocks[i].operations = make([]turnOperation, len(w.Operations()))
		r.blocks[i].settling = make([]compare.Answers, len(w.Operations()))
	}
	return r
}

// turnHit stands in place of the workload's own data of a request, and keeps that data and the number of the hit.
type turnHit struct {
	seq   uint64
	inner any
}

// Begin is part of Workload.
func (r *blockCounter) Begin(seq uint64, request *hit.Request) bool {
	held, again := request.Client.(*turnHit)
	if again {
		request.Client = held.inner
	}
	if !r.Workload.Begin(seq, request) {
		return false
	}
	if !again {
		held = new(turnHit)
	}
	held.seq, held.inner = seq, request.Client
	request.Client = held
	return true
}

// End is part of Workload.
func (r *blockCounter) End(request *hit.Request, answer *hit.Answer) hit.Outcome {
	held := request.Client.(*turnHit)
	request.Client = held.inner
	outcome := r.Workload.End(request, answer)
	held.inner = request.Client
	request.Client = held
	if answer.Err != hit.ErrAborted {
		r.keep(held.seq, request.Operation, answer.Received, outcome.Kind == "" && answer.Err == nil)
	}
	return outcome
}

// Exhausted is part of Finite.
func (r *blockCounter) Exhausted(seq uint64) error {
	if finite, ok := r.Workload.(engine.Finite); ok {
		return finite.Exhausted(seq)
	}
	return nil
}

func (r *blockCounter) keep(seq uint64, operation int, received time.Time, right bool) {
	at := r.schedule.At(seq)
	block := seq / r.schedule.each
	response := received.Sub(r.began.Add(at))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocks[block].answered++
	if at-r.schedule.starts[block] < r.settle {
		count(&r.blocks[block].settling[operation], right)
		return
	}
	o := &r.blocks[block].operations[operation]
	o.sent++
	if !right {
		o.wrong++
		return
	}
	o.right = append(o.right, int64(max(response, 0)))
	if block > 0 {
		r.totals[operation].Add(response)
	}
}

// figures returns the figures of one block by operation, of the operations named.
func (r *blockCounter) figures(block int, operations []string) map[string]compare.BlockFigures {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]compare.BlockFigures{}
	for i, name := range r.Operations() {
		o := &r.blocks[block].operations[i]
		if o.sent == 0 || !slices.Contains(operations, name) {
			continue
		}
		slices.Sort(o.right)
		found[name] = compare.BlockFigures{
			Sent: o.sent, Right: int64(len(o.right)), Wrong: o.wrong,
			P50: nearestRank(o.right, 0.5), P95: nearestRank(o.right, 0.95), P99: nearestRank(o.right, 0.99),
		}
	}
	return found
}

func count(a *compare.Answers, right bool) {
	a.Sent++
	if !right {
		a.Wrong++
	}
}

// uncounted adds the answers that are in no figure, of the operations named: to warmUp those of the block that warms
// up, to settling those at the start of the others.
func (r *blockCounter) uncounted(warmUp, settling map[string]compare.Answers, operations []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for block := range r.blocks {
		for i, name := range r.Operations() {
			to, of := settling, r.blocks[block].settling[i]
			if block == 0 { // of which nothing is counted
				counted := &r.blocks[block].operations[i]
				to, of = warmUp, compare.Answers{Sent: of.Sent + counted.sent, Wrong: of.Wrong + counted.wrong}
			}
			if of.Sent > 0 && slices.Contains(operations, name) {
				to[name] = compare.Answers{Sent: to[name].Sent + of.Sent, Wrong: to[name].Wrong + of.Wrong}
			}
		}
	}
}

// whole tells whether every hit of a block was answered.
func (r *blockCounter) whole(block int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blocks[block].answered == r.schedule.each
}

// nearestRank is the least value that at least the share q of all values do not exceed; 0 for no values.
func nearestRank(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
