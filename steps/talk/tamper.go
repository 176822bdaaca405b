package talk

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Tampered changes a token that was good: its payload claims another device, or its signature has other bytes.
func Tampered(token, part string) string {
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return token + "x"
	}
	decode, encode := base64.RawURLEncoding.DecodeString, base64.RawURLEncoding.EncodeToString
	if part == "signature" {
		bytes, err := decode(segments[2])
		if err != nil || len(bytes) == 0 {
			return token + "x"
		}
		bytes[0] ^= 0x01
		segments[2] = encode(bytes)
		return strings.Join(segments, ".")
	}
	bytes, err := decode(segments[1])
	var claims map[string]json.RawMessage
	if err != nil || json.Unmarshal(bytes, &claims) != nil {
		return token + "x"
	}
	claims["deviceId"] = JSON("agstest_somebody_else")
	segments[1] = encode(JSON(claims))
	return strings.Join(segments, ".")
}

// Unsigned gives a token the header alg none and an empty signature (RFC 7518 section 3.6).
func Unsigned(token string) (string, bool) {
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + segments[1] + ".", true
}
