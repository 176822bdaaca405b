package check

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"agstest/internal/strictjson"
)

// objectScan steps over the members of one JSON object.
type objectScan struct {
	text  []byte
	at    int
	begun bool
	name  []byte // of the member
	value []byte // as it is written
	plain bool   // no backslash is in the value, where it is a string
	err   error
}

func (s *objectScan) next() bool {
	if s.err != nil {
		return false
	}
	i := skipSpace(s.text, s.at)
	switch {
	case s.begun && i < len(s.text) && s.text[i] == ',': // as most
		i = skipSpace(s.text, i+1)
	case i < len(s.text) && s.text[i] == '}':
		s.at = i + 1
		return false
	case s.begun:
		s.err = errBrokenOff
		return false
	}
	s.begun = true
	end, plain := skipString(s.text, i)
	if end < 0 {
		s.err = errBrokenOff
		return false
	}
	s.name = s.text[i+1 : end-1]
	if !plain { // a name may be written with escapes too (RFC 8259 section 8.3)
		var ok bool
		if s.name, ok = appendUnescaped(nil, s.name); !ok {
			s.err = errBrokenOff
			return false
		}
	}
	i = skipSpace(s.text, end)
	if i == len(s.text) || s.text[i] != ':' {
		s.err = errBrokenOff
		return false
	}
	i = skipSpace(s.text, i+1)
	if end, s.plain = skipValue(s.text, i); end < 0 {
		s.err = errBrokenOff
		return false
	}
	s.value, s.at = s.text[i:end], end
	return true
}

// shapePrime mixes hashes of shapes.
const shapePrime = 0xff51afd7ed558ccd

// shapeOf adds bytes to a hash, eight together.
func shapeOf(hash uint64, of []byte) uint64 {
	hash = (hash ^ uint64(len(of))) * shapePrime
	for ; len(of) >= 8; of = of[8:] {
		hash = bits.RotateLeft64((hash^binary.LittleEndian.Uint64(of))*shapePrime, 29)
	}
	for _, b := range of {
		hash = hash<<8 ^ hash>>56 ^ uint64(b)
	}
	return bits.RotateLeft64(hash*shapePrime, 29) * shapePrime
}

// shape is a hash of the member's name, the kind of its value, and the length of a number.
func (s *objectScan) shape() uint64 {
	kind := uint64(s.value[0])
	switch c := s.value[0]; {
	case c >= '1' && c <= '9':
		kind = '1' + uint64(len(s.value))<<8
	case len(s.value) == 2: // an empty text, object or list
		kind |= 1 << 8
	}
	return shapeOf(0xcbf29ce484222325^kind, s.name)
}

// takeString puts the text of a string into a field; of any other kind it leaves nil.
func (s *objectScan) takeString(into *[]byte, room *[]byte) {
	if *into != nil {
		s.err = errTwice
		return
	}
	if s.value[0] != '"' {
		return
	}
	raw := s.value[1 : len(s.value)-1]
	if s.plain {
		*into = raw[:len(raw):len(raw)]
		return
	}
	start := len(*room)
	var ok bool
	if *room, ok = appendUnescaped(*room, raw); !ok {
		s.err = errBrokenOff
		return
	}
	*into = (*room)[start:len(*room):len(*room)]
}

// integer reads a plain integer; other ways of writing one are rare enough to be left to Judge.
func (s *objectScan) integer() int64 {
	if len(s.value) > 18 {
		return 0
	}
	var n int64
	for _, b := range s.value {
		if b < '0' || b > '9' {
			return 0
		}
		n = n*10 + int64(b-'0')
	}
	return n
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipString returns the index behind the string at i, −1 if there is none, and whether the string has no backslash. It
// looks at eight bytes together, as tokens are long.
func skipString(b []byte, i int) (end int, plain bool) {
	if i >= len(b) || b[i] != '"' {
		return -1, false
	}
	plain = true
	for i++; i < len(b); {
		rest := b[i:]
		for len(rest) >= 8 {
			if special := specials(binary.LittleEndian.Uint64(rest)); special != 0 {
				rest = rest[bits.TrailingZeros64(special)/8:]
				break
			}
			rest = rest[8:]
		}
		if i = len(b) - len(rest); i == len(b) {
			return -1, false
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, plain
		case c == '\\':
			i++
			plain = false
		case c < 0x20:
			return -1, false
		}
		i++
	}
	return -1, false
}

// specials has the highest bit of a byte set where a string may end there: at the first quote, backslash or control
// character. Bits of later bytes may be set too.
func specials(word uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	// With bit 1 turned over a quote stands where the space stood, next to the control characters, which stay among
	// themselves: one comparison finds both.
	turned, backslash := word^ones*2, word^ones*'\\'
	return ((turned-ones*0x21)&^turned | (backslash-ones)&^backslash) & highs
}

// skipValue returns the index behind the value at i, −1 if there is none, and whether a string has no backslash. Inside
// objects and arrays it looks only at brackets and strings.
func skipValue(b []byte, i int) (end int, plain bool) {
	if i >= len(b) {
		return -1, false
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipBracketed(b, i), false
	}
	return skipWord(b, i), false
}

// skipBracketed gives the index behind the object or array at i, −1 if it has no end.
func skipBracketed(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i, _ = skipString(b, i); i < 0 {
				return -1
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// skipWord gives the index behind what stands at i if it is true, false, null or begins as numbers do, −1 if not.
func skipWord(b []byte, i int) int {
	start := i
	for i < len(b) && !endsWord[b[i]] {
		i++
	}
	switch word := b[start:i]; {
	case len(word) == 0:
		return -1
	case word[0] == '-' || word[0] >= '0' && word[0] <= '9':
	case string(word) == "true", string(word) == "false", string(word) == "null":
	default:
		return -1
	}
	return i
}

// endsWord are the characters before which a word or a number ends.
var endsWord = func() (table [256]bool) {
	for c := range table {
		table[c] = c <= ' ' || strings.IndexByte(`,}]":`, byte(c)) >= 0
	}
	return table
}()

// appendUnescaped reads the escapes of a JSON string.
func appendUnescaped(out, raw []byte) ([]byte, bool) {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		var long int
		if out, long = strictjson.AppendEscape(out, raw[i:]); long == 0 {
			return out, false
		}
		i += long
	}
	return out, true
}
