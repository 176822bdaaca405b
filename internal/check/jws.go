package check

import (
	"errors"
	"fmt"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// JWS is a token in compact serialization, taken apart (RFC 7515 section 3.1). Nothing of it is verified.
type JWS struct {
	Header    *strictjson.Value // JSON object
	Payload   []byte
	Signature []byte
}

// ParseJWS takes a compact JWS apart by its bytes: three segments, each base64url without padding and without stray bits, a header that
// is a JSON object in which no member stands twice (RFC 7515 sections 4 and 5.2), and no critical extension, because none is understood
// here (section 4.1.11). An empty signature is left to the caller, who knows what alg allows.
func ParseJWS(compact string) (*JWS, error) {
	if n := strings.Count(compact, "."); n != 2 {
		return nil, fmt.Errorf("a compact JWS has 3 segments, this has %d", n+1)
	}
	first, rest, _ := strings.Cut(compact, ".")
	second, third, _ := strings.Cut(rest, ".")
	var segments [3][]byte
	for i, s := range []string{first, second, third} {
		decoded, err := decodeBase64URL(s)
		if err != nil {
			return nil, fmt.Errorf("the %s is not base64url: %w", [...]string{"header", "payload", "signature"}[i], err)
		}
		segments[i] = decoded
	}
	header, err := strictjson.Parse(segments[0])
	if err != nil {
		return nil, fmt.Errorf("the header is not clean JSON: %w", err)
	}
	if header.Kind != ags.Object {
		return nil, fmt.Errorf("the header is a JSON %s, not an object", header.Kind)
	}
	if header.Get("crit") != nil {
		return nil, errors.New("the header names critical extensions (crit) that the documentation does not know")
	}
	return &JWS{header, segments[1], segments[2]}, nil
}

// Claims reads the payload as a JSON object in which no claim stands twice (RFC 7519 section 4).
func (j *JWS) Claims() (*strictjson.Value, error) {
	claims, err := strictjson.Parse(j.Payload)
	if err != nil {
		return nil, fmt.Errorf("the payload is not clean JSON: %w", err)
	}
	if claims.Kind != ags.Object {
		return nil, fmt.Errorf("the payload is a JSON %s, not an object", claims.Kind)
	}
	return claims, nil
}

// decodeBase64URL is strict: the alphabet of RFC 4648 section 5, no padding, no line breaks, unused bits zero. The library skips line
// breaks even where it is told to be strict.
func decodeBase64URL(s string) ([]byte, error) {
	out, ok := appendBase64URL(make([]byte, 0, len(s)*3/4), []byte(s))
	if ok {
		return out, nil
	}
	if len(s)%4 == 1 {
		return nil, errors.New("its length is impossible")
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '=':
			return nil, errors.New("it is padded")
		case c == '+', c == '/':
			return nil, errors.New("it has the alphabet of plain base64")
		case base64URLDigits[c] == notBase64:
			return nil, errors.New("it has a character outside the alphabet")
		}
	}
	return nil, errors.New("its unused bits are not zero")
}

const notBase64 = 0xff

var base64URLDigits = func() (table [256]byte) {
	for i := range table {
		table[i] = notBase64
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		table[c] = byte(i)
	}
	return table
}()

// appendBase64URL is decodeBase64URL into room that is there already, without saying what is wrong.
func appendBase64URL(out, in []byte) ([]byte, bool) {
	if len(in)%4 == 1 {
		return out, false
	}
	var bits uint32
	var n uint
	for _, c := range in {
		v := base64URLDigits[c]
		if v == notBase64 {
			return out, false
		}
		bits = bits<<6 | uint32(v)
		if n += 6; n >= 8 {
			n -= 8
			out = append(out, byte(bits>>n))
		}
	}
	return out, bits&(1<<n-1) == 0
}
