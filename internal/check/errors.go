package check

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/redact"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
)

// errors judges an answer that refuses: no tokens, no secrets, no innards, and the form of its body, which no page
// describes.
func (j *judge) errors() {
	j.noTokens("ERR-07")
	j.noSecrets()
	if j.x.Status == http.StatusUnauthorized {
		got := "no WWW-Authenticate"
		if v := j.x.Header.Get("WWW-Authenticate"); v != "" {
			got = "WWW-Authenticate " + strictjson.Brief(v)
		}
		j.add("ERR-11", Observed, "", got)
	}
	body := j.object()
	if body == nil || j.throttled() && !wire.TooMany(j.x.Status) { // the words of a gateway, in a form of its own
		return
	}
	j.contentType(false)
	_, where, ok := subCode(body)
	if ok && j.x.Status == http.StatusForbidden {
		o := Held
		if where != "code" {
			o = Soft
		}
		j.add("ERR-04", o, "the sub-code in code", "in "+where)
	}
	code, errorCode := body.Get("code") != nil, body.Get("errorCode") != nil
	if code || errorCode {
		j.add("ERR-06", Observed, "", fmt.Sprintf("code %s, errorCode %s", present(code), present(errorCode)))
	}
	j.message(body)
}

func present(there bool) string {
	if there {
		return "present"
	}
	return "absent"
}

// message judges ERR-05. The gateway's own form and RFC 9457 put their text elsewhere.
func (j *judge) message(body *strictjson.Value) {
	kind, _, _ := strings.Cut(strings.ToLower(j.x.Header.Get("Content-Type")), ";")
	if strings.TrimSpace(kind) == "application/problem+json" || body.Get("resultCode") != nil {
		return
	}
	v := body.Get("message")
	o := Held
	if v.String() == "" {
		o = Soft
	}
	j.add("ERR-05", o, "a text message", "message is "+describe(v))
}

// noTokens judges that an answer which signs nobody on holds no token: no member access_token or refresh_token with a
// value at any depth, and no text that is a token of the family. A token of the request that comes back is noSecrets'
// matter.
func (j *judge) noTokens(id string) {
	const expected = "neither an access token nor a refresh token"
	if j.body != nil {
		if place := j.tokenMember(j.body, ""); place != "" {
			j.add(id, Broken, expected, place)
			return
		}
	}
	texts := []string{string(j.x.Body)}
	for name, values := range j.x.Header {
		if !strings.EqualFold(name, "WWW-Authenticate") {
			texts = append(texts, values...)
		}
	}
	for _, text := range texts {
		for _, candidate := range jwsLike(text, 20) {
			if c := ReadClaims(candidate); (c.Type == ags.AccessType || c.Type == ags.RefreshType) &&
				!j.wasSent(candidate) {
				j.add(id, Broken, expected, "a token with typ "+c.Type)
				return
			}
		}
	}
	j.add(id, Held, expected, "none")
}

// shortestPart is how long the first and the second part of a text are that looks like a compact JWS; the third may be
// empty.
const shortestPart = 8

// jwsLike finds the first n texts that look like a compact JWS.
func jwsLike(text string, n int) (found []string) {
	part := func(from int) (to int) {
		for to = from; to < len(text) && isBase64URL(text[to]); to++ {
		}
		return to
	}
	for at := 0; at < len(text) && len(found) < n; {
		first := part(at)
		if first-at < shortestPart || first == len(text) || text[first] != '.' {
			at = first + 1
			continue
		}
		if second := part(first + 1); second-first > shortestPart && second < len(text) && text[second] == '.' {
			end := part(second + 1)
			found = append(found, text[at:end])
			at = end
			continue
		}
		at = first + 1
	}
	return found
}

