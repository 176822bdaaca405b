package mock

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"strings"
	"sync"
)

// The HMAC algorithms of RFC 7518 section 3.2.
var algorithms = map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}

// signer signs and verifies JWTs in compact form (RFC 7515 section 3.1) with one HMAC key. It is safe for concurrent
// use.
type signer struct {
	algorithm string
	keyID     string
	key       []byte
	macs      sync.Pool
}

func newSigner(algorithm, keyID string, key []byte) *signer {
	s := &signer{algorithm: algorithm, keyID: keyID, key: key}
	s.macs.New = func() any { return hmac.New(algorithms[algorithm], key) }
	return s
}

// guessable signs with a key that everybody tries first.
var guessable = newSigner("HS256", "1", []byte("secret"))

// signer makes and checks the tokens of a call: with the service's own key, or with one that faults put in its place.
func (c *call) signer() *signer {
	switch {
	case !c.enforces(ruleOwnKey):
		return c.server.operator
	case !c.enforces(ruleStrongKey):
		return guessable
	}
	return c.server.signers[cmp.Or(c.set.behaviour.Algorithm, "HS256")]
}

// signerOf is the signer of a token that came: the one of the call, or another that faults take for as good.
func (c *call) signerOf(compact string) *signer {
	by := c.signer()
	var claims tokenClaims
	if !c.enforces(ruleNoOperatorKey) && c.server.operator.verify(compact, &claims, overlookNothing) == nil {
		return c.server.operator
	}
	if parts := strings.Split(compact, "."); !c.enforces(ruleKeyIDNoKey) && len(parts) == 3 &&
		headerOf(parts[0]).KeyID != nil {
		if named := newSigner("HS256", by.keyID, []byte(by.keyID)); named.verify(compact, &claims,
			overlookNothing) == nil {
			return named
		}
	}
	if parts := strings.Split(compact, "."); !c.enforces(ruleNoKeyNoToken) && len(parts) == 3 {
		if kid := headerOf(parts[0]).KeyID; kid != nil && *kid != by.keyID {
			if keyless := newSigner("HS256", *kid, nil); keyless.verify(compact, &claims, overlookNothing) == nil {
				return keyless
			}
		}
	}
	if !c.enforces(ruleNoEmptyKey) {
		if keyless := newSigner("HS256", by.keyID, nil); keyless.verify(compact, &claims, overlookNothing) == nil {
			return keyless
		}
	}
	return by
}

func (s *signer) header() object {
	return object{{"kid", s.keyID}, {"alg", s.algorithm}, {"typ", "JWT"}}
}

func (s *signer) mac(signingInput []byte) []byte {
	mac := s.macs.Get().(hash.Hash)
	mac.Reset()
	mac.Write(signingInput)
	sum := mac.Sum(make([]byte, 0, 64))
	s.macs.Put(mac)
	return sum
}

// signedOtherwise tells whether a token is signed with the same key and another HMAC.
func (s *signer) signedOtherwise(parts []string) bool {
	if len(parts) != 3 {
		return false
	}
	of, known := algorithms[headerOf(parts[0]).Algorithm]
	if !known {
		return false
	}
	mac := hmac.New(of, s.key)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	given, err := base64.RawURLEncoding.DecodeString(parts[2])
	return err == nil && hmac.Equal(mac.Sum(nil), given)
}

// scratch are buffers that tokens and bodies are written into.
type scratch struct{ plain, encoded []byte }

var scratches = sync.Pool{New: func() any { return &scratch{make([]byte, 0, 4096), make([]byte, 0, 2048)} }}

func (s *signer) sign(header, claims object) string {
	buffers := scratches.Get().(*scratch)
	defer scratches.Put(buffers)
	buffers.plain = appendJSON(buffers.plain[:0], header)
	compact := base64.RawURLEncoding.AppendEncode(buffers.encoded[:0], buffers.plain)
	compact = append(compact, '.')
	buffers.plain = appendJSON(buffers.plain[:0], claims)
	compact = base64.RawURLEncoding.AppendEncode(compact, buffers.plain)
	mac := s.mac(compact)
	compact = append(compact, '.')
	compact = base64.RawURLEncoding.AppendEncode(compact, mac)
	buffers.encoded = compact
	return string(compact)
}

var (
	errNoToken      = errors.New("not a token of three parts")
	errAlgorithm    = errors.New("the algorithm is not the agreed one")
	errKeyID        = errors.New("the key is not known")
	errSignature    = errors.New("the signature does not fit")
	errClaims       = errors.New("the claims cannot be read")
	strictBase64URL = base64.RawURLEncoding.Strict()
)

// jose is the protected header of a token.
type jose struct {
	Algorithm string          `json:"alg"`
	KeyID     *string         `json:"kid"`
	Critical  json.RawMessage `json:"crit"`
}

// verify checks form, algorithm, key id and signature, in this order, and reads the claims. Overlook tells which
// failures do not count; after one of them verify fails only if the claims cannot be read.
func (s *signer) verify(compact string, claims any, overlook func(error) bool) error {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return errNoToken
	}
	rawHeader, err := strictBase64URL.DecodeString(parts[0])
	if err != nil {
		return errNoToken
	}
	var header jose
	if json.Unmarshal(rawHeader, &header) != nil || header.Critical != nil {
		return errNoToken
	}
	payload, err := strictBase64URL.DecodeString(parts[1])
	if err != nil {
		return errNoToken
	}
	if header.Algorithm != s.algorithm && !overlook(errAlgorithm) {
		return errAlgorithm
	}
	if (header.KeyID == nil || *header.KeyID != s.keyID) && !overlook(errKeyID) {
		return errKeyID
	}
	signature, err := strictBase64URL.DecodeString(parts[2])
	mac := s.mac([]byte(compact[:len(parts[0])+1+len(parts[1])]))
	if (err != nil || subtle.ConstantTimeCompare(mac, signature) != 1) && !overlook(errSignature) &&
		(header.Algorithm == s.algorithm || !overlook(errAlgorithm)) {
		return errSignature
	}
	if json.Unmarshal(payload, claims) != nil {
		return errClaims
	}
	return nil
}

func overlookNothing(error) bool { return false }
