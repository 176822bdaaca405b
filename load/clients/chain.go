package clients

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// maxShapes bounds how many forms of tokens a sealer learns; a service has one per kind of token and signing key.
const maxShapes = 32

// sealer keeps the tokens of many clients small. A compact JWS (RFC 7515 section 7.1) of one issuer differs from the
// next in a few claims and the signature. The first of each form becomes a shape, and sealer keeps only how later ones
// differ from it, without base64. A refresh token of 461 characters takes about 80 bytes. A token that does not fit is
// kept unchanged; every token comes out as it went in, byte by byte. It is safe for concurrent use.
type sealer struct {
	plain  bool // tokens are kept as they are: few take little memory, and sealing costs a tenth of a hit
	shapes atomic.Pointer[[]shape]
	mu     sync.Mutex // held while a shape is added
}

// shape is the header segment of a token and its payload, split at commas.
type shape struct {
	header string
	parts  [][]byte
}

const rawToken = 0xff

// fewClients keep their tokens as they are: some 1 kB each.
const fewClients = 20_000

var segments = base64.RawURLEncoding.Strict()

// seal appends the small form of a token to dst.
func (s *sealer) seal(dst, token []byte) []byte {
	if s.plain {
		return append(append(dst, rawToken), token...)
	}
	first := bytes.IndexByte(token, '.')
	last := bytes.LastIndexByte(token, '.')
	if first < 0 || last == first {
		return append(append(dst, rawToken), token...)
	}
	var room [1024]byte
	payload, ok := decodeSegment(room[:0], token[first+1:last])
	if !ok {
		return append(append(dst, rawToken), token...)
	}
	var end [64]byte
	signature, ok := decodeSegment(end[:0], token[last+1:])
	if !ok {
		return append(append(dst, rawToken), token...)
	}
	index, ok := s.shapeOf(token[:first], payload)
	if !ok {
		return append(append(dst, rawToken), token...)
	}
	parts := (*s.shapes.Load())[index].parts
	dst = append(dst, byte(index))
	same := len(dst)
	for range (len(parts) + 7) / 8 {
		dst = append(dst, 0)
	}
	for i, part := range parts {
		mine := payload
		if cut := bytes.IndexByte(payload, ','); cut >= 0 {
			mine, payload = payload[:cut], payload[cut+1:]
		}
		if bytes.Equal(mine, part) {
			dst[same+i/8] |= 1 << (i % 8)
			continue
		}
		dst = appendDifference(dst, part, mine)
	}
	return append(dst, signature...)
}

// appendDifference writes what stands in text and not in part: how many bytes are the same at both ends (31 and 7 at
// most), and those between, digits two in a byte.
func appendDifference(dst, part, text []byte) []byte {
	shorter := min(len(part), len(text))
	before := 0
	for before < min(shorter, 31) && part[before] == text[before] {
		before++
	}
	behind := 0
	for behind < min(shorter-before, 7) && part[len(part)-1-behind] == text[len(text)-1-behind] {
		behind++
	}
	middle := text[before : len(text)-behind]
	dst = append(dst, byte(before<<3|behind))
	digits := true
	for _, b := range middle {
		digits = digits && b >= '0' && b <= '9'
	}
	if !digits {
		return append(binary.AppendUvarint(dst, uint64(len(middle))<<1), middle...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(middle))<<1|1)
	for i := 0; i < len(middle); i += 2 {
		pair := middle[i] - '0'
		if i+1 < len(middle) {
			pair |= (middle[i+1] - '0') << 4
		}
		dst = append(dst, pair)
	}
	return dst
}

// appendChanged reads what appendDifference wrote at the start of rest, and gives what stands behind it.
func appendChanged(dst, part, rest []byte) (changed, behindIt []byte) {
	before, behind := int(rest[0]>>3), int(rest[0]&7)
	length, n := binary.Uvarint(rest[1:])
	rest = rest[1+n:]
	dst = append(dst, part[:before]...)
	if count := int(length >> 1); length&1 == 0 {
		dst, rest = append(dst, rest[:count]...), rest[count:]
	} else {
		for i := range count {
			dst = append(dst, '0'+rest[i/2]>>(i%2*4)&0xf)
		}
		rest = rest[(count+1)/2:]
	}
	return append(dst, part[len(part)-behind:]...), rest
}

// opened returns the token that was sealed: the kept bytes if it was kept unchanged, and otherwise a copy in room.
func (s *sealer) opened(room, sealed []byte) []byte {
	if len(sealed) > 0 && sealed[0] == rawToken {
		return sealed[1:]
	}
	return s.open(room[:0], sealed)
}

// open appends the token that was sealed to dst.
func (s *sealer) open(dst, sealed []byte) []byte {
	if len(sealed) == 0 {
		return dst
	}
	if sealed[0] == rawToken {
		return append(dst, sealed[1:]...)
	}
	shape := &(*s.shapes.Load())[sealed[0]]
	same := sealed[1 : 1+(len(shape.parts)+7)/8]
	rest := sealed[1+len(same):]
	var room [1024]byte
	payload := room[:0]
	for i, part := range shape.parts {
		if i > 0 {
			payload = append(payload, ',')
		}
		if same[i/8]&(1<<(i%8)) != 0 {
			payload = append(payload, part...)
			continue
		}
		payload, rest = appendChanged(payload, part, rest)
	}
	dst = append(append(dst, shape.header...), '.')
	dst = segments.AppendEncode(dst, payload)
	dst = append(dst, '.')
	return segments.AppendEncode(dst, rest)
}

// shapeOf finds the shape of a token by its header segment and the number of its parts, and makes it one where it is
// the first.
func (s *sealer) shapeOf(header, payload []byte) (int, bool) {
	count := bytes.Count(payload, []byte{','}) + 1
	if index, ok := findShape(s.shapes.Load(), header, count); ok {
		return index, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.shapes.Load()
	if index, ok := findShape(known, header, count); ok {
		return index, true
	}
	var shapes []shape
	if known != nil {
		shapes = *known
	}
	if len(shapes) == maxShapes {
		return 0, false
	}
	// Readers hold the slice of before, which is never written again below its length.
	shapes = append(shapes[:len(shapes):len(shapes)],
		shape{string(header), bytes.Split(bytes.Clone(payload), []byte{','})})
	s.shapes.Store(&shapes)
	return len(shapes) - 1, true
}

func findShape(shapes *[]shape, header []byte, parts int) (int, bool) {
	if shapes == nil {
		return 0, false
	}
	for i := range *shapes {
		if shape := &(*shapes)[i]; len(shape.parts) == parts && shape.header == string(header) {
			return i, true
		}
	}
	return 0, false
}

// decodeSegment appends the content of a base64url segment, if encoding it gives the same segment again.
func decodeSegment(dst, segment []byte) ([]byte, bool) {
	start := len(dst)
	decoded, err := segments.AppendDecode(dst, segment)
	// The decoder passes over line breaks, which would be lost.
	return decoded, err == nil && segments.EncodedLen(len(decoded)-start) == len(segment)
}
