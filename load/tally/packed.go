package tally

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"

	"agstest/load/limit"
)

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
	r := p.reader()
	for ; r.count > 0; r.step() {
		f(r.value, r.count)
	}
	return r.least, r.largest, r.sum, r.err
}

// number reads a varint at a place. It returns the place behind it, or 0 if there is no number.
func (p Packed) number(at int) (value int64, behind int) {
	sum := uint64(0)
	for i, b := range p[at:] {
		if sum |= uint64(b&0x7f) << (7 * i); b < 0x80 {
			return int64(sum), at + i + 1
		}
		if i == 8 { // what follows would be beyond 63 bits
			break
		}
	}
	return 0, 0
}

// sumOf packs the sum of packed distributions: of a few without unpacking them, of many by way of a sheet, which is
// reset.
func sumOf(parts []Packed, room *sheet) (sum Packed, err error) {
	held, longest := 0, 0
	for _, part := range parts {
		if len(part) > 0 {
			held, longest = held+1, max(longest, len(part))
		}
	}
	if held <= fewParts {
		for _, part := range parts {
			if sum, err = addUp(sum, part); err != nil {
				return nil, err
			}
		}
		return sum, nil
	}
	room.reset()
	if err := room.addAll(parts); err != nil {
		return nil, err
	}
	return room.pack(make(Packed, 0, 2*longest)), nil
}

// fewParts is up to how many distributions are added one to the other: each is gone through once for each after it.
const fewParts = 6

// Each calls f for each value that occurs, in nanoseconds and ascending, and returns the sum of all. A damaged one is
// called for up to its damage.
func (p Packed) Each(f func(value, count int64)) (sum int64) {
	_, _, sum, _ = p.each(f)
	return sum
}

// Since returns what a distribution has more than an earlier state of it; nil if nothing. Least and largest are those
// of buckets.
func (p Packed) Since(before Packed) Packed {
	earlier := map[int64]int64{}
	sum := -before.Each(func(value, count int64) { earlier[value] = count })
	var news []limit.ValueCount
	sum += p.Each(func(value, count int64) {
		if more := count - earlier[value]; more > 0 {
			news = append(news, limit.ValueCount{Value: value, Count: more})
		}
	})
	if len(news) == 0 {
		return nil
	}
	out := binary.AppendUvarint(nil, uint64(news[0].Value))
	out = binary.AppendUvarint(out, uint64(news[len(news)-1].Value))
	out = binary.AppendUvarint(out, uint64(max(0, sum)))
	last := int64(0)
	for _, v := range news {
		out = binary.AppendUvarint(out, uint64(v.Value-last))
		out = binary.AppendUvarint(out, uint64(v.Count))
		last = v.Value
	}
	return out
}

// Values are all values that occur, ascending, each the least of its place. Those of a damaged one end at its damage.
func (p Packed) Values() []limit.ValueCount {
	var values []limit.ValueCount
	_, _, _, _ = p.each(func(value, count int64) {
		values = append(values, limit.ValueCount{Value: value, Count: count})
	})
	return values
}

// sum is that of all values, exactly.
func (p Packed) sum() int64 {
	if len(p) == 0 {
		return 0
	}
	return p.reader().sum
}

// packedReader steps through a packed distribution.
type packedReader struct {
	packed              Packed
	at                  int // the place of the next value
	least, largest, sum int64
	value, count        int64 // count 0: there are no more
	err                 error
}

func (p Packed) reader() packedReader {
	r := packedReader{packed: p}
	for _, into := range []*int64{&r.least, &r.largest, &r.sum} {
		if *into, r.at = p.number(r.at); r.at == 0 {
			r.fail()
			return r
		}
	}
	if r.least > r.largest || r.largest > int64(longestTime) {
		r.fail()
		return r
	}
	r.step()
	return r
}

// fail ends a distribution that is damaged.
func (r *packedReader) fail() { r.at, r.count, r.err = len(r.packed), 0, errPacked }

func (r *packedReader) step() {
	p, at := r.packed, r.at
	if at == len(p) {
		r.count = 0
		return
	}
	distance := int64(0)
	if at+1 < len(p) && p[at]|p[at+1] < 0x80 { // as most, at high rates
		distance, r.count, r.at = int64(p[at]), int64(p[at+1]), at+2
	} else if distance, at = p.number(at); at == 0 {
		r.fail()
		return
	} else if r.count, r.at = p.number(at); r.at == 0 {
		r.fail()
		return
	}
	if distance > int64(longestTime)-r.value || r.count == 0 || r.count > math.MaxInt64>>16 {
		r.fail()
		return
	}
	r.value += distance
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
