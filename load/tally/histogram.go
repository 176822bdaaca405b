package tally

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"agstest/load/limit"
	"agstest/reports"
)

// Times are kept in nanoseconds with three digits: every percentile is within 0.1 % of the exact one. Times above ten
// minutes count as ten minutes; no exchange takes that long.
const (
	longestTime  = 10 * time.Minute
	timeDigits   = 3
	shortestTime = 1
)

// Histogram is every value of one kind of time: an HdrHistogram, and beside it the exact least, largest and sum. The
// zero value is empty; the histogram, of about 250 KB whatever the number of values, is made by the first value.
type Histogram struct {
	hdr           *hdrhistogram.Histogram
	count         int64
	min, max, sum int64
}

func (d *Histogram) Add(t time.Duration) { d.AddTimes(int64(t), 1) }

// AddTimes adds n equal values. A negative one counts as 0: clocks of different cores may disagree by some nanoseconds.
func (d *Histogram) AddTimes(value, n int64) {
	value = min(max(value, 0), int64(longestTime))
	d.record(value, n)
	d.bounds(n, value, value, value*n)
}

func (d *Histogram) record(value, n int64) {
	if d.hdr == nil {
		d.hdr = hdrhistogram.New(shortestTime, int64(longestTime), timeDigits)
	}
	// Values are within the range, so that there is no error.
	_ = d.hdr.RecordValues(value, n)
}

func (d *Histogram) bounds(n, least, largest, sum int64) {
	if n == 0 {
		return
	}
	if d.count == 0 || least < d.min {
		d.min = least
	}
	d.max = max(d.max, largest)
	d.count += n
	d.sum += sum
}

func (d *Histogram) Merge(from *Histogram) {
	if from.count == 0 {
		return
	}
	if d.hdr == nil {
		d.hdr = hdrhistogram.New(shortestTime, int64(longestTime), timeDigits)
	}
	d.hdr.Merge(from.hdr)
	d.bounds(from.count, from.min, from.max, from.sum)
}

func (d *Histogram) Reset() {
	if d.count == 0 {
		return
	}
	d.hdr.Reset()
	*d = Histogram{hdr: d.hdr}
}

// Quantiles returns the values at some quantiles, ascending, each from 0 to 1: the smallest value that at least that
// share of all values does not exceed (nearest rank). The library rounds the rank, so Quantiles asks for the exact one.
func (d *Histogram) Quantiles(q ...float64) []int64 {
	values := make([]int64, len(q))
	if d.count == 0 {
		return values
	}
	percents := make([]float64, len(q))
	for i := range q {
		percents[i] = math.Ceil(q[i]*float64(d.count)-1e-9) / float64(d.count) * 100
	}
	for i, value := range d.hdr.ValueAtPercentilesSlice(percents) {
		values[i] = min(max(value, d.min), d.max)
	}
	return values
}

func (d *Histogram) Percentiles() reports.Percentiles {
	if d.count == 0 {
		return reports.Percentiles{}
	}
	v := d.Quantiles(0.5, 0.9, 0.95, 0.99, 0.999)
	return reports.Percentiles{Count: d.count, Min: d.min, Mean: d.sum / d.count, P50: v[0], P90: v[1], P95: v[2],
		P99: v[3], P999: v[4], Max: d.max}
}

// Curve is the percentile curve, finer towards its end, as far as the number of values carries it.
func (d *Histogram) Curve() []reports.CurvePoint {
	if d.count == 0 {
		return nil
	}
	q := []float64{0}
	for tail := 1.0; tail > 1/float64(d.count) && tail > 1e-7; tail /= 10 {
		for _, part := range []float64{0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1} {
			if next := 1 - tail*part; tail*part >= 1/float64(d.count) {
				q = append(q, next)
			}
		}
	}
	points := make([]reports.CurvePoint, 0, len(q)+1)
	for i, value := range d.Quantiles(q...) {
		points = append(points, reports.CurvePoint{Quantile: math.Round(q[i]*1e9) / 1e9, Value: value})
	}
	return append(points, reports.CurvePoint{Quantile: 1, Value: d.max})
}

// Times are all values that occur, ascending, as Quantiles gives them, and their exact sum.
func (d *Histogram) Times() (values []limit.ValueCount, sum int64) {
	return asShown(d.values(), d.max), d.sum
}

// asShown makes of the least value of each place the one that Quantiles gives for it. It changes the values themselves.
func asShown(values []limit.ValueCount, largest int64) []limit.ValueCount {
	for i := range values {
		values[i].Value = min(valueAt(placeIn(values[i].Value)+1)-1, largest)
	}
	return values
}

// values are all values that occur, ascending, each the least of its place.
func (d *Histogram) values() []limit.ValueCount {
	if d.count == 0 {
		return nil
	}
	values := make([]limit.ValueCount, 0, 256)
	sparse := hdrhistogram.NewPacked(shortestTime, int64(longestTime), timeDigits)
	sparse.MergeFrom(d.hdr)
	for value, count := range sparse.ForEachBucket {
		values = append(values, limit.ValueCount{Value: value, Count: count})
	}
	return values
}

// AddPacked adds what pack made. It adds part of it where it is damaged.
func (d *Histogram) AddPacked(p Packed) error {
	if len(p) == 0 {
		return nil
	}
	r, count := p.reader(), int64(0)
	for ; r.count > 0; r.step() {
		d.record(r.value, r.count)
		count += r.count
	}
	d.bounds(count, r.least, r.largest, r.sum)
	return r.err
}