func isBase64URL(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// tokenMember finds a member of the token body that holds a text.
func (j *judge) tokenMember(v *strictjson.Value, place string) string {
	for _, m := range v.Members {
		here := place + m.Name
		if (m.Name == "access_token" || m.Name == "refresh_token") && m.Value.String() != "" &&
			!j.wasSent(m.Value.Text) {
			return here + " holds a text"
		}
		if found := j.tokenMember(m.Value, here+"."); found != "" {
			return found
		}
	}
	for i, item := range v.Items {
		if found := j.tokenMember(item, fmt.Sprintf("%s[%d].", strings.TrimSuffix(place, "."), i)); found != "" {
			return found
		}
	}
	return ""
}

// wasSent tells whether a text was part of the request.
func (j *judge) wasSent(text string) bool {
	if strings.Contains(string(j.x.Call.Body), text) || strings.Contains(j.x.Call.Path, text) {
		return true
	}
	for _, values := range j.x.Call.Header {
		for _, v := range values {
			if strings.Contains(v, text) {
				return true
			}
		}
	}
	return false
}

// noSecrets judges ERR-10: neither a secret of the request, in any encoding, nor a stack trace.
func (j *judge) noSecrets() {
	text := string(j.x.Body)
	for _, values := range j.x.Header {
		text += "\n" + strings.Join(values, "\n")
	}
	if j.body != nil {
		text += "\n" + strings.Join(texts(j.body, nil), "\n") // as they are read, without escapes
	}
	secrets := j.secrets()
	read := redact.Read(text)
	if slices.ContainsFunc(secrets, read.Mentions) {
		j.add("ERR-10", Broken, "no secret of the request", "the answer repeats a secret of the request")
		return
	}
	shown := text[:min(len(text), maxTraceText)]
	for _, t := range stackTraces {
		if t.shownIn(shown) {
			j.add("ERR-10", Broken, "no stack trace", "the answer shows "+t.name)
			return
		}
	}
	if len(secrets) > 0 {
		j.add("ERR-10", Held, "no secret of the request", "none")
	}
}

// texts lists the strings of a value.
func texts(v *strictjson.Value, found []string) []string {
	if v.Kind == ags.String {
		return append(found, v.Text)
	}
	for _, m := range v.Members {
		found = texts(m.Value, found)
	}
	for _, item := range v.Items {
		found = texts(item, found)
	}
	return found
}

// secrets returns the secrets that the caller knows, and the tokens in the request.
func (j *judge) secrets() []string {
	secrets := make([]string, 0, len(j.k.Secrets)+2)
	for _, s := range j.k.Secrets {
		if len(s) >= redact.MinSecret {
			secrets = append(secrets, s)
		}
	}
	for _, values := range j.x.Call.Header {
		for _, v := range values {
			secrets = append(secrets, jwsLike(v, 3)...)
		}
	}
	return append(secrets, jwsLike(string(j.x.Call.Body), 5)...)
}

// maxTraceText is how much of an answer is searched for stack traces.
const maxTraceText = 64 << 10

// stackTrace is the pattern of something that no answer should show. All its matches hold one of the marks, so it is
// looked for only where one stands.
type stackTrace struct {
	name    string
	marks   []string
	pattern *regexp.Regexp
}

func (t stackTrace) shownIn(text string) bool {
	return slices.ContainsFunc(t.marks, func(mark string) bool { return strings.Contains(text, mark) }) &&
		t.pattern.MatchString(text)
}

var stackTraces = []stackTrace{
	{"a Java stack trace", []string{".java:", ".kt:", ".scala:", ".groovy:", "(Native Method)", "(Unknown Source)", "Caused by: "},
		regexp.MustCompile(
			`\bat [\w$.]+\.[\w$<>]+\([\w$]+\.(java|kt|scala|groovy):\d+\)|\bat [\w$.]+\((Native Method|Unknown Source)\)|\bCaused by: [\w$.]+(Exception|Error)\b`)},
	{"a .NET stack trace", []string{":line "}, regexp.MustCompile(`\bat [\w.<>]+\([^)\n]*\) in [^\n]+:line \d+`)},
	{"a Go stack trace", []string{"goroutine "}, regexp.MustCompile(`\bgoroutine \d+ \[[a-z ,0-9]+\]:`)},
	{"a JavaScript stack trace", []string{"js:", "ts:"}, regexp.MustCompile(`\bat [^\n(]*\([^\n()]*\.[cm]?[jt]s:\d+:\d+\)`)},
	{"a Python stack trace", []string{"Traceback "}, regexp.MustCompile(`Traceback \(most recent call last\)`)},
	{"an SQL error", []string{"ORA-", "SQLSTATE[", "SQLException", "com.mysql.", "org.postgresql."},
		regexp.MustCompile(`\b(ORA-\d{5}: |SQLSTATE\[|SQLException\b|com\.mysql\.|org\.postgresql\.)`)},
}
