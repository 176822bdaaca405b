package check

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
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

// ParseJWS takes a compact JWS apart by its bytes: three segments, each base64url without padding and without stray
// bits, a header that is a JSON object in which no member appears twice (RFC 7515 sections 4 and 5.2), and no critical
// extension, because it understands none (section 4.1.11). The caller decides about an empty signature, because it
// knows which alg allows one.
func ParseJWS(compact string) (*JWS, error) {
	if n := strings.Count(compact, "."); n != 2 {
		return nil, fmt.Errorf("a compact JWS has 3 segments, this has %d", n+1)
	}
	first, rest, _ := strings.Cut(compact, ".")
	second, third, _ := strings.Cut(rest, ".")
	var segments [3][]byte
	room, text := make([]byte, 0, len(compact)), []byte(compact)
	for i, s := range []string{first, second, third} {
		begin, ok := len(room), false
		if room, ok = appendBase64URL(room, text[:len(s)]); !ok {
			return nil, fmt.Errorf("the %s is not base64url: %w", [...]string{"header", "payload", "signature"}[i],
				whyNotBase64URL(s))
		}
		segments[i], text = room[begin:len(room):len(room)], text[min(len(s)+1, len(text)):]
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

// Opaque tells whether a token does not claim to be a JWS: it has no dot, and does not begin like a header in
// base64url. The content of a refresh token is for its issuer alone, so it may be opaque.
func Opaque(token string) bool {
	return token != "" && !strings.Contains(token, ".") && !strings.HasPrefix(token, "eyJ")
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

// parts are a token and its claims; err says what of them cannot be read.
type parts struct {
	jws    *JWS
	claims *strictjson.Value
	err    error
}

func takeApart(compact string) (p parts) {
	if p.jws, p.err = ParseJWS(compact); p.err == nil {
		p.claims, p.err = p.jws.Claims()
	}
	return p
}

// whyNotBase64URL says why appendBase64URL does not read a text.
func whyNotBase64URL(s string) error {
	if len(s)%4 == 1 {
		return errors.New("its length is impossible")
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '=':
			return errors.New("it is padded")
		case c == '+', c == '/':
			return errors.New("it has the alphabet of plain base64")
		case base64URLDigits[c] == notBase64:
			return errors.New("it has a character outside the alphabet")
		}
	}
	return errors.New("its unused bits are not zero")
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

// strictBase64URL is the library's, which skips line breaks all the same.
var strictBase64URL = base64.RawURLEncoding.Strict()

// appendBase64URL reads base64url into room that may be there. It is strict: the alphabet of RFC 4648 section 5, no
// padding, no line breaks, unused bits zero. The library skips line breaks even where it is told to be strict.
//
// It is the library's decoder in half the time, which counts on every hit of a load: it looks up four letters of a
// whole group at once, each already shifted to its place, and leaves the last group to the library.
func appendBase64URL(out, in []byte) ([]byte, bool) {
	groups := max(0, len(in)-1) / 4
	start := len(out)
	out = slices.Grow(out, 3*groups+4)
	room := out[start : start+3*groups+1] // each group writes four bytes, of which the next one overwrites the last
	wrong := uint32(0)
	for i := range groups {
		letters := in[4*i : 4*i+4 : 4*i+4]
		group := shifted[0][letters[0]] | shifted[1][letters[1]] | shifted[2][letters[2]] | shifted[3][letters[3]]
		wrong |= group
		binary.BigEndian.PutUint32(room[3*i:3*i+4:3*i+4], group)
	}
	rest := in[4*groups:]
	if wrong&wrongLetter != 0 || bytes.IndexByte(rest, '\n') >= 0 || bytes.IndexByte(rest, '\r') >= 0 {
		return out[:start], false
	}
	out, err := strictBase64URL.AppendDecode(out[:start+3*groups], rest)
	return out, err == nil
}

// wrongLetter is set in shifted for letters outside the alphabet. A group is in the upper three of four bytes.
const wrongLetter = 1

// shifted is the value of a letter as the first, second, third and fourth of a group.
var shifted = func() (table [4][256]uint32) {
	for place := range table {
		for letter, digit := range base64URLDigits {
			table[place][letter] = wrongLetter
			if digit != notBase64 {
				table[place][letter] = uint32(digit) << (26 - 6*place)
			}
		}
	}
	return table
}()
