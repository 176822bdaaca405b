package tally

import (
	"encoding/binary"
	"errors"
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

// Quantiles gives the values at some quantiles, ascending, each from 0 to 1: the smallest value that at least that
// share of all values does not exceed (nearest rank). The library rounds the rank; it is asked for the very one.
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
	return reports.Percentiles{Count: d.count, Min: d.min, Mean: d.sum / d.count, P50: v[0], P90: v[1], P95: v[2], P99: v[3], P999: v[4], Max: d.max}
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

// Packed is a distribution in few bytes: least, largest and sum, then each value that occurs, as the distance from the
// one before, and how often, all as varints. An empty one is nil.
type Packed []byte

// Packer packs distributions one after the other, and reuses its room.
type Packer struct {
	sparse *hdrhistogram.PackedHistogram
}

func (p *Packer) Pack(d *Histogram) Packed {
	if d.count == 0 {
		return nil
	}
	if p.sparse == nil {
		p.sparse = hdrhistogram.NewPacked(shortestTime, int64(longestTime), timeDigits)
	}
	p.sparse.Reset()
	p.sparse.MergeFrom(d.hdr)
	out := make(Packed, 0, 16+4*int(p.sparse.Populated()))
	out = binary.AppendUvarint(out, uint64(d.min))
	out = binary.AppendUvarint(out, uint64(d.max))
	out = binary.AppendUvarint(out, uint64(d.sum))
	last := int64(0)
	for value, count := range p.sparse.ForEachBucket {
		out = binary.AppendUvarint(out, uint64(value-last))
		out = binary.AppendUvarint(out, uint64(count))
		last = value
	}
	return out
}

var errPacked = errors.New("a packed distribution is damaged")

// each calls f for each value that occurs, ascending, and returns least, largest and sum.
func (p Packed) each(f func(value, count int64)) (least, largest, sum int64, err error) {
	if len(p) == 0 {
		return 0, 0, 0, nil
	}
	next := func() int64 {
		value, n := binary.Uvarint(p)
		if n <= 0 || value > math.MaxInt64 {
			err = errPacked
			return 0
		}
		p = p[n:]
		return int64(value)
	}
	least, largest, sum = next(), next(), next()
	for value := int64(0); err == nil && len(p) > 0; {
		distance := next()
		count := next()
		if err != nil || distance > int64(longestTime)-value || count == 0 || count > math.MaxInt64>>16 {
			return 0, 0, 0, errPacked
		}
		value += distance
		f(value, count)
	}
	if err == nil && (least > largest || largest > int64(longestTime)) {
		err = errPacked
	}
	return least, largest, sum, err
}

func (p Packed) values() []limit.ValueCount {
	var values []limit.ValueCount
	_, _, _, _ = p.each(func(value, count int64) { values = append(values, limit.ValueCount{Value: value, Count: count}) })
	return values
}

// packedReader steps through a packed distribution.
type packedReader struct {
	rest                Packed
	least, largest, sum int64
	value, count        int64 // count 0: there are no more
	err                 error
}

func (p Packed) reader() packedReader {
	r := packedReader{rest: p}
	r.least, r.largest, r.sum = r.number(), r.number(), r.number()
	r.step()
	return r
}

func (r *packedReader) number() int64 {
	value, n := binary.Uvarint(r.rest)
	if n <= 0 || value > math.MaxInt64 {
		r.err = errPacked
		return 0
	}
	r.rest = r.rest[n:]
	return int64(value)
}

func (r *packedReader) step() {
	if r.count = 0; len(r.rest) > 0 && r.err == nil {
		r.value += r.number()
		r.count = r.number()
	}
}

// addUp packs the sum of two packed distributions, without unpacking them.
func addUp(a, b Packed) (Packed, error) {
	switch {
	case len(a) == 0:
		return b, nil
	case len(b) == 0:
		return a, nil
	}
	x, y := a.reader(), b.reader()
	out := make(Packed, 0, len(a)+len(b))
	out = binary.AppendUvarint(out, uint64(min(x.least, y.least)))
	out = binary.AppendUvarint(out, uint64(max(x.largest, y.largest)))
	out = binary.AppendUvarint(out, uint64(x.sum+y.sum))
	last := int64(0)
	for x.count > 0 || y.count > 0 {
		var value, count int64
		switch {
		case y.count == 0 || x.count > 0 && x.value < y.value:
			value, count = x.value, x.count
			x.step()
		case x.count == 0 || y.value < x.value:
			value, count = y.value, y.count
			y.step()
		default:
			value, count = x.value, x.count+y.count
			x.step()
			y.step()
		}
		out = binary.AppendUvarint(out, uint64(value-last))
		out = binary.AppendUvarint(out, uint64(count))
		last = value
	}
	return out, errors.Join(x.err, y.err)
}

// AddPacked adds what pack made. It adds part of it where it is damaged.
func (d *Histogram) AddPacked(p Packed) error {
	count := int64(0)
	least, largest, sum, err := p.each(func(value, n int64) {
		d.record(value, n)
		count += n
	})
	d.bounds(count, least, largest, sum)
	return err
}
