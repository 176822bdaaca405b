package tally

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// sheet adds packed distributions up. It has a count for each value that a Histogram tells from others, and knows where
// the first and the last one are, so that adding, packing and clearing cost what is in it. The zero value is empty.
type sheet struct {
	counts        []int64
	low, high     int // the places in use: from low to below high
	count         int64
	min, max, sum int64
}

// fineBits: a value is kept with so many bits, or one less, and so with three digits.
const fineBits = 11

// placeIn is the place of a value: values below 2^fineBits have one each, each further doubling half as many.
func placeIn(value int64) int {
	shift := bits.Len64(uint64(value)|(1<<fineBits-1)) - fineBits
	return shift<<(fineBits-1) + int(value>>shift)
}

// valueAt is the least value of a place.
func valueAt(place int) int64 {
	shift := max(0, place>>(fineBits-1)-1)
	return int64(place-shift<<(fineBits-1)) << shift
}

// add adds a packed distribution. It adds part of it where it is damaged.
func (s *sheet) add(p Packed) error {
	a := s.begin(p)
	return s.end(&a)
}

// addAll adds several, two at a time.
func (s *sheet) addAll(parts []Packed) error {
	var errs []error
	for ; len(parts) > 1; parts = parts[2:] {
		x, y := s.begin(parts[0]), s.begin(parts[1])
		s.addPair(&x, &y)
		errs = append(errs, s.end(&x), s.end(&y))
	}
	for _, p := range parts {
		errs = append(errs, s.add(p))
	}
	return errors.Join(errs...)
}

// addition is a packed distribution on its way into a sheet. Its value is added already.
type addition struct {
	packedReader
	added int64 // values so far
}

// begin adds the first value.
func (s *sheet) begin(p Packed) (a addition) {
	if len(p) == 0 {
		return a
	}
	if s.counts == nil {
		s.counts = make([]int64, placeIn(int64(longestTime))+1)
	}
	if a.packedReader = p.reader(); a.count > 0 {
		place := placeIn(a.value)
		if s.high == 0 || place < s.low {
			s.low = place
		}
		s.high = max(s.high, place+1)
		s.counts[place] += a.count
		a.added = a.count
	}
	return a
}

// end adds the values that are left, and the bounds.
func (s *sheet) end(a *addition) error {
	for a.count > 0 {
		s.addShort(a)
		if a.step(); a.count > 0 {
			s.counts[placeIn(a.value)] += a.count
			a.added += a.count
		}
	}
	if a.added > 0 {
		s.high = max(s.high, placeIn(a.value)+1)
		if s.count == 0 || a.least < s.min {
			s.min = a.least
		}
		s.max = max(s.max, a.largest)
		s.count += a.added
		s.sum += a.sum
	}
	return a.err
}

// short reads a value and how often it occurs from the eight bytes where they begin: the distance of at most four
// bytes, the times of one. It returns how many bits the distance takes, without its last one; more than longestShort
// where it is longer.
func short(word uint64) (distance, times uint64, bit int) {
	bit = bits.TrailingZeros64(^word & 0x8080808080808080)
	times = word >> ((bit + 1) & 63) & 0xff
	word &= 1<<(bit&63) - 1
	word = word&0x007f007f | word>>1&0x3f803f80
	return word&0x3fff | word>>2&0x0fffc000, times, bit
}

const longestShort = 4*8 - 1

// addShort adds the values that come next and are written in a few bytes, as nearly all are, eight bytes at a time, and
// leaves the others to step.
func (s *sheet) addShort(a *addition) {
	p, at, value, added := a.packed, a.at, a.value, int64(0)
	for at+8 <= len(p) {
		distance, times, bit := short(binary.LittleEndian.Uint64(p[at:]))
		next := value + int64(distance)
		if bit > longestShort || times-1 >= 0x7f || next > int64(longestTime) {
			break
		}
		value, at = next, at+bit>>3+2
		s.counts[placeIn(value)] += int64(times)
		added += int64(times)
	}
	a.at, a.value, a.added = at, value, a.added+added
}

// addPair is addShort for two distributions side by side, until one is at its end: where a value begins is known only
// when the one before was looked at, and meanwhile the processor has time for another.
func (s *sheet) addPair(x, y *addition) {
	p, at, value, added := x.packed, x.at, x.value, int64(0)
	q, atY, valueY, addedY := y.packed, y.at, y.value, int64(0)
	for at+8 <= len(p) && atY+8 <= len(q) {
		distance, times, bit := short(binary.LittleEndian.Uint64(p[at:]))
		distanceY, timesY, bitY := short(binary.LittleEndian.Uint64(q[atY:]))
		next, nextY := value+int64(distance), valueY+int64(distanceY)
		if max(bit, bitY) > longestShort || max(times-1, timesY-1) >= 0x7f || max(next, nextY) > int64(longestTime) {
			break
		}
		value, at = next, at+bit>>3+2
		valueY, atY = nextY, atY+bitY>>3+2
		s.counts[placeIn(value)] += int64(times)
		s.counts[placeIn(valueY)] += int64(timesY)
		added += int64(times)
		addedY += int64(timesY)
	}
	x.at, x.value, x.added = at, value, x.added+added
	y.at, y.value, y.added = atY, valueY, y.added+addedY
}

func (s *sheet) reset() {
	clear(s.counts[s.low:s.high])
	*s = sheet{counts: s.counts}
}

// each calls f for each value, ascending.
func (s *sheet) each(f func(value, count int64)) {
	for place := s.low; place < s.high; place++ {
		if count := s.counts[place]; count > 0 {
			f(valueAt(place), count)
		}
	}
}

// pack packs what Packer.Pack would of a Histogram with the same values.
func (s *sheet) pack(out Packed) Packed {
	if s.count == 0 {
		return nil
	}
	out = binary.AppendUvarint(out, uint64(s.min))
	out = binary.AppendUvarint(out, uint64(s.max))
	out = binary.AppendUvarint(out, uint64(s.sum))
	last := int64(0)
	s.each(func(value, count int64) {
		out = binary.AppendUvarint(out, uint64(value-last))
		out = binary.AppendUvarint(out, uint64(count))
		last = value
	})
	return out
}

// moveTo adds all values to a histogram, and forgets them.
func (s *sheet) moveTo(d *Histogram) {
	s.each(d.record)
	d.bounds(s.count, s.min, s.max, s.sum)
	if s.count > 0 {
		s.reset()
	}
}
