package words

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strings"

	"agstest/internal/check"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// The HMAC algorithms of RFC 7518 section 3.2.
var hashes = map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}

// firstGuesses are the keys of examples and of set-ups that nobody has changed.
var firstGuesses = []string{"secret", "password", "changeit", "changeme", "your-256-bit-secret", "your-secret-key", "my-secret-key", "secretkey", "jwt", "key", "test", "admin", "nagra", "ags"}

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
				return talk.Missf("a key that nobody but the service has", "the %s token is signed with %s", t.which, k.words)
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
	for _, name := range []struct{ words, text string }{{"the name of the tenant", w.Tenant}, {"the name of the authentication service", w.Service}, {"its own kid", kid}} {
		if name.text != "" {
			keys = append(keys, knownKey{name.words, []byte(name.text)})
		}
	}
	for _, word := range firstGuesses {
		keys = append(keys, knownKey{"the word " + word, []byte(word)})
	}
	return keys
}
