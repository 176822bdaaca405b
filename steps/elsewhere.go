package steps

import (
	"bytes"
	"encoding/base64"
	"strings"

	"agstest/internal/strictjson"
)

// addressHeaders are those by which a caller, or a proxy for it, says where it is.
var addressHeaders = []string{"X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"}

// letInFromElsewhere says why a call from a blocked place that was let in shows nothing: the account is exempt, or the place stands in a
// header alone, which a gateway on the way may have replaced (Caddy and most clouds do) or which the service need not believe. It is nil
// where the answer shows that the address was believed, or the caller comes through a proxy: then the service was wrong.
func (w *world) letInFromElsewhere(x *exchange) error {
	if w.subject == nil || w.subject.situation != "geo-blocked" && w.subject.situation != "vpn" {
		return nil
	}
	name := w.subject.situation
	s := w.run.environment.Situations[name]
	if name == "geo-blocked" && claims(x, "geoBlockExempt") {
		return lacking("situations.geo-blocked with an account that is not exempt from geo-blocking",
			"the account is exempt from geo-blocking, as the claim geoBlockExempt of its access token says, so it is let in from anywhere")
	}
	if w.run.control != nil || s.Proxy != "" {
		return nil
	}
	for header, value := range s.Headers {
		for _, known := range addressHeaders {
			if !strings.EqualFold(header, known) {
				continue
			}
			if shows(x, value) {
				return nil
			}
			return unknownf("the call was let in (%s), and nothing in the answer shows that the address in %s was believed: a gateway on the way may replace it; give situations.%s a proxy in such a place", w.describe(x), header, name)
		}
	}
	return nil
}

// payloads are the claims of the tokens in an answer, as JSON.
func payloads(x *exchange) [][]byte {
	var found [][]byte
	body, _ := strictjson.Parse(x.Body)
	for _, member := range []string{"access_token", "refresh_token"} {
		parts := strings.Split(body.Get(member).String(), ".")
		if len(parts) != 3 {
			continue
		}
		if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			found = append(found, payload)
		}
	}
	return found
}

// claims tells that a token of an answer has a claim that is true.
func claims(x *exchange, name string) bool {
	for _, payload := range payloads(x) {
		if v, _ := strictjson.Parse(payload); v != nil && isTrue(v.Get(name)) {
			return true
		}
	}
	return false
}

// shows tells that an answer or a token in it holds a text.
func shows(x *exchange, text string) bool {
	if text == "" {
		return false
	}
	for _, held := range append(payloads(x), x.Body) {
		if bytes.Contains(held, []byte(text)) {
			return true
		}
	}
	return false
}
