package check

import (
	"maps"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/redact"
	"agstest/internal/strictjson"
)

// givesNothingAway judges ERR-14: no answer holds the key of the operator or the passwords of users. ERR-10 is for
// refusals that repeat secrets of the request.
func (j *judge) givesNothingAway() {
	const expected = "neither the operator's key nor a password, in the body, a header or a token"
	looked, told := false, ""
	for _, secret := range j.k.Guarded {
		if len(secret) < redact.MinSecret || j.x.Status >= 400 && j.wasSent(secret) {
			continue
		}
		if !looked {
			looked, told = true, j.allTold()
		}
		if !redact.Mentions(told, secret) {
			continue
		}
		if place := j.placeOf(secret); place != "" {
			j.add("ERR-14", Broken, expected, place+" gives one of them away")
			return
		}
	}
	if looked {
		j.add("ERR-14", Held, expected, "none")
	}
}

// allTold is everything that an answer tells: headers, body, texts without escapes, claims of tokens.
func (j *judge) allTold() string {
	var b strings.Builder
	for _, values := range j.x.Header {
		b.WriteString(strings.Join(values, "\n") + "\n")
	}
	b.Write(j.x.Body)
	if j.body == nil {
		return b.String()
	}
	for _, text := range texts(j.body, nil) {
		b.WriteString("\n" + text)
		if claims := claimsOf(text); claims != nil {
			b.WriteString("\n" + strings.Join(texts(claims, nil), "\n"))
		}
	}
	return b.String()
}

// placeOf says where an answer mentions a secret, and nothing where it does not.
func (j *judge) placeOf(secret string) string {
	for _, name := range slices.Sorted(maps.Keys(j.x.Header)) {
		if redact.Mentions(strings.Join(j.x.Header[name], "\n"), secret) {
			return "the header " + strictjson.Brief(name)
		}
	}
	if j.body == nil {
		if redact.Mentions(string(j.x.Body), secret) {
			return "the body"
		}
		return ""
	}
	for _, text := range texts(j.body, nil) {
		if claims := claimsOf(text); claims != nil && redact.Mentions(strings.Join(texts(claims, nil), "\n"), secret) {
			return "a claim of a token"
		}
	}
	if redact.Mentions(string(j.x.Body), secret) || redact.Mentions(strings.Join(texts(j.body, nil), "\n"), secret) {
		return "the body"
	}
	return ""
}

// claimsOf are the claims of a text that is a compact JWS, else nil.
func claimsOf(text string) *strictjson.Value {
	jws, err := ParseJWS(text)
	if err != nil {
		return nil
	}
	claims, _ := jws.Claims()
	if claims == nil || claims.Kind != ags.Object {
		return nil
	}
	return claims
}
