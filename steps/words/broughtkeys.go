package words

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"sync"
	"time"

	"agstest/steps/talk"
)

// broughtKey is a key pair that nobody knows but this process, in the forms in which the header of a token can bring
// its public half along (RFC 7515 sections 4.1.2 to 4.1.6).
type broughtKey struct {
	private *ecdsa.PrivateKey
	jwk     map[string]string
	der     []byte // a certificate of it, signed by itself
}

var theBroughtKey = sync.OnceValues(func() (*broughtKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "agstest-nobody"}, NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, err
	}
	return &broughtKey{private, map[string]string{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:]), "kid": broughtKeyID}, der}, nil
})

const broughtKeyID = "agstest-nobody"

// sign makes the signature of the first two parts of a JWT with ES256 (RFC 7518 section 3.4).
func (k *broughtKey) sign(signed string) ([]byte, error) {
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return nil, err
	}
	both := make([]byte, 64)
	r.FillBytes(both[:32])
	s.FillBytes(both[32:])
	return both, nil
}

// broughtKeys are tokens that bring their own key, in each way there is: whoever believes it believes everybody. What is
// named by an address stands in the address itself, so that no service has to reach this machine, and no other machine
// is asked.
func broughtKeys(parts []string, header map[string]json.RawMessage) (all []nearMiss) {
	k, err := theBroughtKey()
	if err != nil {
		return nil // no randomness, and then nothing works
	}
	at := func(media string, content []byte) string {
		return "data:" + media + ";base64," + base64.StdEncoding.EncodeToString(content)
	}
	secret := sha256.Sum256(k.der)
	for _, way := range []struct {
		how, algorithm, name string
		value                any
	}{
		{"that brings the secret that it is signed with (jwk)", "HS256", "jwk", map[string]string{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(secret[:])}},
		{"that brings the key that it is signed with (jwk)", "ES256", "jwk", k.jwk},
		{"that brings a certificate of the key that it is signed with (x5c)", "ES256", "x5c", []string{base64.StdEncoding.EncodeToString(k.der)}},
		{"that says where the keys are (jku)", "ES256", "jku", at("application/json", talk.JSON(map[string]any{"keys": []any{k.jwk}}))},
		{"that says where the certificate is (x5u)", "ES256", "x5u", at("application/x-pem-file", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.der}))},
	} {
		own := maps.Clone(header)
		own["alg"], own[way.name] = talk.JSON(way.algorithm), talk.JSON(way.value)
		if way.algorithm == "ES256" {
			own["kid"] = talk.JSON(broughtKeyID)
		}
		signed := base64.RawURLEncoding.EncodeToString(talk.JSON(own)) + "." + parts[1]
		signature, err := k.sign(signed)
		if way.algorithm == "HS256" {
			mac := hmac.New(sha256.New, secret[:])
			mac.Write([]byte(signed))
			signature = mac.Sum(nil)
		}
		if err == nil {
			all = append(all, nearMiss{way.how, signed + "." + base64.RawURLEncoding.EncodeToString(signature), false})
		}
	}
	return all
}
