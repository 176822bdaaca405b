package check

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"agstest/ags"
	"agstest/internal/redact"
	"agstest/internal/strictjson"
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
	if body == nil {
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
		for _, candidate := range jwsLike.FindAllString(text, 20) {
			if c := ReadClaims(candidate); (c.Type == ags.AccessType || c.Type == ags.RefreshType) && !j.wasSent(candidate) {
				j.add(id, Broken, expected, "a token with typ "+c.Type)
				return
			}
		}
	}
	j.add(id, Held, expected, "none")
}

var jwsLike = regexp.MustCompile(`[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)

// tokenMember finds a member of the token body that holds a text.
func (j *judge) tokenMember(v *strictjson.Value, place string) string {
	for _, m := range v.Members {
		here := place + m.Name
		if (m.Name == "access_token" || m.Name == "refresh_token") && m.Value.String() != "" && !j.wasSent(m.Value.Text) {
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
	for _, s := range secrets {
		if redact.Mentions(text, s) {
			j.add("ERR-10", Broken, "no secret of the request", "the answer repeats a secret of the request")
			return
		}
	}
	shown := text[:min(len(text), maxTraceText)]
	for _, t := range stackTraces {
		if t.pattern.MatchString(shown) {
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
			secrets = append(secrets, jwsLike.FindAllString(v, 3)...)
		}
	}
	return append(secrets, jwsLike.FindAllString(string(j.x.Call.Body), 5)...)
}

// maxTraceText is how much of an answer is searched for stack traces.
const maxTraceText = 64 << 10

var stackTraces = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"a Java stack trace", regexp.MustCompile(`\bat [\w$.]+\.[\w$<>]+\([\w$]+\.(java|kt|scala|groovy):\d+\)|\bat [\w$.]+\((Native Method|Unknown Source)\)|\bCaused by: [\w$.]+(Exception|Error)\b`)},
	{"a .NET stack trace", regexp.MustCompile(`\bat [\w.<>]+\([^)\n]*\) in [^\n]+:line \d+`)},
	{"a Go stack trace", regexp.MustCompile(`\bgoroutine \d+ \[[a-z ,0-9]+\]:`)},
	{"a JavaScript stack trace", regexp.MustCompile(`\bat [^\n(]*\([^\n()]*\.[cm]?[jt]s:\d+:\d+\)`)},
	{"a Python stack trace", regexp.MustCompile(`Traceback \(most recent call last\)`)},
	{"an SQL error", regexp.MustCompile(`\b(ORA-\d{5}: |SQLSTATE\[|SQLException\b|com\.mysql\.|org\.postgresql\.)`)},
}
