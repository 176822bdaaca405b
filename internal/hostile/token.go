package hostile

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// tokens are bodies whose tokens are strange.
func tokens() []Behaviour {
	access := func(change func(token string) string) func(*Turn) bool {
		return member("access_token", func(value string) string {
			token, _ := json.Marshal(change(strings.Trim(value, `"`)))
			return string(token)
		})
	}
	both := func(change func(claims map[string]any)) func(*Turn) bool {
		return body(func(text string) string {
			for _, name := range []string{"access_token", "refresh_token"} {
				text = changed(text, name, func(value string) string {
					return `"` + reclaimed(strings.Trim(value, `"`),
						change) + `"`
				})
			}
			return text
		})
	}
	part := func(n int, becomes string) func(*Turn) bool {
		return access(func(token string) string {
			parts := strings.Split(token, ".")
			parts[n] = becomes
			return strings.Join(parts, ".")
		})
	}
	shifted := func(seconds int64) func(*Turn) bool {
		return both(func(claims map[string]any) {
			for _, name := range []string{"iat", "nbf", "exp", "fixed_exp"} {
				if at, ok := claims[name].(json.Number); ok {
					n, _ := at.Int64()
					claims[name] = n + seconds
				}
			}
		})
	}
	const year = 365 * 24 * 3600
	encoded := base64.RawURLEncoding.EncodeToString
	return []Behaviour{
		{Name: "a token of 5 MB", Answer: access(func(token string) string { return token + strings.Repeat("A", 5<<20) })},
		{Name: "a token of 500 kB", Answer: access(func(token string) string { return token + strings.Repeat("A", 500<<10) })},
		{Name: "a token signed with none", Answer: access(func(token string) string {
			parts := strings.Split(token, ".")
			return encoded([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
		})},
		{Name: "a token of three empty parts", Answer: access(func(string) string { return ".." })},
		{Name: "a token of two parts", Answer: access(func(token string) string { return token[:strings.LastIndexByte(token, '.')] })},
		{Name: "a token of five parts", Answer: access(func(token string) string { return token + ".a.b" })},
		{Name: "a token of 100,000 parts", Answer: access(func(string) string { return strings.Repeat("a.", 100_000) })},
		{Name: "a token whose payload is no JSON", Answer: part(1, encoded([]byte("<html>")))},
		{Name: "a token whose payload is no base64url", Answer: part(1, "!!!!")},
		{Name: "a token whose header is no JSON", Answer: part(0, encoded([]byte("right")))},
		{Name: "a token whose payload nests 10,000 levels", Answer: part(1, encoded([]byte(`{"a":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+"}")))},
		{Name: "a token with a line break", Answer: member("refresh_token", func(value string) string {
			return strings.TrimSuffix(value, `"`) + `\r\nX-Injected: 1"`
		})},
		{Name: "a token that is null", Answer: becomes("access_token", "null")},
		{Name: "a token that is a number", Answer: becomes("access_token", "1")},
		{Name: "tokens of ten years ahead", Answer: shifted(10 * year)},
		{Name: "tokens of ten years ago", Answer: shifted(-10 * year)},
		{Name: "a token that never ends", Answer: both(func(claims map[string]any) { claims["exp"] = json.Number("1e999") })},
		{Name: "a token that ends in words", Answer: both(func(claims map[string]any) { claims["exp"] = "tomorrow" })},
		{Name: "tokens of another device", Answer: both(func(claims map[string]any) { claims["deviceId"] = "LOAD_99999" })},
		{Name: "tokens of another tenant", Answer: both(func(claims map[string]any) { claims["tenantId"] = "s3cret-tv" })},
	}
}

// reclaimed changes the claims of a token, whose signature is not right any more.
func reclaimed(token string, change func(map[string]any)) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return token
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return token
	}
	var claims map[string]any
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if d.Decode(&claims) != nil {
		return token
	}
	change(claims)
	if payload, err = json.Marshal(claims); err != nil {
		return token
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}

// orders are answers that come to another request than theirs.
func orders() []Behaviour {
	return []Behaviour{
		{Name: "two answers to one request", Kept: true, Answer: func(t *Turn) bool {
			r := t.Good()
			t.Say(string(r.Bytes()) + string(r.Bytes()))
			return true
		}},
		{Name: "an answer inside an answer", Kept: true, Answer: func(t *Turn) bool {
			// A client that goes by the length finds a second answer behind the body.
			r := t.Good()
			second := r.Bytes()
			t.Say(string(r.head("Content-Length: 2")) + "{}" + string(second))
			return true
		}},
		// Each request gets the answer of the one before, whoever sent it; the first one of all gets its own.
		{Name: "answers to somebody else", Answer: func(t *Turn) bool {
			all := t.kept()
			t.Conn.Write(all[max(0, len(all)-2)])
			return true
		}},
		// A late second answer to the first request of all comes in place of the answer to each other one.
		{Name: "a late second answer", Answer: func(t *Turn) bool {
			all := t.kept()
			t.Conn.Write(all[0])
			return true
		}},
	}
}

// kept is every right answer to a request of this behaviour so far, this one's last.
func (t *Turn) kept() [][]byte {
	answer := t.Good().Bytes()
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	all := append(t.server.late[t.behaviour], answer)
	t.server.late[t.behaviour] = all
	return all
}
