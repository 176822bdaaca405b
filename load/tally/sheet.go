package tally

import (
	"encoding/binary"
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
	if len(p) == 0 {
		return nil
	}
	if s.counts == nil {
		s.counts = make([]int64, placeIn(int64(longestTime))+1)
	}
	r := p.reader()
	if r.count > 0 && (s.count == 0 || placeIn(r.value) < s.low) {
		s.low = placeIn(r.value)
	}
	count, last := int64(0), 0
	for ; r.count > 0; r.step() {
		last = placeIn(r.value)
		s.counts[last] += r.count
		count += r.count
		if more := s.addShort(&r); more > 0 {
			last = placeIn(r.value)
			count += more
		}
	}
	if count > 0 {
		if s.high = max(s.high, last+1); s.count == 0 || r.least < s.min {
			s.min = r.least
		}
		s.max = max(s.max, r.largest)
		s.count += count
		s.sum += r.sum
	}
	return r.err
}

// addShort adds the values that come next and are written in a few bytes, as nearly all are, eight bytes at a time, and
// leaves the others to step. It returns how many there were.
func (s *sheet) addShort(r *packedReader) (count int64) {
	p, at, value := r.packed, r.at, r.value
	for at+8 <= len(p) {
		word := binary.LittleEndian.Uint64(p[at:])
		length := bits.TrailingZeros64(^word&0x8080808080808080)/8 + 1
		times := word >> (8 * length) & 0xff
		if length > 4 || times-1 >= 0x7f {
			break
		}
		word &= 1<<(8*length) - 1
		next := value + int64(word&0x7f|word>>1&(0x7f<<7)|word>>2&(0x7f<<14)|word>>3&(0x7f<<21))
		if next > int64(longestTime) {
			break
		}
		value, at = next, at+length+1
		s.counts[placeIn(value)] += int64(times)
		count += int64(times)
	}
	r.at, r.value = at, value
	return count
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
