package mock

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"

	"agstest/ags"
)

// broughtKeyFaults believe the key that a token brings along (RFC 7515 sections 4.1.2 to 4.1.6), or a signature of
// zeros.
func broughtKeyFaults(name, requirement, operation string) []Fault {
	return []Fault{
		twoParts(name+"-two-parts", requirement, operation),
		lax(name+"-signature-of-zeros", requirement, "a signature of zeros is accepted at "+operation, on(operation),
			ruleSignatureNoZeros),
		lax(name+"-brings-key", requirement, "the key in the header jwk of a token is believed at "+operation, on(operation),
			ruleNoBroughtKey),
		lax(name+"-brings-certificate", requirement, "the certificate in the header x5c of a token is believed at "+operation,
			on(operation), ruleNoBroughtCert),
		lax(name+"-key-address", requirement, "the keys at the address in the header jku of a token are believed at "+
			operation, on(operation), ruleNoKeyAddress),
		lax(name+"-certificate-address", requirement,
			"the certificate at the address in the header x5u of a token is believed at "+operation, on(operation),
			ruleNoCertAddress),
	}
}

// twoParts believes a token that has no third part, as if it had one that is right.
func twoParts(name, requirement, operation string) Fault {
	return wrongRefusal(name, requirement, "a token without a signature, and without the dot before it, is accepted at "+
		operation, on(operation), func(c *call, r *reply) {
		token := cmp.Or(c.authorization(), c.parameter(operatorParameter), c.parameter("sessionToken"),
			c.header(ags.HeaderUserToken))
		head, claims, two := strings.Cut(token, ".")
		said, err := base64.RawURLEncoding.DecodeString(claims)
		if two && err == nil && headerOf(head).Algorithm != "" && json.Valid(said) {
			*r = c.pretend()
		}
	}, ruleToken, ruleOperatorForm, ruleKnownSession, ruleUserTokenKnown)
}

// webKey is a key as a JWK says it (RFC 7517), with the members of a shared secret and of a curve.
type webKey struct {
	Type   string `json:"kty"`
	Secret string `json:"k"`
	X      string `json:"x"`
	Y      string `json:"y"`
}

// brought is what the header of a token says of its key.
type brought struct {
	Algorithm    string   `json:"alg"`
	Key          *webKey  `json:"jwk"`
	Certificates []string `json:"x5c"`
	Keys         string   `json:"jku"`
	Certificate  string   `json:"x5u"`
}

// believesBroughtKey tells whether faults take a token for good because it fits the key that it brings along.
func (c *call) believesBroughtKey(parts []string) bool {
	var header brought
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	signed := []byte(parts[0] + "." + parts[1])
	if !c.enforces(ruleNoBroughtKey) && header.Key != nil && header.Key.fits(header.Algorithm, signed, signature) {
		return true
	}
	if !c.enforces(ruleNoKeyAddress) {
		var set struct {
			Keys []webKey `json:"keys"`
		}
		if json.Unmarshal(contentOf(header.Keys), &set) == nil && len(set.Keys) > 0 &&
			set.Keys[0].fits(header.Algorithm, signed, signature) {
			return true
		}
	}
	if !c.enforces(ruleNoBroughtCert) && len(header.Certificates) > 0 {
		der, _ := base64.StdEncoding.DecodeString(header.Certificates[0])
		if certified(der, signed, signature) {
			return true
		}
	}
	if !c.enforces(ruleNoCertAddress) {
		if block, _ := pem.Decode(contentOf(header.Certificate)); block != nil {
			return certified(block.Bytes, signed, signature)
		}
	}
	return false
}

// contentOf is what stands in a data URL itself (RFC 2397).
func contentOf(address string) []byte {
	head, text, _ := strings.Cut(address, ",")
	if !strings.HasPrefix(head, "data:") || !strings.HasSuffix(head, ";base64") {
		return nil
	}
	content, _ := base64.StdEncoding.DecodeString(text)
	return content
}

// fits tells whether a key has made a signature, with HS256 or ES256.
func (k *webKey) fits(algorithm string, signed, signature []byte) bool {
	switch {
	case k.Type == "oct" && algorithm == "HS256":
		secret, _ := base64.RawURLEncoding.DecodeString(k.Secret)
		mac := hmac.New(sha256.New, secret)
		mac.Write(signed)
		return hmac.Equal(mac.Sum(nil), signature)
	case k.Type == "EC" && algorithm == "ES256":
		x, _ := base64.RawURLEncoding.DecodeString(k.X)
		y, _ := base64.RawURLEncoding.DecodeString(k.Y)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		return err == nil && es256(key, signed, signature)
	}
	return false
}

func certified(der, signed, signature []byte) bool {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return false
	}
	key, is := certificate.PublicKey.(*ecdsa.PublicKey)
	return is && es256(key, signed, signature)
}

func es256(key *ecdsa.PublicKey, signed, signature []byte) bool {
	sum := sha256.Sum256(signed)
	return len(signature) == 64 && ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]),
		new(big.Int).SetBytes(signature[32:]))
}
