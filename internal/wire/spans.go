package wire

import (
	"regexp"
	"sort"
	"strings"
)

// span is a stretch of a text that must not be shown, with what it is called and the secret it stands for.
type span struct {
	start, end int
	label      string
	value      string
}

// marks recognises what a redaction leaves, so that redacting twice changes nothing.
var marks = regexp.MustCompile(`«[a-z ]{1,30} [0-9a-f]{6}(: [^«»]*)?»`)

// nameSpans finds secrets by the names they stand under, and tokens by their form, in one text of any kind: JSON, whole or cut or inside
// a sentence; queries; header lines; URLs.
func nameSpans(text string) []span {
	var spans []span
	var done [][]int
	if strings.Contains(text, "«") {
		done = marks.FindAllStringIndex(text, -1)
	}
	emit := func(s span) {
		// Marks are in order and apart: only the first that ends behind the span's start can overlap it.
		i := sort.Search(len(done), func(i int) bool { return done[i][1] > s.start })
		if i < len(done) && done[i][0] < s.end {
			return
		}
		if s.end > s.start {
			spans = append(spans, s)
		}
	}
	if strings.IndexByte(text, '"') >= 0 {
		jsonNames(text, 0, emit)
	}
	for _, v := range views(text) {
		mapped := func(s span) {
			s.start, s.end = v.origin(s.start, s.end)
			emit(s)
		}
		pairNames(v.text, mapped)
		headerLines(v.text, mapped)
		encodedObjects(v.text, mapped)
		userInfo(v.text, mapped)
	}
	return spans
}

