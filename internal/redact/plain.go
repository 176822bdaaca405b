package redact

import (
	"regexp"
	"strings"
)

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

// encodedObjects finds tokens by their form: base64 or base64url of text that begins with {" or { and a blank, alone or
// with the other segments of a JWS, whole or cut; and the same once more encoded.
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
		end := tokenEnd(text, i)
		if end-i < 16 && text[i] == 'e' || text[i] == 'Z' && !strings.HasPrefix(text[i:], "ZXlK") && !strings.HasPrefix(text[i:], "ZXdv") {
			continue
		}
		if end-i >= 16 {
			emit(span{i, end, "token", text[i:end]})
		}
		i = end
	}
}

// tokenEnd returns the end of a token's segments that begin at start. Full stops at their end belong to a sentence, or
// to an empty signature.
func tokenEnd(text string, start int) int {
	end := start
	for end < len(text) && (isTokenByte(text[end]) || text[end] == '.' || text[end] == '=') {
		end++
	}
	for end > start && text[end-1] == '.' {
		end--
	}
	return end
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
