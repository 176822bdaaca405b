package mock

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"agstest/ags"
)

// reply is an answer before it is written. Handlers return it, faults change it, and only write turns it into bytes.
type reply struct {
	status  int
	header  []member // values are strings
	body    object
	hasBody bool
	raw     []byte // written instead of body when not nil
	media   string // content type; empty: the usual one
	refused rule   // why the call was refused; empty for a success
	code    int    // sub-code of a refusal
	pair    *grant // the grant of a success's tokens
}

func (r *reply) setHeader(name, value string) { r.header = append(r.header, member{name, value}) }

func jsonReply(status int, body object) reply {
	return reply{status: status, body: body, hasBody: true}
}

func emptyReply(status int) reply { return reply{status: status} }

// refusal is refuse for callers that pass the reply on.
func (c *call) refusal(r rule, status, code int, why string) *reply {
	answer := c.refuse(r, status, code, why)
	return &answer
}

// refuse says no. Where a fault has switched the rule off and the call cannot go on by itself, the answer is a success
// made up for the first account, as a service would give that does not look.
func (c *call) refuse(r rule, status, code int, why string) reply {
	if !c.enforces(r) && c.operation != "" {
		return c.pretend()
	}
	if other, chosen := c.set.outcome(r, c.operation); chosen {
		status, code = other.status, other.code
	}
	answer := reply{status: status, refused: r, code: code}
	shown := code
	if shown == 0 {
		shown = status
	}
	message := c.set.behaviour.errorText(why, c)
	switch c.set.behaviour.ErrorBody {
	case "empty":
	case "html":
		answer.raw, answer.media = []byte("<!DOCTYPE html><html><body><h1>"+http.StatusText(status)+
			"</h1></body></html>\n"), "text/html; charset=utf-8"
	case "text":
		answer.raw, answer.media = []byte(message+"\n"), "text/plain; charset=utf-8"
	case "problem":
		answer.body, answer.hasBody, answer.media = object{{"type", "about:blank"}, {"title", http.StatusText(status)},
			{"status", status}, {"detail", message}, {"code", shown}}, true, "application/problem+json"
	case "nested":
		answer.body, answer.hasBody = object{{"error", object{{"code", shown}, {"message", message}}}}, true
	case "errorCode":
		answer.body, answer.hasBody = object{{"errorCode", shown}, {"message", message}}, true
	case "numeric-string":
		answer.body, answer.hasBody = object{{"message", message}, {"code", strconv.Itoa(shown)},
			{"errorCode", strconv.Itoa(shown)}}, true
	case "list":
		answer.body, answer.hasBody = object{{"errors", []any{object{{"code", shown}, {"message", message}}}}}, true
	case "prefixed":
		answer.body, answer.hasBody = object{{"message", message}, {"code", "AGS-" + strconv.Itoa(shown)}}, true
	case "bare":
		answer.body, answer.hasBody = object{{"code", shown}}, true
	default:
		answer.body, answer.hasBody = object{{"message", message}, {"code", shown}, {"errorCode", shown}}, true
	}
	if status == http.StatusUnauthorized && c.set.behaviour.Challenge {
		answer.setHeader("Www-Authenticate", `Bearer realm="ags", error="invalid_token"`)
	}
	return answer
}

// outcome returns the status and code that a choice gives a refusal.
func (set *setting) outcome(r rule, operation string) (outcome, bool) {
	if o, chosen := set.outcomes[ruleKey{r, operation}]; chosen {
		return o, true
	}
	o, chosen := set.outcomes[ruleKey{r, ""}]
	return o, chosen
}

func (c *Behaviour) errorText(why string, on *call) string {
	switch c.ErrorText {
	case "varying":
		return why + " (case " + strconv.FormatUint(on.server.refusals.Add(1), 10) + ")"
	case "localised":
		return "Anfrage abgelehnt: prüfen Sie Ihre Eingabe – 拒否されました"
	}
	return why
}

// gatewayRefusal is how the API gateway refuses an unusable token (the page "Access and authentication information").
func (c *call) gatewayRefusal(r rule) reply {
	if !c.enforces(r) {
		return c.pretend()
	}
	status := http.StatusForbidden
	if c.set.behaviour.LegacyGateway {
		status = http.StatusOK
	}
	answer := jsonReply(status, object{{"resultCode", ags.GatewayRefusal}, {"localeMessage", "none"},
		{"requestId", "mock"},
		{"result", "<message>the token is not usable</message>"}})
	answer.refused = r
	return answer
}

