package words

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"hash"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/internal/check"
	"agstest/internal/environment"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// forgeries returns near misses of a signed token: its signature cut short, left out, of another key or of one that the
// token brings along, and changes of its claims that only a check of the signature notices. A text that is no token has
// none.
func forgeries(w *scene.World, right string) []nearMiss {
	parts := strings.Split(right, ".")
	if len(parts) != 3 {
		return nil
	}
	encode := base64.RawURLEncoding.EncodeToString
	said := func(part string) map[string]json.RawMessage {
		var members map[string]json.RawMessage
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || json.Unmarshal(raw, &members) != nil {
			return map[string]json.RawMessage{}
		}
		return members
	}
	changed := func(part, name string, value any) string {
		members := said(part)
		members[name] = talk.JSON(value)
		return encode(talk.JSON(members))
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) < 4 {
		return nil
	}
	var exp int64
	_ = json.Unmarshal(said(parts[1])["exp"], &exp)
	flipped := slices.Clone(signature)
	flipped[len(flipped)-1] ^= 0x10
	return slices.Concat(otherKeys(w, parts, changed), broughtKeys(parts, said(parts[0])), []nearMiss{
		{"with half of its signature", parts[0] + "." + parts[1] + "." + encode(signature[:len(signature)/2]), false},
		{"without its last byte", parts[0] + "." + parts[1] + "." + encode(signature[:len(signature)-1]), false},
		{"with four bytes of its signature", parts[0] + "." + parts[1] + "." + parts[2][:5], false},
		{"without a signature and the dot before it", parts[0] + "." + parts[1], false},
		{"with an empty signature", parts[0] + "." + parts[1] + ".", false},
		{"with a signature of zeros", parts[0] + "." + parts[1] + "." + encode(make([]byte, len(signature))), false},
		{"with another last byte of its signature", parts[0] + "." + parts[1] + "." + encode(flipped), false},
		{"that says it is good for a second more", parts[0] + "." + changed(parts[1], "exp", exp+1) + "." + parts[2], false},
		{"that says something that nobody reads", parts[0] + "." + changed(parts[1], "agstest", "x") + "." + parts[2], false},
		{"that names another key", changed(parts[0], "kid", "agstest-nobody") + "." + parts[1] + "." + parts[2], false},
		{"that names another key, and is signed with it", changed(parts[0], "kid", "agstest-nobody") + "." + parts[1] + "." + encode(flipped), false},
		{"that says it is signed with none", encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".", false},
		{"that says it is signed with None", changed(parts[0], "alg", "None") + "." + parts[1] + ".", false},
		{"that says it is signed with HS384", changed(parts[0], "alg", "HS384") + "." + parts[1] + "." + parts[2], false},
	})
}

func kidOf(header string) string {
	var said struct {
		KeyID string `json:"kid"`
	}
	raw, _ := base64.RawURLEncoding.DecodeString(header)
	_ = json.Unmarshal(raw, &said)
	return said.KeyID
}

const ofOperatorKey = "that is signed with the key of the operator"

// otherKeys returns a token that is signed with keys which are not the service's for it: an empty one, and that of the
// operator, which a service knows too.
func otherKeys(w *scene.World, parts []string, changed func(part, name string, value any) string) (all []nearMiss) {
	sign := func(header string, k environment.SigningKey, how string) {
		k.Algorithm = "HS256"
		signed := changed(header, "alg", "HS256") + "." + parts[1]
		if signature, err := k.Sign(signed); err == nil {
			all = append(all, nearMiss{how, signed + "." + base64.RawURLEncoding.EncodeToString(signature), false})
		}
	}
	sign(parts[0], environment.SigningKey{}, "that is signed with an empty key")
	sign(changed(parts[0], "kid", "agstest-nobody"), environment.SigningKey{},
		"that names a key which nobody has, and is signed with an empty one")
	sign(changed(parts[0], "kid", "keys/agstest-nobody"), environment.SigningKey{},
		"that names a key which nobody has by a path, and is signed with an empty one")
	if kid := kidOf(parts[0]); kid != "" {
		sign(parts[0], environment.SigningKey{Secret: []byte(kid)}, "that is signed with its own kid")
	}
	if w.Stage.Environment.Operator == nil {
		return all
	}
	keys, err := w.Stage.OperatorKeys()
	if err != nil || len(keys) == 0 || keys[0].Public() {
		return all
	}
	sign(changed(parts[0], "kid", keys[0].ID), keys[0], ofOperatorKey)
	return all
}

