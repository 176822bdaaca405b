package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/ags"
)

// openToken reads a JWS for show. It checks nothing.
func openToken(compact string) (header, claims map[string]json.RawMessage, ok bool) {
	segments := strings.Split(compact, ".")
	if len(segments) != 3 || len(compact) > 64<<10 {
		return nil, nil, false
	}
	for i, into := range []*map[string]json.RawMessage{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(segments[i])
		if err != nil || json.Unmarshal(text, into) != nil || *into == nil {
			return nil, nil, false
		}
	}
	return header, claims, true
}

// tokenLabel calls a token of the platform by its claim typ; empty for anything else.
func tokenLabel(value string) string {
	if !strings.HasPrefix(value, "e") || strings.Count(value, ".") != 2 {
		return ""
	}
	_, claims, ok := openToken(value)
	if !ok {
		return ""
	}
	switch text(claims["typ"]) {
	case ags.AccessType:
		return "access token"
	case ags.RefreshType:
		return "refresh token"
	case ags.OperatorToken.Type:
		return "operator token"
	}
	return ""
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// about shows the content of a token: the values of harmless members, and only the names of all others.
func (r *Redactor) about(value string) string {
	header, claims, ok := openToken(value)
	if !ok {
		return ""
	}
	var parts, others []string
	say := func(from map[string]json.RawMessage, name string) {
		raw, there := from[name]
		if !there {
			return
		}
		delete(from, name)
		shown := string(bytes.TrimSpace(raw))
		if s := text(raw); s != "" {
			shown = s
		}
		if n, ok := seconds(raw); ok && strings.HasSuffix(name, "exp") {
			shown += " (" + time.Unix(n, 0).UTC().Format(time.RFC3339) + ")"
		}
		if shown = r.harmless(shown); shown != "" {
			parts = append(parts, name+" "+shown)
		}
	}
	say(header, "alg")
	say(header, "kid")
	for _, name := range []string{"typ", "tenantId", "exp", "fixed_exp"} {
		say(claims, name)
	}
	for name := range claims {
		if name = r.harmless(name); name != "" {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	if len(others) > 30 {
		others = append(others[:30], fmt.Sprintf("%d more", len(claims)-30))
	}
	if len(others) > 0 {
		parts = append(parts, "and "+strings.Join(others, ", "))
	}
	return ": " + strings.Join(parts, ", ")
}

func seconds(raw json.RawMessage) (int64, bool) {
	var n int64
	return n, json.Unmarshal(raw, &n) == nil && n >= 0 && n <= 1<<33
}

// harmless is a text of an answer that can stand inside a mark: short, printable, and no secret; otherwise empty.
func (r *Redactor) harmless(s string) string {
	if len(s) > 64 || s == "" {
		return ""
	}
	for _, c := range s {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	if r.holdsSecret(s) {
		return ""
	}
	return s
}
