package check

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Tokens is what a load run reads of every token body. The slices point into the body or into room that the next ScanTokens reuses.
// A member or claim that is absent or no string is nil.
type Tokens struct {
	AccessToken, RefreshToken, ClientID, AccountID []byte
	ExpiresIn                                      int64 // seconds; 0: absent or no integer
	Access, Refresh                                TokenClaims

	room []byte // for decoded payloads and escapes
}

// TokenClaims are the claims that tell whose a token is.
type TokenClaims struct {
	Type, TenantID, AccountID, DeviceID, JTI []byte
	Exp, FixedExp                            int64 // seconds; 0: absent or no integer
}

// The first things that are wrong with a token body, as ScanTokens tells them.
var (
	errNoObject  = errors.New("the body is not a JSON object")
	errEmpty     = errors.New("the body is empty")
	errPage      = errors.New("the body is a page of HTML or XML, not JSON")
	errUTF16     = errors.New("the body is UTF-16, and JSON is UTF-8")
	errMark      = errors.New("a byte order mark stands before the JSON")
	errBrokenOff = errors.New("the JSON breaks off or is malformed")
	errTrailing  = errors.New("something stands after the end of the JSON")
	errTwice     = errors.New("a member is there twice")
	errSegments  = errors.New("it is not a compact JWS of three segments")
	errPayload   = errors.New("its payload is not a JSON object in base64url")
)

// ScanTokens reads whose a token body is, on every hit of a load: one pass without a tree, without memory of its own once t has room.
// Its errors say that the body is no token body: broken JSON, a missing token, a token that cannot be opened. All other rules are
// Judge's.
func ScanTokens(body []byte, t *Tokens) error {
	room := t.room[:0]
	if cap(room) < len(body) {
		room = make([]byte, 0, len(body)+len(body)/2)
	}
	*t = Tokens{room: room}
	i := skipSpace(body, 0)
	if i == len(body) || body[i] != '{' {
		return noObject(body[i:])
	}
	s := objectScan{text: body, at: i + 1}
	for s.next() {
		switch string(s.name) {
		case "access_token":
			s.takeString(&t.AccessToken, &t.room)
		case "refresh_token":
			s.takeString(&t.RefreshToken, &t.room)
		case "client_id":
			s.takeString(&t.ClientID, &t.room)
		case "accountId":
			s.takeString(&t.AccountID, &t.room)
		case "expires_in":
			t.ExpiresIn = s.integer()
		}
	}
	if s.err != nil {
		return s.err
	}
	if skipSpace(body, s.at) != len(body) {
		return errTrailing
	}
	if len(t.AccessToken) == 0 {
		return errors.New("access_token is no non-empty string")
	}
	if len(t.RefreshToken) == 0 {
		return errors.New("refresh_token is no non-empty string")
	}
	if err := t.scanClaims(t.AccessToken, &t.Access); err != nil {
		return fmt.Errorf("access_token: %w", err)
	}
	if err := t.scanClaims(t.RefreshToken, &t.Refresh); err != nil {
		return fmt.Errorf("refresh_token: %w", err)
	}
	return nil
}

// noObject says what a body is that begins with no object.
func noObject(rest []byte) error {
	switch {
	case len(rest) == 0:
		return errEmpty
	case rest[0] == '<':
		return errPage
	case looksLikeUTF16(rest):
		return errUTF16
	case bytes.HasPrefix(rest, []byte("\xef\xbb\xbf")):
		return errMark
	}
	return errNoObject
}

func (t *Tokens) scanClaims(token []byte, c *TokenClaims) error {
	first, second := -1, -1
	for i, b := range token {
		if b != '.' {
			continue
		}
		switch {
		case first < 0:
			first = i
		case second < 0:
			second = i
		default:
			return errSegments
		}
	}
	if second < 0 || first == 0 {
		return errSegments
	}
	start := len(t.room)
	var ok bool
	if t.room, ok = appendBase64URL(t.room, token[first+1:second]); !ok {
		return errPayload
	}
	payload := t.room[start:]
	i := skipSpace(payload, 0)
	if i == len(payload) || payload[i] != '{' {
		return errPayload
	}
	s := objectScan{text: payload, at: i + 1}
	for s.next() {
		switch string(s.name) {
		case "typ":
			s.takeString(&c.Type, &t.room)
		case "tenantId":
			s.takeString(&c.TenantID, &t.room)
		case "accountId":
			s.takeString(&c.AccountID, &t.room)
		case "deviceId":
			s.takeString(&c.DeviceID, &t.room)
		case "jti":
			s.takeString(&c.JTI, &t.room)
		case "exp":
			c.Exp = s.integer()
		case "fixed_exp":
			c.FixedExp = s.integer()
		}
	}
	if s.err != nil || skipSpace(payload, s.at) != len(payload) {
		return errPayload
	}
	return nil
}

// objectScan steps over the members of one JSON object.
type objectScan struct {
	text  []byte
	at    int
	begun bool
	name  []byte // of the member
	value []byte // as it is written
	err   error
}

func (s *objectScan) next() bool {
	if s.err != nil {
		return false
	}
	i := skipSpace(s.text, s.at)
	if i < len(s.text) && s.text[i] == '}' && !s.begun {
		s.at = i + 1
		return false
	}
	if s.begun {
		switch {
		case i < len(s.text) && s.text[i] == '}':
			s.at = i + 1
			return false
		case i < len(s.text) && s.text[i] == ',':
			i = skipSpace(s.text, i+1)
		default:
			s.err = errBrokenOff
			return false
		}
	}
	s.begun = true
	end := skipString(s.text, i)
	if end < 0 {
		s.err = errBrokenOff
		return false
	}
	s.name = s.text[i+1 : end-1]
	if bytes.IndexByte(s.name, '\\') >= 0 { // a name may be written with escapes too (RFC 8259 section 8.3)
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
	if end = skipValue(s.text, i); end < 0 {
		s.err = errBrokenOff
		return false
	}
	s.value, s.at = s.text[i:end], end
	return true
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
	for _, b := range raw {
		if b == '\\' {
			start := len(*room)
			var ok bool
			if *room, ok = appendUnescaped(*room, raw); !ok {
				s.err = errBrokenOff
				return
			}
			*into = (*room)[start:len(*room):len(*room)]
			return
		}
	}
	*into = raw[:len(raw):len(raw)]
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

// skipString gives the index behind the string at i, −1 if there is none.
func skipString(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			i++
		case c < 0x20:
			return -1
		}
	}
	return -1
}

// skipValue gives the index behind the value at i, −1 if there is none. Inside objects and arrays only brackets and strings are looked at.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				if i = skipString(b, i); i < 0 {
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
	start := i
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' && b[i] != '"' && b[i] != ':' {
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

// appendUnescaped reads the escapes of a JSON string.
func appendUnescaped(out, raw []byte) ([]byte, bool) {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		if i == len(raw) {
			return out, false
		}
		switch raw[i] {
		case '"', '\\', '/':
			out = append(out, raw[i])
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			p := jsonParser{text: raw}
			r, ok := p.hex(i + 1)
			if !ok {
				return out, false
			}
			i += 4
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					if low, ok := p.hex(i + 3); ok {
						if pair = utf16.DecodeRune(r, low); pair != utf8.RuneError {
							i += 6
						}
					}
				}
				r = pair
			}
			out = utf8.AppendRune(out, r)
		default:
			return out, false
		}
	}
	return out, true
}
