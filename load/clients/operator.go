package clients

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"agstest/ags"
	"agstest/internal/environment"
)

// operatorSigner signs OperatorAuthTokens as the page "Requesting a session token" shows them (RFC 7515), with each key
// of the file in turn.
type operatorSigner struct {
	keys     []signingKey
	made     atomic.Uint64 // tokens
	life     time.Duration // each is used once and at once
	operator *environment.Operator
	plain    bool // the account is the client's own, or that of the file
	// The claims up to the value of the account, from there to that of exp, and the rest, as JSON text.
	before, between, after []byte
	eachItsOwn             bool // the rest holds what each token has of its own
}

type signingKey struct {
	environment.SigningKey
	header []byte // encoded, with the dot
	// of a shared secret (RFC 7518 section 3.2), with which this type signs itself, for each hit; nil: a private key
	hash func() hash.Hash
}

func newOperatorSigner(e *environment.Environment) *operatorSigner {
	o := e.Operator
	keys, _ := o.Keys() // the reader of the file has refused wrong keys
	further, names := o.Further(), o.Names()
	after := fmt.Appendf(nil, `,"aud":%s`, further["aud"])
	for _, name := range slices.Sorted(maps.Keys(further)) {
		if name != "typ" && name != "aud" {
			after = fmt.Appendf(after, `,%s:%s`, appendJSON(nil, []byte(name)), further[name])
		}
	}
	s := &operatorSigner{
		operator: o, life: o.Life(), plain: o.AccountFor("", "x") == "x",
		before: fmt.Appendf(nil, `{"typ":%s,%s:`, further["typ"],
			appendJSON(nil, []byte(names[ags.OperatorToken.Account]))),
		between: fmt.Appendf(nil, `,%s:%s,"exp":`, appendJSON(nil, []byte(names[ags.OperatorToken.Tenant])),
			appendJSON(nil, []byte(e.Tenant))),
		after:      append(after, '}'),
		eachItsOwn: environment.EachItsOwn(after),
	}
	for _, key := range keys {
		header := append(appendJSON([]byte(`{"alg":`), []byte(key.Algorithm)), `,"typ":"JWT"`...)
		if key.ID != "" {
			header = appendJSON(append(header, `,"kid":`...), []byte(key.ID))
		}
		s.keys = append(s.keys, signingKey{
			SigningKey: key, header: append(base64.RawURLEncoding.AppendEncode(nil, append(header, '}')), '.'),
			hash: map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384,
				"HS512": sha512.New}[key.Algorithm],
		})
	}
	return s
}

func (s *operatorSigner) appendToken(dst, account []byte, now time.Time) []byte {
	switch {
	case !s.plain:
		account = []byte(s.operator.AccountFor("", string(account)))
	case len(account) == 0:
		account = []byte(s.operator.Account)
	}
	var room [256]byte
	claims := appendJSON(append(room[:0], s.before...), account)
	claims = strconv.AppendInt(append(claims, s.between...), now.Add(s.life).Unix(), 10)
	if s.eachItsOwn {
		claims = append(claims, environment.ClaimsOfOne(s.after, now, rand.Text())...)
	} else {
		claims = append(claims, s.after...)
	}
	key := &s.keys[(s.made.Add(1)-1)%uint64(len(s.keys))]
	start := len(dst)
	dst = append(dst, key.header...)
	dst = base64.RawURLEncoding.AppendEncode(dst, claims)
	if key.hash == nil {
		signature, err := key.Sign(string(dst[start:]))
		if err != nil {
			panic(fmt.Sprintf("a key that the reader of the file took cannot sign: %v", err))
		}
		return base64.RawURLEncoding.AppendEncode(append(dst, '.'), signature)
	}
	mac := hmac.New(key.hash, key.Secret)
	mac.Write(dst[start:])
	var sum [sha512.Size]byte
	return base64.RawURLEncoding.AppendEncode(append(dst, '.'), mac.Sum(sum[:0]))
}
