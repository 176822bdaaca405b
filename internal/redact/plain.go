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
		if inQuery := start > 0 && strings.IndexByte("?&#", text[start-1]) >= 0; inQuery &&
			strings.EqualFold(text[start:i], "code") {
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

// headerNames are the headers that carry secrets by themselves, for lines of text such as "Authorization: Bearer …".
var headerNames = []string{"authorization", "proxy-authorization", "user-token", "client-token", "x-api-key",
	"set-cookie", "cookie"}

// schemes of credentials that carry a secret.
var schemes = []string{"bearer", "basic"}

// What follows the name of a header, and a scheme.
var (
	headerRest = regexp.MustCompile(`^["']?[ \t]*:[ \t]*["']?([^\s"',;]{3,12} )?([^\s"',]{8,})`)
	schemeRest = regexp.MustCompile(`^\s+([A-Za-z0-9._~+/=%-]{8,})`)
)

func headerLines(text string, emit func(span)) {
	eachWord(text, headerNames, func(start, end int) int {
		m := headerRest.FindStringSubmatchIndex(text[end:])
		if m == nil {
			return end
		}
		label, _ := secretLabel(text[start:end])
		emit(span{end + m[4], end + m[5], label, text[end+m[4] : end+m[5]]})
		return end + m[1]
	})
	eachWord(text, schemes, func(_, end int) int {
		m := schemeRest.FindStringSubmatchIndex(text[end:])
		if m == nil {
			return end
		}
		value := text[end+m[2] : end+m[3]]
		if len(value) >= 20 || strings.ContainsAny(value, "0123456789.") {
			emit(span{end + m[2], end + m[3], "credentials", value})
		}
		return end + m[1]
	})
}

// eachWord finds where a text has one of the words, in any case, with no letter, figure or underscore before it. Found
// returns where to go on.
func eachWord(text string, words []string, found func(start, end int) int) {
	var first [256]bool
	for _, word := range words {
		first[word[0]], first[word[0]-'a'+'A'] = true, true
	}
	for i := 0; i < len(text); {
		if !first[text[i]] || i > 0 && isWordByte(text[i-1]) {
			i++
			continue
		}
		end := i + 1
		for _, word := range words {
			if to := i + len(word); to <= len(text) && strings.EqualFold(text[i:to], word) {
				end = found(i, to)
				break
			}
		}
		i = end
	}
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// encodedObjects finds tokens by their form: base64 or base64url of text that begins with {" or { and a blank, alone or
// with the other segments of a JWS, whole or cut; and the same once more encoded.
func encodedObjects(text string, emit func(span)) {
	for i := 0; i+8 <= len(text); i++ {
		if c := text[i]; c != 'e' && c != 'Z' || i > 0 && text[i-1] != '/' && text[i-1] != '+' &&
			isTokenByte(text[i-1]) {
			continue
		}
		switch text[i : i+3] {
		case "eyJ", "eyA", "eyI", "ewo", "ewk", "ew0", "ZXl", "ZXd":
		default:
			continue
		}
		end := tokenEnd(text, i)
		if end-i < 16 && text[i] == 'e' || text[i] == 'Z' && !strings.HasPrefix(text[i:], "ZXlK") &&
			!strings.HasPrefix(text[i:], "ZXdv") {
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
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+' ||
		c == '/'
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
