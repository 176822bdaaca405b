package matrix

import (
	"maps"
	"slices"

	"agstest/reports"
)

// Operation is one operation of the loads, by environment.
type Operation struct {
	Name  string     `json:"name"`
	Cells []LoadCell `json:"cells"`
}

// LoadCell is one operation in one environment. Times are nanoseconds. Sent 0: it was not sent there.
type LoadCell struct {
	Valid      bool    `json:"valid"`
	Sent       int64   `json:"sent"`
	Right      int64   `json:"right"`
	Wrong      int64   `json:"wrong"`
	Rate       float64 `json:"rate"`       // sent per second
	Throughput float64 `json:"throughput"` // right answers per second
	P50        int64   `json:"p50"`        // of the response time; where Closed, of the service time
	P95        int64   `json:"p95"`
	P99        int64   `json:"p99"`
	Closed     bool    `json:"closed,omitempty"`
	Limits     []Limit `json:"limits,omitempty"` // of the whole run, in the row of all operations
	WasP99     int64   `json:"wasP99,omitempty"` // of the earlier run
	Link       string  `json:"link,omitempty"`
}

// Limit is a limit of a run and its result, with its interval in words.
type Limit struct {
	Expression string          `json:"expression"`
	Verdict    reports.Verdict `json:"verdict"`
	Value      string          `json:"value"`
	Interval   string          `json:"interval,omitempty"`
}

// all names the row of all operations together.
const all = "all"

// load makes a row for each operation that was sent anywhere, and one for all of them.
func (m *Matrix) load(columns []Column) {
	names := map[string]bool{}
	for _, column := range columns {
		if l := column.loads(); l != nil {
			for name := range l.Operations {
				names[name] = true
			}
		}
	}
	if len(names) == 0 {
		return
	}
	for _, name := range append(slices.Sorted(maps.Keys(names)), all) {
		row := Operation{Name: name}
		for _, column := range columns {
			row.Cells = append(row.Cells, loadCell(column, name))
		}
		m.Load = append(m.Load, row)
	}
}

func loadCell(c Column, name string) LoadCell {
	for _, part := range c.Parts {
		if part.Run == nil || part.Run.Load == nil {
			continue
		}
		l := part.Run.Load
		o := operation(l, name)
		if o == nil {
			return LoadCell{}
		}
		times := o.Response
		if l.Plan.Closed {
			times = o.Service
		}
		cell := LoadCell{Valid: l.Valid, Sent: o.Sent, Right: o.Right, Wrong: o.Wrong, Rate: o.Rate, P50: times.P50,
			P95: times.P95, P99: times.P99, Closed: l.Plan.Closed}
		if o.Sent > 0 {
			cell.Throughput = o.Rate * float64(o.Right) / float64(o.Sent)
		}
		if name == all {
			for _, limit := range l.Limits {
				cell.Limits = append(cell.Limits, Limit{limit.Expression, limit.Verdict, limit.Value, limit.Interval})
			}
		}
		if part.Folder != "" {
			cell.Link = part.Folder + "/load.html"
		}
		if part.Against != nil && part.Against.Load != nil && part.Against.Load.Plan.Closed == l.Plan.Closed {
			if was := operation(part.Against.Load, name); was != nil {
				cell.WasP99 = was.Response.P99
				if l.Plan.Closed {
					cell.WasP99 = was.Service.P99
				}
			}
		}
		return cell
	}
	return LoadCell{}
}

func operation(l *reports.Load, name string) *reports.Operation {
	if name == all {
		return l.Total
	}
	return l.Operations[name]
}