// merge sorts spans and lets no two overlap. Where they do, the one that began first gives its name and the whole stretch goes.
func merge(spans []span) []span {
	sort.SliceStable(spans, func(a, b int) bool {
		if spans[a].start != spans[b].start {
			return spans[a].start < spans[b].start
		}
		return spans[a].end > spans[b].end
	})
	var merged []span
	for _, s := range spans {
		if s.end <= s.start {
			continue // only there to be learnt
		}
		if n := len(merged); n > 0 && s.start < merged[n-1].end {
			last := &merged[n-1]
			if s.start == last.start && s.end == last.end && vague(last.label) && !vague(s.label) {
				last.label = s.label
			}
			last.end = max(last.end, s.end)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// jsonFrame is an object or array that jsonNames is in.
type jsonFrame struct {
	label string // of the member that it is the value of; its texts are secret
	name  string // of a {name, value} pair
	value *span
}

// jsonNames walks over whatever JSON a text holds. It judges no syntax: a cut or broken text is walked as far as it makes sense.
func jsonNames(text string, depth int, emit func(span)) {
	stack := []jsonFrame{{}}
	key := ""
	close := func(f jsonFrame) {
		if label, secret := secretLabel(f.name); secret && f.value != nil {
			f.value.label = label
			emit(*f.value)
		}
	}
	value := func(s span) {
		top := &stack[len(stack)-1]
		label, secret := secretLabel(key)
		switch {
		case secret:
			s.label = label
			emit(s)
		case top.label != "":
			s.label = top.label
			emit(s)
		case key == "name":
			top.name = s.value
		case key == "value":
			kept := s
			top.value = &kept
		}
		key = ""
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '{' || c == '[':
			label, secret := secretLabel(key)
			if !secret {
				label = stack[len(stack)-1].label
			}
			if len(stack) < 1000 {
				stack = append(stack, jsonFrame{label: label})
			}
			key = ""
			i++
		case c == '}' || c == ']':
			if len(stack) > 1 {
				close(stack[len(stack)-1])
				stack = stack[:len(stack)-1]
			}
			key = ""
			i++
		case c == ',':
			key = ""
			i++
		case c == '"':
			start, end, next := stringAt(text, i)
			after := next
			for after < len(text) && (text[after] == ' ' || text[after] == '\t' || text[after] == '\n' || text[after] == '\r') {
				after++
			}
			inside := view{text: text[start:end]}
			if strings.IndexByte(inside.text, '\\') >= 0 {
				inside = inside.unescape(backslash)
			}
			if after < len(text) && text[after] == ':' {
				key = inside.text
				i = after + 1
				continue
			}
			value(span{start: start, end: end, value: inside.text})
			if depth < 3 && strings.IndexByte(inside.text, '"') >= 0 {
				jsonNames(inside.text, depth+1, func(s span) { // JSON inside a string
					from, to := inside.origin(s.start, s.end)
					s.start, s.end = start+from, start+to
					emit(s)
				})
			}
			i = next
		case (c >= '0' && c <= '9' || c == '-') && (key != "" || stack[len(stack)-1].label != ""):
			end := i + 1
			for end < len(text) && strings.IndexByte("0123456789+-.eE", text[end]) >= 0 {
				end++
			}
			value(span{start: i, end: end, value: text[i:end]})
			i = end
		default:
			i++
		}
	}
	for _, f := range stack { // a cut text
		close(f)
	}
}

// stringAt finds the inside of the JSON string that begins at i, and where to go on.
func stringAt(text string, i int) (start, end, next int) {
	for at := i + 1; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return i + 1, at, at + 1
		}
	}
	return i + 1, len(text), len(text)
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// pairNames finds name=value, as in queries, forms and cookies.
func pairNames(text string, emit func(span)) {
	for i := strings.IndexByte(text, '='); i >= 0 && i < len(text); {
		start := i
		for start > 0 && isNameByte(text[start-1]) && i-start < 100 {
			start--
		}
		end := i + 1
		label, secret := secretLabel(text[start:i])
		if inQuery := start > 0 && strings.IndexByte("?&#", text[start-1]) >= 0; inQuery && strings.EqualFold(text[start:i], "code") {
			label, secret = "authorization code", isCode(text[i+1:]) // RFC 6749 section 4.1.2
		}
		if secret {
			for end < len(text) && strings.IndexByte("&;, \t\r\n\"'<>)", text[end]) < 0 {
				end++
			}
			value := text[i+1 : end]
			if strings.IndexByte(value, '%') >= 0 {
				value = view{text: value}.unescape(percent).text
			}
			emit(span{i + 1, end, label, value})
		}
		next := strings.IndexByte(text[end:], '=')
		if next < 0 {
			return
		}
		i = end + next
	}
}

// isCode tells an authorization code from the number of an error.
func isCode(text string) bool {
	figures := 0
	for figures < len(text) && text[figures] >= '0' && text[figures] <= '9' {
		figures++
	}
	return figures < len(text) && strings.IndexByte("&;, \t\r\n\"'<>)#", text[figures]) < 0 || figures > 8
}

// The headers that carry secrets by themselves, for lines of text such as "Authorization: Bearer …".
var headerLine = regexp.MustCompile(`(?i)\b(authorization|proxy-authorization|user-token|client-token|x-api-key|set-cookie|cookie)["']?[ \t]*:[ \t]*["']?([^\s"',;]{3,12} )?([^\s"',]{8,})`)

var schemeWord = regexp.MustCompile(`(?i)\b(bearer|basic)\s+([A-Za-z0-9._~+/=%-]{8,})`)

func headerLines(text string, emit func(span)) {
	if containsFold(text, "authorization") || containsFold(text, "cookie") || containsFold(text, "-token") || containsFold(text, "x-api-key") {
		for _, m := range headerLine.FindAllStringSubmatchIndex(text, -1) {
			label, _ := secretLabel(text[m[2]:m[3]])
			emit(span{m[6], m[7], label, text[m[6]:m[7]]})
		}
	}
	if !containsFold(text, "bearer") && !containsFold(text, "basic") {
		return
	}
	for _, m := range schemeWord.FindAllStringSubmatchIndex(text, -1) {
		value := text[m[4]:m[5]]
		if len(value) >= 20 || strings.ContainsAny(value, "0123456789.") {
			emit(span{m[4], m[5], "credentials", value})
		}
	}
}

func containsFold(text, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if text[i]|0x20 == word[0] && strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// encodedObjects finds tokens by their form: base64 or base64url of text that begins with {" or { and a blank, alone or with the other
// segments of a JWS, whole or cut; and the same once more encoded.
func encodedObjects(text string, emit func(span)) {
	for i := 0; i+8 <= len(text); i++ {
		if c := text[i]; c != 'e' && c != 'Z' || i > 0 && text[i-1] != '/' && text[i-1] != '+' && isTokenByte(text[i-1]) {
			continue
		}
		switch text[i : i+3] {
		case "eyJ", "eyA", "eyI", "ewo", "ewk", "ew0", "ZXl", "ZXd":
		default:
			continue
		}
		end := i
		for end < len(text) && (isTokenByte(text[end]) || text[end] == '.' || text[end] == '=') {
			end++
		}
		for end > i && text[end-1] == '.' { // the end of a sentence, or an empty signature
			end--
		}
		if end-i < 16 && text[i] == 'e' || text[i] == 'Z' && !strings.HasPrefix(text[i:], "ZXlK") && !strings.HasPrefix(text[i:], "ZXdv") {
			continue
		}
		if end-i >= 16 {
			emit(span{i, end, "token", text[i:end]})
		}
		i = end
	}
}

func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+' || c == '/'
}

var userInfoPattern = regexp.MustCompile(`://([^/\s:@"'<>]*:[^/\s@"'<>]*)@`)

// userInfo finds user:password in addresses, of proxies for one.
func userInfo(text string, emit func(span)) {
	if !strings.Contains(text, "@") || !strings.Contains(text, "://") {
		return
	}
	for _, m := range userInfoPattern.FindAllStringSubmatchIndex(text, -1) {
		emit(span{m[2], m[3], "credentials", text[m[2]:m[3]]})
	}
}
