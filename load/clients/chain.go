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
// next in a few claims and the signature; the first of each form becomes a shape, and later ones are kept as what
// differs from it, without base64. A refresh token of 461 characters takes about 160 bytes. Whatever does not fit is
// kept as it is; what goes in comes out, byte by byte. It is safe for concurrent use.
type sealer struct {
	shapes atomic.Pointer[[]shape]
	mu     sync.Mutex // held while a shape is added
}

// shape is the header segment of a token and its payload, split at commas.
type shape struct {
	header string
	parts  [][]byte
}

const rawToken = 0xff

var segments = base64.RawURLEncoding.Strict()

// seal appends the small form of a token to dst.
func (s *sealer) seal(dst, token []byte) []byte {
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
		dst = binary.AppendUvarint(dst, uint64(len(mine)))
		dst = append(dst, mine...)
	}
	return append(dst, signature...)
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
		length, n := binary.Uvarint(rest)
		payload = append(payload, rest[n:n+int(length)]...)
		rest = rest[n+int(length):]
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
	shapes = append(shapes[:len(shapes):len(shapes)], shape{string(header), bytes.Split(bytes.Clone(payload), []byte{','})})
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

// decodeSegment appends what a base64url segment says, if encoding that gives the same segment again.
func decodeSegment(dst, segment []byte) ([]byte, bool) {
	start := len(dst)
	decoded, err := segments.AppendDecode(dst, segment)
	// The decoder passes over line breaks, which would be lost.
	return decoded, err == nil && segments.EncodedLen(len(decoded)-start) == len(segment)
}
