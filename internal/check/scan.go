package check

import (
	"bytes"
	"errors"
	"fmt"
)

// Tokens is the part of a token body that a load run reads. The slices point into the body or into room that the next
// ScanTokens reuses. A member or claim that is absent or no string is nil.
type Tokens struct {
	AccessToken, RefreshToken, ClientID, AccountID []byte
	ExpiresIn                                      int64 // seconds; 0: absent or no integer
	Access, Refresh                                TokenClaims
	// Shape is alike for answers whose members and claims, and the kinds of their values, are alike, whatever the
	// values are; of numbers the length counts too, and of tokens the header, typ, and the length of the signature.
	Shape uint64
	// ResultCode tells that the body has a member resultCode of its own, as refusals of older gateways do.
	ResultCode bool

	room []byte // for decoded payloads and escapes
}

// TokenClaims are the claims that tell whose a token is.
type TokenClaims struct {
	Type, TenantID, AccountID, DeviceID, JTI []byte
	Exp, FixedExp                            int64 // seconds; 0: absent or no integer
	// Opaque: a refresh token of which nothing can be read.
	Opaque bool
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

// ScanTokens reads whose a token body is, on every hit of a load: one pass without a tree, without memory of its own
// once t has room. Its errors say that the body is no token body: broken JSON, a missing token, a token that cannot be
// opened. All other rules are Judge's.
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
		t.Shape += s.shape()
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
		case "resultCode":
			t.ResultCode = true
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
	if t.Refresh.Opaque = opaqueText(t.RefreshToken); t.Refresh.Opaque {
		return nil
	}
	if err := t.scanClaims(t.RefreshToken, &t.Refresh); err != nil {
		return fmt.Errorf("refresh_token: %w", err)
	}
	return nil
}

// noObject says what a body is that does not begin with an object.
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

var dot = []byte{'.'}

// opaqueText is Opaque of a text that is not empty.
func opaqueText(token []byte) bool {
	return bytes.IndexByte(token, '.') < 0 && !bytes.HasPrefix(token, headerStart)
}

var headerStart = []byte("eyJ")

func (t *Tokens) scanClaims(token []byte, c *TokenClaims) error {
	header, rest, _ := bytes.Cut(token, dot)
	segment, signature, three := bytes.Cut(rest, dot)
	if !three || len(header) == 0 || bytes.IndexByte(signature, '.') >= 0 {
		return errSegments
	}
	start := len(t.room)
	var ok bool
	if t.room, ok = appendBase64URL(t.room, segment); !ok {
		return errPayload
	}
	payload := t.room[start:]
	i := skipSpace(payload, 0)
	if i == len(payload) || payload[i] != '{' {
		return errPayload
	}
	s := objectScan{text: payload, at: i + 1}
	shape := shapeOf(uint64(len(signature)), header)
	for s.next() {
		shape += s.shape()
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
	t.Shape = t.Shape*shapePrime + shapeOf(shape, c.Type)
	return nil
}