// noMedia is the media of an answer that does not tell its content type.
const noMedia = "-"

var (
	jsonContent    = []string{"application/json"}
	noStoreContent = []string{"no-store"}
)

func (r *reply) write(c *call, w http.ResponseWriter) {
	behaviour := &c.set.behaviour
	header := w.Header()
	if id := c.request.Header["X-Correlation-Id"]; len(id) > 0 && !behaviour.NoCorrelationEcho {
		header["X-Correlation-Id"] = id[:1]
	}
	if behaviour.NoStore {
		header["Cache-Control"] = noStoreContent
		header["Pragma"] = []string{"no-cache"}
	}
	content := r.raw
	if content == nil && r.hasBody {
		buffers := scratches.Get().(*scratch)
		defer scratches.Put(buffers)
		buffers.plain = behaviour.appendBody(buffers.plain[:0], r.body)
		content = buffers.plain
	}
	for _, m := range r.header {
		header.Set(m.name, m.value.(string))
	}
	if len(content) > 0 {
		if _, set := header["Content-Type"]; !set {
			switch {
			case r.media == noMedia:
				header["Content-Type"] = nil
			case r.media != "":
				header["Content-Type"] = []string{r.media}
			case behaviour.MediaType != "":
				header["Content-Type"] = []string{behaviour.MediaType}
			default:
				header["Content-Type"] = jsonContent
			}
		}
	}
	if r.status != http.StatusNoContent && r.status >= 200 {
		header["Content-Length"] = []string{strconv.Itoa(len(content))}
	}
	w.WriteHeader(r.status)
	if len(content) > 0 && r.status != http.StatusNoContent && r.status != http.StatusNotModified {
		_, _ = w.Write(content) // a client that has left gets nothing
	}
}

// render is the text of a body.
func (c *Behaviour) render(body object) []byte { return c.appendBody(nil, body) }

func (c *Behaviour) appendBody(to []byte, body object) []byte {
	if c.ExtraMembers {
		body = append(slices.Clone(body), member{"x_extension",
			object{{"kind", "extension"}, {"list", []any{1, "two", nil, true}}}}, member{"scope", "tv"})
	}
	if c.ReversedMembers {
		body = reversed(body).(object)
	}
	content := appendJSON(to, body)
	if c.Pretty {
		var pretty bytes.Buffer
		if json.Indent(&pretty, content, "", "  ") == nil {
			content = append(pretty.Bytes(), '\n')
		}
	}
	if c.Escaped {
		content = escaped(content)
	}
	return content
}

// reversed turns the order of members around, all the way down.
func reversed(value any) any {
	switch v := value.(type) {
	case object:
		other := make(object, 0, len(v))
		for i := len(v) - 1; i >= 0; i-- {
			other = append(other, member{v[i].name, reversed(v[i].value)})
		}
		return other
	case []any:
		other := make([]any, len(v))
		for i := range v {
			other[i] = reversed(v[i])
		}
		return other
	}
	return value
}

// escaped writes the first letter of every string and all that is not ASCII as \u escapes, slashes as \/, and white
// space around.
func escaped(content []byte) []byte {
	out := []byte("\r\n \t")
	const hexadecimal = "0123456789ABCDEF"
	unicode := func(r rune) {
		out = append(out, '\\', 'u', hexadecimal[r>>12&15], hexadecimal[r>>8&15], hexadecimal[r>>4&15],
			hexadecimal[r&15])
	}
	quoted, first := false, false
	for i := 0; i < len(content); {
		b := content[i]
		switch {
		case quoted && b == '\\':
			out = append(out, b, content[i+1])
			i += 2
			first = false
			continue
		case b == '"':
			quoted = !quoted
			first = quoted
			out = append(out, b)
			i++
			continue
		case quoted && b == '/':
			out = append(out, '\\', '/')
		case quoted && first && b < utf8.RuneSelf:
			unicode(rune(b))
		case quoted && b >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(content[i:])
			if r > 0xffff {
				r -= 0x10000
				unicode(0xd800 + r>>10)
				unicode(0xdc00 + r&0x3ff)
			} else {
				unicode(r)
			}
			i += size
			first = false
			continue
		default:
			out = append(out, b)
		}
		first = false
		i++
	}
	return append(out, "\r\n\t "...)
}