// keptForgeries returns near misses of a session token or userAccountToken, if it is a signed token. The key of the
// operator is left out: a service may share it with the head-end that asks for such tokens.
func keptForgeries(w *scene.World, right string) []nearMiss {
	return slices.DeleteFunc(forgeries(w, right), func(m nearMiss) bool { return m.how == ofOperatorKey })
}

// operatorForgeries returns near misses of an OperatorAuthToken. If the operator's keys have names, some more name a
// key that nobody has, or one whose name resembles that of the key, under a good signature: a service with only one key
// may accept them.
func operatorForgeries(w *scene.World, right string) []nearMiss {
	all := keptForgeries(w, right)
	keys, err := w.Stage.OperatorKeys()
	parts := strings.Split(right, ".")
	if err != nil || len(parts) != 3 {
		return all
	}
	var header map[string]json.RawMessage
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return all
	}
	var kid string
	_ = json.Unmarshal(header["kid"], &kid)
	named := func(kid string) int {
		return slices.IndexFunc(keys, func(k environment.SigningKey) bool { return k.ID == kid })
	}
	at := named(kid)
	if kid == "" || at < 0 {
		return all
	}
	others := []nearMiss{{"that names another key under a good signature", "agstest-nobody", true}}
	for _, m := range nearMisses(kid, false, false) {
		others = append(others, nearMiss{"under a good signature, its kid " + m.how, m.text, true})
	}
	for _, other := range others {
		if named(other.text) >= 0 {
			continue
		}
		header["kid"] = talk.JSON(other.text)
		signed := base64.RawURLEncoding.EncodeToString(talk.JSON(header)) + "." + parts[1]
		if signature, err := keys[at].Sign(signed); err == nil {
			other.text = signed + "." + base64.RawURLEncoding.EncodeToString(signature)
			all = append(all, other)
		}
	}
	return all
}

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
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "agstest-nobody"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, err
	}
	return &broughtKey{private, map[string]string{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]),
		"y": encode(point[33:]), "kid": broughtKeyID}, der}, nil
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

// broughtKeys are tokens that bring their own key, in each way there is: whoever believes it believes everybody. What
// is named by an address stands in the address itself, so that no service has to reach this machine, and no other
// machine is asked.
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

// The HMAC algorithms of RFC 7518 section 3.2.
var hashes = map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}

// firstGuesses are the keys of examples and of set-ups that nobody has changed.
var firstGuesses = []string{"secret", "password", "changeit", "changeme", "your-256-bit-secret", "your-secret-key",
	"my-secret-key", "secretkey", "jwt", "key", "test", "admin", "nagra", "ags"}

// knownKey is a key that others than the service know.
type knownKey struct {
	words string
	key   []byte
}

// ownKey looks whether a token was signed with a key that others know. Whoever has it signs on as anybody.
func ownKey(w *scene.World, p *check.Pair) error {
	looked := false
	for _, t := range []struct{ which, compact string }{{"access", p.AccessToken}, {"refresh", p.RefreshToken}} {
		jws, err := check.ParseJWS(t.compact)
		if err != nil {
			continue // which TOK-01 says
		}
		of, shared := hashes[jws.Header.Get("alg").String()]
		if !shared {
			continue
		}
		looked = true
		signed := t.compact[:strings.LastIndexByte(t.compact, '.')]
		for _, k := range knownKeys(w, jws.Header.Get("kid").String()) {
			mac := hmac.New(of, k.key)
			mac.Write([]byte(signed))
			if hmac.Equal(mac.Sum(nil), jws.Signature) {
				return talk.Missf("a key that nobody but the service has", "the %s token is signed with %s", t.which,
					k.words)
			}
		}
	}
	if !looked {
		return &talk.Seen{What: "no token is signed with a shared secret, so that no key can be guessed"}
	}
	return nil
}

func knownKeys(w *scene.World, kid string) []knownKey {
	keys := []knownKey{{"an empty key", nil}}
	if o := w.Stage.Environment.Operator; o != nil {
		if own, err := w.Stage.OperatorKeys(); err == nil {
			for _, k := range own {
				if len(k.Secret) > 0 {
					keys = append(keys, knownKey{"the key of the operator", k.Secret})
				}
			}
		}
	}
	for _, name := range []struct{ words, text string }{{"the name of the tenant", w.Tenant},
		{"the name of the authentication service", w.Service}, {"its own kid", kid}} {
		if name.text != "" {
			keys = append(keys, knownKey{name.words, []byte(name.text)})
		}
	}
	for _, word := range firstGuesses {
		keys = append(keys, knownKey{"the word " + word, []byte(word)})
	}
	return keys
}
