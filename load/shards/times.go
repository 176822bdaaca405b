package shards

import (
	"agstest/load/engine"
	"agstest/load/tally"
)

// timesSum adds up times of right answers by operation. It is for one goroutine at a time.
type timesSum struct {
	operations map[string]*operationTimes
	packer     tally.Packer
}

type operationTimes struct{ response, service tally.Histogram }

func (t *timesSum) of(operation string) *operationTimes {
	if t.operations == nil {
		t.operations = map[string]*operationTimes{}
	}
	if t.operations[operation] == nil {
		t.operations[operation] = &operationTimes{}
	}
	return t.operations[operation]
}

// second adds what an engine tells of one second.
func (t *timesSum) second(at *engine.Progress) {
	for i := range at.Operations {
		o := &at.Operations[i]
		t.add(o.Name, Times{o.Response, o.Service})
	}
}

// add adds the times of one operation. Damaged times count up to the damage: the report gets its times from elsewhere.
func (t *timesSum) add(operation string, times Times) {
	of := t.of(operation)
	_ = of.response.AddPacked(times.Response)
	_ = of.service.AddPacked(times.Service)
}

// pack is everything that was added; nil: nothing.
func (t *timesSum) pack() map[string]Times {
	var packed map[string]Times
	for name, of := range t.operations {
		if packed == nil {
			packed = map[string]Times{}
		}
		packed[name] = Times{t.packer.Pack(&of.response), t.packer.Pack(&of.service)}
	}
	return packed
}

// timesOf adds up the times that the shards of a run have told.
func timesOf(all []Standing) map[string]Times {
	var sum timesSum
	for i := range all {
		for name, times := range all[i].Progress.Times {
			sum.add(name, times)
		}
	}
	return sum.pack()
}

// recentOf puts the percentiles of the last ten seconds of all shards together that still send. The time below which 99
// of 100 answers of all of them lie is not that of any one shard.
func recentOf(sum *engine.Progress, shards []Standing) {
	var all, of tally.Histogram
	for i := range sum.Operations {
		o := &sum.Operations[i]
		of.Reset()
		for j := range shards {
			if p := shards[j].Progress.Whole; p != nil && !shards[j].Over {
				for k := range p.Operations {
					if p.Operations[k].Name == o.Name {
						_ = of.AddPacked(p.Operations[k].Recent) // what is damaged counts up to its damage
					}
				}
			}
		}
		all.Merge(&of)
		o.P50, o.P95, o.P99 = percentiles(&of)
	}
	sum.P50, sum.P95, sum.P99 = percentiles(&all)
}

func percentiles(of *tally.Histogram) (p50, p95, p99 int64) {
	q := of.Quantiles(0.5, 0.95, 0.99)
	return q[0], q[1], q[2]
}
