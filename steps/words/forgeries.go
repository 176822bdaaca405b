package words

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

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
	sign(changed(parts[0], "kid", "agstest-nobody"), environment.SigningKey{}, "that names a key which nobody has, and is signed with an empty one")
	sign(changed(parts[0], "kid", "keys/agstest-nobody"), environment.SigningKey{}, "that names a key which nobody has by a path, and is signed with an empty one")
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

// operatorForgeries returns near misses of an OperatorAuthToken. If the operator's keys have names, one more names a
// key that nobody has under a good signature: a service with only one key may accept it.
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
	at := slices.IndexFunc(keys, func(k environment.SigningKey) bool { return k.ID == kid })
	if kid == "" || at < 0 {
		return all
	}
	header["kid"] = talk.JSON("agstest-nobody")
	signed := base64.RawURLEncoding.EncodeToString(talk.JSON(header)) + "." + parts[1]
	signature, err := keys[at].Sign(signed)
	if err != nil {
		return all
	}
	forged := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	return append(all, nearMiss{"that names another key under a good signature", forged, true})
}
